"""A record as a page of HTML, and as Markdown."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from load.record import Record, total
from load.report import context, results, text, words
from load.report.parts import Section

if TYPE_CHECKING:
    import jinja2


def html(record: Record) -> str:
    """Return the report of a run as a page: no script, no request, light and dark."""
    from load.report import charts  # Matplotlib, which takes a second to import

    return _template("page.html", autoescape=True).render(
        _context(record),
        state={0: "kept", 1: "broken", 3: "invalid"}[record.verdict.code],
        tiles=_tiles(record),
        figures=charts.figures(record),
    )


def markdown(record: Record) -> str:
    """Return the report of a run in Markdown, without its figures."""
    template = _template("report.md.j2", clean=text.escape, table=text.table)
    return template.render(_context(record))


def sections(record: Record) -> list[Section]:
    """Return the sections that a record has data for."""
    whole = total(phase.tally for phase in record.counted)
    slices = sum(len(phase.slices) for phase in record.phases)
    made = [
        results.found(record),
        results.latency(record, whole),
        results.throughput(record, whole),
        results.phases(record),
        Section("Time line") if slices > 1 else None,
        context.stages(whole),
        context.usage(record),
        context.asked(record),
        context.environment(record),
    ]
    return [section for section in made if section is not None]


def _context(record: Record) -> dict[str, Any]:
    return {
        "record": record,
        "verdict": words.verdict(record),
        "asked": words.asked(record),
        "sections": sections(record),
    }


def _template(
    name: str, autoescape: bool = False, **filters: Callable[..., str]
) -> "jinja2.Template":
    import jinja2  # not where only limits are read or records compared

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=autoescape,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= filters
    return environment.get_template(name)


def _tiles(record: Record) -> list[tuple[str, str, str]]:
    """Return the worst phase's key figures: name, number and unit."""
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
