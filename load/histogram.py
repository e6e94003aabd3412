"""Latencies as a histogram that is exact to 10 µs and that is merged by adding."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Self

CONFIDENCE = 0.95


class Histogram:
    """How often each latency was seen, in units of 10 µs.

    Only units that were seen take memory: some thousand of them in a run of hours, since
    latencies repeat.

    Attributes:
        counts: how often, by the latency in units, rounded to the nearest.
        per_ms: units in a millisecond.
    """

    # Locust's own statistics round to whole milliseconds, and above 100 ms to two digits.
    per_ms = 100

    def __init__(self, counts: Mapping[int, int] | None = None) -> None:
        self.counts: Counter[int] = Counter(counts or {})

    def add(self, seconds: float) -> None:
        """Count a latency, in seconds."""
        self.counts[round(seconds * 1000 * self.per_ms)] += 1

    def merge(self, other: "Histogram") -> None:
        """Add what another has counted.

        Raises:
            ValueError: it counts in other units.
        """
        if other.per_ms != self.per_ms:
            raise ValueError(
                f"found a histogram of {other.per_ms} units a millisecond; expected one of "
                f"{self.per_ms}, as {type(self).__name__} has"
            )
        self.counts.update(other.counts)

    def __eq__(self, other: object) -> bool:
        """Say whether the counts, and their units, are the same."""
        return type(other) is type(self) and self.counts == other.counts

    def __len__(self) -> int:
        """How many were counted."""
        return self.counts.total()

    def percentile(self, percent: float) -> float:
        """Return the least latency that so many percent do not exceed, in ms.

        The nearest rank: a latency that was seen, and not one between two. NaN if none was.
        """
        (found,) = self.percentiles([percent])
        return found

    def percentiles(self, percents: Iterable[float]) -> list[float]:
        """Return several, in ms, of percents that rise."""
        return [unit / self.per_ms for unit, _ in self._ranks(percents)]

    def interval(self, percent: float) -> tuple[float, float]:
        """Return between which bounds, in ms, the true percentile is, with 95 % confidence.

        The order-statistics interval: how many of ``n`` independent latencies are below the
        true percentile is binomial, whatever their distribution, so the percentile is
        between the latencies of the ranks that leave out 2.5 % of it on each side. A bound
        that is beyond all that was seen is 0 or infinite. Queues make latencies alike that
        follow each other, so the true interval is rather wider.
        """
        below, above = binomial(len(self), percent / 100, CONFIDENCE)
        ranks = iter(self._at([max(below, 1), min(above + 1, len(self))]))
        low, high = (unit / self.per_ms for unit in ranks)
        return (low if below else 0.0), (high if above < len(self) else math.inf)

    def _at(self, ranks: Iterable[int]) -> Iterator[float]:
        """Yield the latency, in units, at each of some ranks that rise."""
        units = iter(sorted(self.counts.items()))
        unit, seen = math.nan, 0
        for rank in ranks:
            while seen < rank:
                unit, count = next(units, (math.nan, rank))
                seen += count
            yield unit

    def _ranks(self, percents: Iterable[float]) -> Iterator[tuple[float, int]]:
        """Yield latency, in units, and rank of each of some percents that rise."""
        # The product is rounded: 100 * 0.29 is a little more than 29.
        total = len(self)
        ranks = [max(math.ceil(round(total * p / 100, 6)), 1) for p in percents]
        yield from zip(self._at(ranks), ranks)

    @property
    def mean(self) -> float:
        """The mean, in ms; NaN if nothing was counted."""
        total = len(self)
        units = sum(unit * count for unit, count in self.counts.items())
        return units / total / self.per_ms if total else math.nan

    @property
    def most(self) -> float:
        """The greatest, in ms; NaN if nothing was counted."""
        return max(self.counts) / self.per_ms if self.counts else math.nan

    def thin(self, percents: Iterable[float]) -> Self:
        """Return one of a few pairs, with the same count and the same such percentiles.

        Each latency is counted as the least of those percentiles that it does not exceed.
        """
        thinned, below = type(self)(), 0
        for unit, rank in self._ranks([*percents, 100]) if self.counts else ():
            thinned.counts[int(unit)] += rank - below
            below = rank
        return thinned

    def as_list(self) -> list[list[int]]:
        """Return it for JSON: pairs of latency, in units, and count, in order."""
        return [list(pair) for pair in sorted(self.counts.items())]

    @classmethod
    def from_list(cls, pairs: Iterable[Iterable[int]]) -> Self:
        """Return what :meth:`as_list` has returned."""
        return cls(dict(pairs))  # type: ignore[arg-type]  # of two each


class Fine(Histogram):
    """One in units of 1 µs, for the server's stages: some take a few of them."""

    per_ms = 1000


def binomial(count: int, share: float, confidence: float) -> tuple[int, int]:
    """Return between which numbers of successes a share of the probability is, centred.

    Each side leaves out at most half of the rest. Exact: the probabilities are summed over
    the ten standard deviations about the mean that hold all but 1e-20 of them.
    """
    spread = 10 * math.sqrt(count * share * (1 - share)) + 10
    first = max(math.floor(count * share - spread), 0)
    last = min(math.ceil(count * share + spread), count)
    outside, sum_ = (1 - confidence) / 2, 0.0
    below = above = first
    for successes in range(first, last + 1):
        sum_ += math.exp(
            math.lgamma(count + 1)
            - math.lgamma(successes + 1)
            - math.lgamma(count - successes + 1)
            + successes * math.log(share)
            + (count - successes) * math.log1p(-share)
        )
        if sum_ <= outside:
            below = successes + 1
        if sum_ <= 1 - outside:
            above = successes + 1
    return below, above
