"""A run on the terminal: plain text, the verdict first."""

import math
import textwrap
from collections.abc import Iterator

from load.record import Phase, Record
from load.report.text import printable
from load.report.words import KEPT, NOTHING, asked, ms, verdict

PERCENTS = (50, 90, 95, 99, 99.9)
WIDTH = 96


def summary(record: Record) -> str:
    """Return what a terminal has room for: the verdict, the reasons, the latencies."""
    failures = record.tally.failures.most_common(5)
    lines = ["", *_heading(record), "", *_latencies(record)]
    lines += [f"  failed: {printable(reason)} ({count:,})" for reason, count in failures]
    return "\n".join([*lines, ""])


def table(rows: list[list[str]]) -> list[str]:
    """Return rows as aligned lines: the first column is text, the others are numbers."""
    clean = [[printable(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*clean)]
    return [
        "  ".join(
            [row[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(row[1:], widths[1:]))]
        ).rstrip()
        for row in clean
    ]


def _heading(record: Record) -> Iterator[str]:
    yield f"{record.scenario}: {verdict(record)}"
    for why in record.verdict.invalid:
        yield from textwrap.wrap(f"  ! {printable(why)}", WIDTH, subsequent_indent="    ")
    for limit, seen, kept in record.verdict.limits:
        yield f"  {KEPT[kept]} {limit}: {seen}"
    if record.found:
        rate = record.found.get("rate")
        yield f"  Highest rate: {NOTHING if rate is None else f'{rate:,.0f}'} requests/s"
    yield from textwrap.wrap(
        printable(asked(record)), WIDTH, initial_indent="  ", subsequent_indent="  "
    )


def _latencies(record: Record) -> list[str]:
    names = [f"p{percent:g}" for percent in PERCENTS]
    rows = [["latency, ms", *names, "max", "right/s", "failed"]]
    for phase in record.counted if record.found else record.phases:
        rows.append(_row(phase.name + ("" if phase.counted else " (not judged)"), phase))
    if record.loop == "open" and len(record.counted) == 1:
        rows.append(_row("the same, from sending", record.counted[0], sent=True))
    return table(rows)


def _row(name: str, phase: Phase, sent: bool = False) -> list[str]:
    tally = phase.tally
    histogram = tally.service if sent else tally.latency
    times = [*histogram.percentiles(PERCENTS), histogram.most]
    rate = tally.right / phase.seconds if phase.seconds else math.nan
    counts = ["", ""] if sent else [f"{rate:,.1f}", f"{tally.failed:,}"]
    return [name, *map(ms, times), *counts]
