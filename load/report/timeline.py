"""The figure of what became of requests over the run."""

import math

from load.record import Record, Slice
from load.report.chart import Chart, Line
from load.report.figures import MS, Figure, rules, tick
from load.report.scale import Axis

MOST_POINTS = 280  # two of the chart's units each
MINUTES_FROM = 600  # seconds


def figure(record: Record) -> Figure | None:
    """Draw rate, latency and failures over the run; None where there are no two slices."""
    parts = sum(len(phase.slices) for phase in record.phases)
    if parts < 2:
        return None
    group = math.ceil(parts / MOST_POINTS)
    whole = sum(phase.seconds for phase in record.phases)
    unit, seconds = ("minutes", 60) if whole >= MINUTES_FROM else ("seconds", 1)
    points, bands, start = [], [], 0.0
    for phase in record.phases:
        for i in range(0, len(phase.slices), group):
            points.append(_point(phase.slices[i : i + group], start, seconds))
        end = start + phase.seconds
        bands.append((start / seconds, end / seconds, phase.name, phase.counted))
        start = end
    x = Axis(unit, low=0, high=whole / seconds)
    charts = _panels(record, points, x, bands if len(bands) > 1 else [])
    each = f"the worst latency of each {group} slices" if group > 1 else "each slice"
    length = record.phases[-1].slices[0].seconds if record.phases[-1].slices else 1
    when = "due" if record.loop == "open" else "sent"
    caption = f"By when the requests were {when}: {each} of {length:g} s. Grey: not judged."
    return Figure("Rate and latency over the run", charts, caption)


def _point(slices: list[Slice], start: float, unit: float) -> dict[str, float]:
    """Put some slices into a point: rates over all of them, latencies at their worst."""
    seconds = sum(part.seconds for part in slices) or 1.0
    tallies = [part.tally for part in slices]
    both = [
        tally.latency.percentiles([50, 99]) for tally in tallies if tally.latency.counts
    ]
    return {
        "x": (start + slices[0].at + seconds / 2) / unit,
        "due": sum(tally.due for tally in tallies) / seconds,
        "right": sum(tally.right for tally in tallies) / seconds,
        "failed": sum(tally.failed for tally in tallies) / seconds,
        "p50": max((p50 for p50, _ in both), default=math.nan),
        "p99": max((p99 for _, p99 in both), default=math.nan),
    }


def _panels(
    record: Record,
    points: list[dict[str, float]],
    x: Axis,
    bands: list[tuple[float, float, str, bool]],
) -> list[Chart]:
    def line(name: str, title: str, bars: bool = False) -> Line:
        return Line(name, title, [(p["x"], p[name]) for p in points], bars=bars)

    rates = [line("due", "due")] if record.loop == "open" else []
    rates.append(line("right", "answered right"))
    y = Axis("requests/s", low=0, grow=True)
    charts = [Chart("Rate over time", x, y, rates, bands=bands)]
    y = Axis(MS, log=True, grow=True, show=tick)
    both = [line("p50", "p50"), line("p99", "p99")]
    charts.append(Chart("Latency over time", x, y, both, rules=rules(record), bands=bands))
    if any(p["failed"] for p in points):
        y, bars = Axis("failures/s", low=0, grow=True), [line("failed", "failed", True)]
        charts.append(Chart("Failures over time", x, y, bars, bands=bands))
    return charts
