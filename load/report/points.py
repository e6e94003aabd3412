"""The points of the charts."""

import math
from typing import NamedTuple

from load.histogram import Histogram
from load.record import Record, Slice

PER_DECADE = 20  # points of the distribution for each further 9 of 99.9 %
MOST_POINTS = 280  # of the time line: two screen pixels each


class Point(NamedTuple):
    """A point of the time line: seconds, rates a second, and the worst latencies in ms."""

    at: float
    due: float
    right: float
    failed: float
    p50: float
    p99: float


def by_rate(record: Record) -> list[tuple[float, float, float]]:
    """Return rate, p50 and p99 of each valid trial of a search, or of each judged phase.

    A trial has no p50 (NaN).
    """
    trials = (record.found or {}).get("trials")
    if trials:
        return sorted(
            (each["rate"], math.nan, math.nan if each["p99_ms"] is None else each["p99_ms"])
            for each in trials
            if not each["invalid"]
        )
    found = []
    for phase in record.counted:
        if phase.seconds:
            p50, p99 = phase.tally.latency.percentiles([50, 99])
            found.append((phase.tally.right / phase.seconds, p50, p99))
    return sorted(found)


def by_percentile(histogram: Histogram) -> list[tuple[float, float]]:
    """Return latencies by 1 / (1 - q), where q is the share of faster requests."""
    total = len(histogram)
    steps = [10 ** (i / PER_DECADE) for i in range(int(PER_DECADE * math.log10(total)) + 1)]
    found = histogram.percentiles(100 * (1 - 1 / step) for step in steps)
    return [*zip(steps, found), (float(total), histogram.most)]


def by_time(record: Record) -> tuple[list[Point], int]:
    """Return at most 280 points of all phases, and how many slices make one."""
    slices = sum(len(phase.slices) for phase in record.phases)
    group = max(1, math.ceil(slices / MOST_POINTS))
    points, start = [], 0.0
    for phase in record.phases:
        for i in range(0, len(phase.slices), group):
            points.append(_point(phase.slices[i : i + group], start))
        start += phase.seconds
    return points, group


def _point(slices: list[Slice], start: float) -> Point:
    seconds = sum(part.seconds for part in slices) or 1.0
    tallies = [part.tally for part in slices]
    both = [t.latency.percentiles([50, 99]) for t in tallies if t.latency.counts]
    return Point(
        start + slices[0].at + seconds / 2,
        sum(tally.due for tally in tallies) / seconds,
        sum(tally.right for tally in tallies) / seconds,
        sum(tally.failed for tally in tallies) / seconds,
        max((p50 for p50, _ in both), default=math.nan),
        max((p99 for _, p99 in both), default=math.nan),
    )
