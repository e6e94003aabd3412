"""A run from its first load to its report."""

import sys
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
    record = begin(environment)
    watch = machine.ServerWatch(environment.host)
    watcher = gevent.spawn(watch.watch, gevent.sleep)
    broken = []
    try:
        if options.scenario == FIND_MAX:
            broken = find_max(conductor, record, options)
        else:
            conductor.play(SCENARIOS[options.scenario](options))
    except Interrupted as error:
        broken = [str(error)]
    watcher.kill()
    record.phases = conductor.phases
    record.usage = [conductor.usage(), *watch.usage(conductor.counted())]
    record.verdict = judge(record, options.limit)
    record.verdict.invalid += broken
    end(environment, record)


def begin(environment: Any) -> Record:
    """Fill in what is asked of the scenario and was not said, and begin the record."""
    options, conductor = environment.parsed_options, environment.conductor
    options.seconds = options.seconds or SECONDS.get(options.scenario, USUAL_SECONDS)
    options.rate = options.rate or USUAL_RATE
    options.users = environment.runner.target_user_count
    names = ("scenario", "loop", "payload", "batch", "seed")
    said = ("rate", "seconds", "warm_up", "peak")
    return Record(
        **{name: getattr(options, name) for name in names},
        arrivals=options.arrivals if options.loop == "open" else None,
        host=environment.host,
        connections=options.users,
        generators=len(conductor.workers()),
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        machine=machine.machine(),
        versions=machine.versions(),
        settings={name: getattr(options, name) for name in said},
        commit=machine.commit(),
    )


def judge(record: Record, asked: list[str]) -> Verdict:
    """Judge a record by its limits, and by what makes it worth judging."""
    bounds = [limits.parse(text) for text in asked or limits.DEFAULT]
    return Verdict(validity.invalid(record, bounds), limits.judge(record, bounds))


def find_max(conductor: Conductor, record: Record, options: Any) -> list[str]:
    """Look for the highest rate; return why what was found is not to be believed."""

    def judge_phase(phase: Phase) -> search.Judgement:
        one = Record(**{**vars(record), "phases": [phase], "usage": []})
        one.phases = [Phase(phase.name, phase.rate, phase.seconds, True, phase.slices)]
        verdict = judge(one, options.limit)
        return search.Judgement(all(k for *_, k in verdict.limits), verdict.invalid)

    looks = search.Search(conductor.play, judge_phase, options.seconds)
    windows = (looks.open if options.loop == "open" else looks.closed)(options.users)
    record.found = search.found(looks, windows, options.limit)
    broken = looks.limited_by_generator(windows[0].rate or 0.0)
    if not record.found["agree"]:
        broken.append(f"found windows that differ by more than {search.AGREE:.0%}")
    return broken


def end(environment: Any, record: Record) -> None:
    """Say what was found, and let Locust end."""
    options = environment.parsed_options
    environment.report = report.markdown(record)
    if options.output:
        for path in report.write(record, Path(options.output)):
            print(f"written: {path}", file=sys.stderr)
    environment.process_exit_code = record.verdict.code
    if options.headless:
        environment.runner.quit()
    else:
        environment.runner.stop()
