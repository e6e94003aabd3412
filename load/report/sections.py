"""All parts of a report, in their order."""

from load.record import Record, total
from load.report import context, results, timeline
from load.report.parts import Section


def sections(record: Record) -> list[Section]:
    """Return all parts that a record has something for, the most wanted first."""
    tallies = [(phase, phase.tally) for phase in record.phases]
    whole = total(tally for phase, tally in tallies if phase.counted)
    shown = timeline.figure(record)
    made = [
        results.found(record),
        results.latency(record, whole),
        results.throughput(record, tallies, whole),
        results.phases(record, tallies),
        Section("Time line", figures=[shown]) if shown else None,
        context.stages(whole),
        context.usage(record),
        context.asked(record),
        context.environment(record),
    ]
    return [section for section in made if section is not None]
