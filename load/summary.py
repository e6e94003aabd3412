"""A run on the terminal: plain text, the verdict first."""

import math
import textwrap
from collections.abc import Iterator

from load.record import Phase, Record, Tally

PERCENTS = (50, 90, 95, 99, 99.9)
WIDTH = 96
MARKS = {True: "✓", False: "✗"}
NOTHING = "–"


def summary(record: Record) -> str:
    """Return what a terminal has room for: the verdict, the reasons, the latencies."""
    return "\n".join(
        ["", *_heading(record), "", *_latencies(record), *_failures(record), ""]
    )


def verdict(record: Record) -> str:
    """Return the verdict in a line."""
    if record.verdict.invalid:
        return "INVALID: these figures are not to be believed"
    limits = record.verdict.limits
    broken = sum(not kept for _, _, kept in limits)
    if broken:
        return f"{broken} of {len(limits)} limits broken"
    return "Every limit kept" if len(limits) != 1 else "The limit was kept"


def table(rows: list[list[str]]) -> list[str]:
    """Return rows as aligned lines: the first column is text, the others are numbers."""
    widths = [max(map(len, column)) for column in zip(*rows)]
    return [
        "  ".join(
            [row[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(row[1:], widths[1:]))]
        ).rstrip()
        for row in rows
    ]


def milliseconds(value: float | None) -> str:
    """Return ``1,234.50``; a dash if there is no such number."""
    return NOTHING if value is None or math.isnan(value) else f"{value:,.2f}"


def _heading(record: Record) -> Iterator[str]:
    yield f"{record.scenario}: {verdict(record)}"
    for why in record.verdict.invalid:
        yield from textwrap.wrap(f"  ! {why}", WIDTH, subsequent_indent="    ")
    for limit, seen, kept in record.verdict.limits:
        yield f"  {MARKS[kept]} {limit}: {seen}"
    if record.found:
        rate = record.found.get("rate")
        yield f"  Highest rate: {NOTHING if rate is None else f'{rate:,.0f}'} requests/s"
    loop = (
        f"open loop, {record.arrivals} arrivals, {record.connections:,} connections"
        if record.loop == "open"
        else f"closed loop, {record.connections:,} users"
    )
    images = "1 image" if record.batch == 1 else f"{record.batch:g} images"
    asked = f"{record.payload}; {images} a request; {loop}; {record.seconds:,.4g} s"
    yield from textwrap.wrap(asked, WIDTH, initial_indent="  ", subsequent_indent="  ")


def _latencies(record: Record) -> list[str]:
    names = [f"p{percent:g}" for percent in PERCENTS]
    head = ["latency, ms", *names, "max", "right/s", "failed"]
    rows = [head]
    for phase in record.phases if not record.found else record.counted:
        rows.append(_row(phase.name + ("" if phase.counted else " (not judged)"), phase))
    if record.loop == "open" and len(record.counted) == 1:
        (phase,) = record.counted
        rows.append(_row("the same, from sending", phase, sent=True))
    return table(rows)


def _row(name: str, phase: Phase, sent: bool = False) -> list[str]:
    tally: Tally = phase.tally
    histogram = tally.service if sent else tally.latency
    times = [*histogram.percentiles(PERCENTS), histogram.most]
    rate = tally.right / phase.seconds if phase.seconds else math.nan
    counts = [NOTHING if math.isnan(rate) else f"{rate:,.1f}", f"{tally.failed:,}"]
    return [name, *map(milliseconds, times), *(["", ""] if sent else counts)]


def _failures(record: Record) -> list[str]:
    failures = record.tally.failures.most_common(5)
    return [f"  failed: {reason} ({count:,})" for reason, count in failures]
