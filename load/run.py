"""A run from its first load to its report: a scenario, or Locust's own users."""

import os
import sys
import time
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import gevent

from load import limits, machine, payloads, report, search, validity
from load.conductor import SLICES, Conductor, Interrupted
from load.options import OptionError
from load.record import Phase, Record, Verdict
from load.scenarios import FIND_MAX, SCENARIOS
from load.summary import summary

WRONG = 2  # the exit code of options that do not fit together
# A time line without an end gets a point as rarely: 720 an hour.
ENDLESS_S = 5.0
# Locust's page asks every 2 s while a test runs, and not any more after it.
SHOWN_S = 2.5


def requests(asked: Any, payload: str, batch: int) -> list[payloads.Request]:
    """Return the requests of a payload, for your own pictures if there are any."""
    if asked.images:
        return payloads.pictures(payload, batch, asked.images)
    return payloads.requests(payload, batch)


def interval(run_time: float | None) -> float:
    """Return the length in seconds of a slice of the time line of Locust's own users."""
    return max(run_time / SLICES, 1.0) if run_time else ENDLESS_S


class Watch:
    """What is known of a run besides its requests: the machine, the server, the time."""

    def __init__(self, environment: Any) -> None:
        self._environment = environment
        self._stolen = machine.Stolen()
        self._server = machine.ServerWatch(environment.host)
        self._started, self._ended = time.perf_counter(), 0.0
        self._watcher = gevent.spawn(self._server.watch, gevent.sleep)
        self._record: Record | None = None

    def stop(self) -> None:
        """Let the time of the run end."""
        self._ended = self._ended or time.perf_counter()
        self._watcher.kill(block=False)

    def begin(self) -> Record:
        """Return the record of what is asked, on this machine; made at the first call."""
        if self._record is None:
            self._record = self._made()
        return self._record

    def _made(self) -> Record:
        environment, asked = self._environment, self._environment.asked
        said = ["seconds", "warm_up"] + ["peak"] * (asked.scenario == "spike")
        said += ["stages"] * bool(asked.stages) if asked.scenario else []
        said += ["images"] * bool(asked.images)
        return Record(
            scenario=asked.scenario or "users",
            loop=asked.loop if asked.scenario else "closed",
            arrivals=asked.arrivals if asked.scenario and asked.loop == "open" else None,
            payload=asked.payload if asked.scenario else _payloads(environment),
            batch=asked.batch,
            host=environment.host,
            connections=environment.runner.target_user_count,
            seed=asked.seed,
            generators=len(environment.conductor.workers()),
            started=datetime.now(UTC).isoformat(timespec="seconds"),
            machine=machine.machine(),
            versions={
                **machine.versions(),
                "server": machine.server_version(environment.host) or "unknown",
            },
            settings=self._server.settings() | {n: getattr(asked, n) for n in said},
            commit=machine.commit(),
        )

    def users(self) -> Record:
        """Return the record of Locust's own users, so far."""
        conductor, asked = self._environment.conductor, self._environment.asked
        now = self._ended or time.perf_counter()
        conductor.watch(self._started, now - self._started, asked.interval)
        batch = round(conductor.images / max(conductor.phases[0].tally.right, 1), 2) or 1
        users = self._environment.runner.target_user_count  # it may have been changed
        return self.complete(replace(self.begin(), batch=batch, connections=users))

    def complete(self, record: Record, broken: Iterable[str] = ()) -> Record:
        """Return a record with what was found, judged; broken: why it is INVALID anyway."""
        conductor = self._environment.conductor
        record = replace(record, stolen=self._stolen.share(), phases=conductor.phases)
        usage = self._server.usage(conductor.counted())
        record.usage = [conductor.usage(record.counted), *usage]
        record.verdict = judge(record, self._environment.asked.limit)
        record.verdict.invalid[:0] = broken
        return record


def _payloads(environment: Any) -> str:
    users = environment.runner.user_classes
    return ", ".join(user.__name__ for user in users if not user.abstract)


def conduct(environment: Any) -> None:
    """Play the scenario, judge, write the reports, set the exit code, and end."""
    conductor, asked = environment.conductor, environment.asked
    watch, broken = environment.watch, []
    record = watch.begin()
    try:
        check(record)
        if asked.scenario == FIND_MAX:
            broken = find_max(conductor, record, asked)
        else:
            conductor.play(SCENARIOS[asked.scenario](asked))
    except Interrupted as error:
        broken = [str(error)]
    watch.stop()
    end(environment, watch.complete(record, broken))
    if asked.headless:
        environment.runner.quit()
    else:
        gevent.sleep(SHOWN_S)
        environment.runner.stop()


def conclude(environment: Any) -> None:
    """Judge Locust's own users, write the reports and set the exit code."""
    if not environment.conductor or environment.asked.scenario:
        return
    if environment.runner.state not in ("stopping", "stopped"):
        environment.runner.quit()  # Ctrl-C: the workers' last reports come
    environment.watch.stop()
    end(environment, environment.watch.users())
    environment.conductor = None


def check(record: Record) -> None:
    """Raise Interrupted before anything is sent if it would be for nothing."""
    if record.connections < record.generators:
        raise Interrupted(
            f"found {record.connections} connections for {record.generators} processes; "
            "expected one each at least"
        )


def writable(folder: Path) -> None:
    """Make the folder for the reports; raises OptionError if none can be written there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / ".probe").touch()
        (folder / ".probe").unlink()
    except OSError as error:
        raise OptionError(
            f"found no folder for the reports: {error}; expected one that user "
            f"{os.getuid()} may write to (in a container: UID_GID=$(id -u):$(id -g))"
        ) from error


def judge(record: Record, asked: list[str]) -> Verdict:
    """Judge a record by its limits, and by what makes it worth judging."""
    bounds = [limits.parse(text) for text in asked]
    return Verdict(validity.invalid(record, bounds), limits.judge(record, bounds))


def find_max(conductor: Conductor, record: Record, asked: Any) -> list[str]:
    """Look for the highest rate; return why what was found is not to be believed."""
    record.found = {}

    def judge_phase(phase: Phase) -> search.Judgement:
        # That it waited for a core is no matter of the rate: it is judged at the end.
        usage = [replace(conductor.usage([phase]), waited=None)]
        one = replace(record, phases=[replace(phase, counted=True)], usage=usage)
        verdict = judge(one, asked.limit)
        return search.Judgement(all(k for *_, k in verdict.limits), verdict.invalid)

    bounds = [limits.parse(text) for text in asked.limit]
    needed = max((validity.needed(b.percent) for b in bounds if b.percent), default=0)
    looks = search.Search(conductor.play, judge_phase, asked.seconds, needed)
    windows = (looks.open if asked.loop == "open" else looks.closed)(asked.users)
    record.found = search.found(looks, windows, asked.limit)
    broken = looks.limited_by_generator(windows[0].rate or 0.0)
    if not record.found["agree"]:
        broken.append(f"found windows that differ by more than {search.AGREE:.0%}")
    return broken


def end(environment: Any, record: Record) -> None:
    """Say what was found, write the reports and set the exit code."""
    asked = environment.asked
    environment.record, environment.report = record, summary(record)
    if asked.output:
        try:
            for path in report.write(record, Path(asked.output)):
                print(f"written: {path}", file=sys.stderr)
        except OSError as error:  # the verdict stands all the same
            print(f"no report: {error}", file=sys.stderr)
    environment.process_exit_code = record.verdict.code
    if not asked.headless:
        print(environment.report, flush=True)
        environment.report = ""
