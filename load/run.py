"""A run from its first load to its report."""

import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import gevent

from load import limits, machine, report, search, validity
from load.conductor import Conductor, Interrupted
from load.record import Phase, Record, Verdict
from load.scenarios import FIND_MAX, SCENARIOS, SECONDS, USUAL_RATE, USUAL_SECONDS


def conduct(environment: Any) -> None:
    """Play the scenario, judge, write the reports, set the exit code, and end."""
    conductor, options = environment.conductor, environment.parsed_options
    stolen = machine.Stolen()
    watch = machine.ServerWatch(environment.host)
    record = begin(environment)
    record.settings |= watch.settings()
    watcher = gevent.spawn(watch.watch, gevent.sleep)
    broken = []
    try:
        check(record, options)
        if options.scenario == FIND_MAX:
            broken = find_max(conductor, record, options)
        else:
            conductor.play(SCENARIOS[options.scenario](options))
    except Interrupted as error:
        broken = [str(error)]
    finally:
        watcher.kill()
    record.stolen = stolen.share()
    record.phases = conductor.phases
    record.usage = [conductor.usage(record.counted), *watch.usage(conductor.counted())]
    record.verdict = judge(record, options.limit)
    record.verdict.invalid[:0] = broken
    end(environment, record)


def begin(environment: Any) -> Record:
    """Fill in what is asked of the scenario and was not said, and begin the record."""
    options, conductor = environment.parsed_options, environment.conductor
    # From Locust's page they come as text.
    options.seconds = float(options.seconds or SECONDS.get(options.scenario, USUAL_SECONDS))
    options.rate = float(options.rate or USUAL_RATE)
    options.limit = limits.complete([text for text in options.limit if text])
    options.users = environment.runner.target_user_count
    names = ("scenario", "loop", "payload", "batch", "seed")
    said = ["seconds", "warm_up"] + ["peak"] * (options.scenario == "spike")
    return Record(
        **{name: getattr(options, name) for name in names},
        arrivals=options.arrivals if options.loop == "open" else None,
        host=environment.host,
        connections=options.users,
        generators=len(conductor.workers()),
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        machine=machine.machine(),
        versions={
            **machine.versions(),
            "server": machine.server_version(environment.host) or "unknown",
        },
        settings={name: getattr(options, name) for name in said},
        commit=machine.commit(),
    )


def check(record: Record, options: Any) -> None:
    """Raise Interrupted before anything is sent if it would be for nothing."""
    if record.connections < record.generators:
        raise Interrupted(
            f"found {record.connections} connections for {record.generators} processes; "
            "expected one each at least"
        )
    try:
        if options.output:
            Path(options.output).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Interrupted(f"found no folder for the reports: {error}") from error


def judge(record: Record, asked: list[str]) -> Verdict:
    """Judge a record by its limits, and by what makes it worth judging."""
    bounds = [limits.parse(text) for text in asked]
    return Verdict(validity.invalid(record, bounds), limits.judge(record, bounds))


def find_max(conductor: Conductor, record: Record, options: Any) -> list[str]:
    """Look for the highest rate; return why what was found is not to be believed."""

    def judge_phase(phase: Phase) -> search.Judgement:
        usage = [conductor.usage([phase])]
        one = replace(record, phases=[replace(phase, counted=True)], usage=usage)
        verdict = judge(one, options.limit)
        return search.Judgement(all(k for *_, k in verdict.limits), verdict.invalid)

    bounds = [limits.parse(text) for text in options.limit]
    needed = max((validity.needed(b.percent) for b in bounds if b.percent), default=0)
    looks = search.Search(conductor.play, judge_phase, options.seconds, needed)
    windows = (looks.open if options.loop == "open" else looks.closed)(options.users)
    record.found = search.found(looks, windows, options.limit)
    broken = looks.limited_by_generator(windows[0].rate or 0.0)
    if not record.found["agree"]:
        broken.append(f"found windows that differ by more than {search.AGREE:.0%}")
    return broken


def write(record: Record, folder: Path) -> None:
    """Write the reports; where that fails, the verdict stands all the same."""
    try:
        for path in report.write(record, folder):
            print(f"written: {path}", file=sys.stderr)
    except OSError as error:
        print(f"no report: {error}", file=sys.stderr)


def end(environment: Any, record: Record) -> None:
    """Say what was found, and let Locust end."""
    options = environment.parsed_options
    environment.report = report.summary(record)
    if options.output:
        write(record, Path(options.output))
    environment.process_exit_code = record.verdict.code
    if options.headless:
        environment.runner.quit()
    else:
        print(environment.report, flush=True)
        environment.report = ""
        environment.runner.stop()
