"""Axes: their ends, where their ticks are, and where a value is on them."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

STEPS = (1, 2, 5)
MOST_TICKS = 7  # of a linear axis: more crowd a narrow screen


@dataclass
class Axis:
    """What an axis shows.

    Attributes:
        label: its quantity and unit.
        log: whether it is logarithmic: then what is not positive is shown at its low end.
        low, high: its ends; where they are None they are what is shown.
        grow: whether its ends are moved outwards to round numbers.
        marks: where its ticks are; round numbers if None.
        show: returns the text of a tick.
    """

    label: str
    log: bool = False
    low: float | None = None
    high: float | None = None
    grow: bool = False
    marks: Sequence[float] | None = None
    show: Callable[[float], str] = "{:,.6g}".format

    def fit(self, values: Iterable[float]) -> "Scale":
        """Return the scale that these values need."""
        seen = [v for v in values if math.isfinite(v) and (v > 0 or not self.log)] or [1.0]
        low = min(seen) if self.low is None else self.low
        high = max(seen) if self.high is None else self.high
        if high <= low:  # one value only: leave room around it
            low, high = (low / 2, low * 2) if self.log else (min(low, 0.0), low + 1.0)
        ticks = _decades(low, high) if self.log else _steps(low, high)
        if self.grow:
            low, high = min(low, ticks[0]), max(high, ticks[-1])
        marks = ticks if self.marks is None else self.marks
        return Scale(low, high, self.log, [mark for mark in marks if low <= mark <= high])


@dataclass
class Scale:
    """An axis that is fitted: its ends and ticks."""

    low: float
    high: float
    log: bool
    ticks: list[float]

    def place(self, value: float) -> float:
        """Return where a value is: 0 at the low end, 1 at the high one, never beyond."""
        low, high = self.low, self.high
        if self.log:
            low, high, value = math.log(low), math.log(high), math.log(max(value, low))
        return min(max((value - low) / (high - low), 0.0), 1.0)


def _steps(low: float, high: float) -> list[float]:
    """Return multiples of 1, 2 or 5 times a power of ten, around the ends."""
    least = (high - low) / (MOST_TICKS - 1)
    power = 10.0 ** math.floor(math.log10(least))
    step = next(power * s for s in (*STEPS, 10) if power * s >= least * (1 - 1e-9))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(step * i, 12) for i in range(first, last + 1)]


def _decades(low: float, high: float) -> list[float]:
    """Return 1, 2 and 5 times each power of ten, around the ends; of many, the powers."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    fine = [round(s * 10.0**p, 12) for p in range(first, last + 1) for s in STEPS]
    below = max((i for i, tick in enumerate(fine) if tick <= low * (1 + 1e-9)), default=0)
    above = min(
        (i for i, t in enumerate(fine) if t >= high * (1 - 1e-9)), default=len(fine)
    )
    ticks = fine[below : above + 1]
    if len(ticks) <= MOST_TICKS:
        return ticks
    return [round(10.0**p, 12) for p in range(first, last + 1)]
