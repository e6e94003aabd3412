"""The report as one page of HTML that needs nothing else."""

import math
from pathlib import Path

from load.record import Record
from load.report import words
from load.report.sections import sections


def html(record: Record) -> str:
    """Return the report of a run as a page: no script, no request, light and dark."""
    import jinja2  # not where only limits are read or records compared

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html").render(
        record=record,
        verdict=words.verdict(record),
        state={0: "kept", 1: "broken", 3: "invalid"}[record.verdict.code],
        asked=words.asked(record),
        tiles=_tiles(record),
        sections=sections(record),
    )


def _tiles(record: Record) -> list[tuple[str, str, str]]:
    """Return name, number and unit of what is looked at first: of the worst phase."""
    tallies = [(phase, phase.tally) for phase in record.counted]
    if not tallies:
        return []
    phase, tally = max(tallies, key=lambda each: _order(each[1].latency.percentile(99)))
    where = f", {phase.name}" if len(tallies) > 1 else ""
    times = zip(("p50", "p99", "p99.9"), tally.latency.percentiles([50, 99, 99.9]))
    tiles = [(name + where, words.ms(found), "ms") for name, found in times]
    if record.found and record.found.get("rate") is not None:
        tiles.insert(0, ("highest rate", words.rate(record.found["rate"]), "/s"))
    number, _, share = words.failed(record.tally).partition(" ")
    right = words.rate(tally.right / phase.seconds) if phase.seconds else words.NOTHING
    return [*tiles, ("right" + where, right, "/s"), ("failed", number, share.strip("()"))]


def _order(p99: float) -> float:
    return math.inf if math.isnan(p99) else p99
