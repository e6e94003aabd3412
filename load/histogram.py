"""Latencies as a histogram that is exact to 10 µs and that is merged by adding."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping

# Locust's own statistics round to whole milliseconds, and above 100 ms to two digits.
UNIT_S = 1e-5
PER_MS = round(1e-3 / UNIT_S)


class Histogram:
    """How often each latency was seen, in units of 10 µs.

    Only units that were seen take memory: some thousand of them in a run of hours, since
    latencies repeat.

    Attributes:
        counts: how often, by the latency in units, rounded to the nearest.
    """

    def __init__(self, counts: Mapping[int, int] | None = None) -> None:
        self.counts: Counter[int] = Counter(counts or {})

    def add(self, seconds: float) -> None:
        """Count a latency, in seconds."""
        self.counts[round(seconds / UNIT_S)] += 1

    def merge(self, other: "Histogram") -> None:
        """Add what another has counted."""
        self.counts.update(other.counts)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Histogram) and self.counts == other.counts

    def __len__(self) -> int:
        return self.counts.total()

    def percentile(self, percent: float) -> float:
        """Return the least latency that so many percent do not exceed, in ms.

        The nearest rank: a latency that was seen, and not one between two. NaN if none was.
        """
        (found,) = self.percentiles([percent])
        return found

    def percentiles(self, percents: Iterable[float]) -> list[float]:
        """Return several, in ms, of percents that rise."""
        total, seen, found = len(self), 0, []
        units = iter(sorted(self.counts.items()))
        unit = math.nan
        for percent in percents:
            # The product is rounded: 100 * 0.29 is a little more than 29.
            rank = max(math.ceil(round(total * percent / 100, 6)), 1)
            while seen < rank:
                unit, count = next(units, (math.nan, total + 1))
                seen += count
            found.append(unit / PER_MS)
        return found

    @property
    def mean(self) -> float:
        """The mean, in ms; NaN if nothing was counted."""
        total = len(self)
        units = sum(unit * count for unit, count in self.counts.items())
        return units / total / PER_MS if total else math.nan

    @property
    def most(self) -> float:
        """The greatest, in ms; NaN if nothing was counted."""
        return max(self.counts) / PER_MS if self.counts else math.nan

    def as_list(self) -> list[list[int]]:
        """Return it for JSON: pairs of latency, in units of 10 µs, and count, in order."""
        return [list(pair) for pair in sorted(self.counts.items())]

    @classmethod
    def from_list(cls, pairs: Iterable[Iterable[int]]) -> "Histogram":
        """Return what :meth:`as_list` has returned."""
        return cls(dict(pairs))  # type: ignore[arg-type]  # of two each
