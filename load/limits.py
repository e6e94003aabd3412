"""Limits as code: ``p99<10ms``, ``errors<0.1%``, ``rate>=950/s``."""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

from load.record import Phase, Record, Tally

# What a caller who names none would want to hear of: any failure, and an answer that
# takes longer than what people take for at once (0.1 s).
DEFAULT = ("errors<=0", "p99<100ms")

# Which is judged too where only others are named: a refusal is quick.
ERRORS = DEFAULT[0]
WHATS = ("p", "max", "mean", "errors", "rate")
MS = {"µs": 1e-3, "μs": 1e-3, "us": 1e-3, "ms": 1.0, "s": 1e3}  # both signs for micro
UNITS = {"errors": {"%": 1.0}, "rate": {"/s": 1.0}}  # of all others MS
FORM = re.compile(
    r"\s*(?P<what>[a-z]+)(?P<percent>\d+(?:\.\d+)?)?\s*(?P<sign>[<>]=?)"
    r"\s*(?P<bound>\d+(?:\.\d+)?)\s*(?P<unit>[a-zµμ%/]*)\s*"
)
EXAMPLE = (
    "such as p99<10ms, p99.9<=0.5s, max<100ms, mean<5ms, errors<0.1%, errors<=0 or "
    "rate>=950/s"
)


class LimitError(ValueError):
    """A text is no limit."""


@dataclass(frozen=True)
class Limit:
    """A bound that each phase that is judged must keep.

    Attributes:
        text: as it was written.
        what: ``p``, ``max``, ``mean``, ``errors`` or ``rate``.
        percent: of a percentile; else None.
        sign: ``<``, ``<=``, ``>`` or ``>=``.
        bound: in ms, in percent of the requests, or in right answers a second.
    """

    text: str
    what: str
    percent: float | None
    sign: str
    bound: float

    @property
    def is_latency(self) -> bool:
        """Whether it bounds a latency, as ``p``, ``max`` and ``mean`` do."""
        return self.what not in UNITS

    def value(self, tally: Tally, seconds: float) -> float:
        """Return what is bounded; NaN if nothing was seen of it."""
        if self.what == "errors":
            return 100 * tally.failed / tally.due if tally.due else math.nan
        if self.what == "rate":
            return tally.right / seconds if seconds else math.nan
        if self.percent is not None:
            return tally.latency.percentile(self.percent)
        return tally.latency.most if self.what == "max" else tally.latency.mean

    def keeps(self, value: float) -> bool:
        """Say whether a value is inside. NaN is not."""
        return {
            "<": value < self.bound,
            "<=": value <= self.bound,
            ">": value > self.bound,
            ">=": value >= self.bound,
        }[self.sign]

    def judge(self, tallies: list[tuple[Phase, Tally]]) -> tuple[str, str, bool]:
        """Return the limit, the worst that was seen of it, and whether it was kept.

        Where each phase keeps it, all phases together do too.
        """
        if not tallies:
            return self.text, "nothing was judged", False
        found = [(self.value(t, phase.seconds), phase, t) for phase, t in tallies]
        upper = self.sign.startswith("<")
        value, phase, tally = max(
            found, key=lambda f: (math.isnan(f[0]), f[0] if upper else -f[0])
        )
        where = f" in {phase.name}" if len(found) > 1 else ""
        return self.text, self._show(value, tally) + where, self.keeps(value)

    def _show(self, value: float, tally: Tally) -> str:
        if math.isnan(value):
            return "nothing"
        if self.what == "errors":
            return f"{value:.3g} % ({tally.failed:,} of {tally.due:,})"
        return f"{value:,.1f}/s" if self.what == "rate" else f"{value:,.2f} ms"


def parse(text: str) -> Limit:
    """Read a limit.

    Raises:
        LimitError: it is none; says what was found and what is expected.
    """
    found = FORM.fullmatch(text)
    if not found or found["what"] not in WHATS:
        raise LimitError(f"found the limit {text!r}; expected one {EXAMPLE}")
    what, percent = found["what"], float(found["percent"] or "nan")
    if (what == "p") != (0 < percent < 100):
        raise LimitError(
            f"found {what}{found['percent'] or ''} in the limit {text!r}; expected p with "
            f"a percentage above 0 and below 100, or {', '.join(WHATS[1:])}, {EXAMPLE}"
        )
    _check_sign(text, what, found["sign"])
    scale = _scale(text, what, found["unit"], float(found["bound"]))
    bound = float(found["bound"]) * scale
    return Limit(text.strip(), what, percent if what == "p" else None, found["sign"], bound)


def _check_sign(text: str, what: str, sign: str) -> None:
    expected = ">" if what == "rate" else "<"
    if sign[0] != expected:
        raise LimitError(
            f"found {sign} in the limit {text!r}; expected {expected} or {expected}= for "
            f"{what}, {EXAMPLE}"
        )


def _scale(text: str, what: str, unit: str, bound: float) -> float:
    units = UNITS.get(what, MS)
    if what == "errors" and not unit and not bound:
        return 1.0  # no error is none in any unit
    if unit not in units:
        raise LimitError(
            f"found {'the unit ' + unit if unit else 'no unit'} in the limit {text!r}; "
            f"expected {', '.join(units)} for {what}, {EXAMPLE}"
        )
    return units[unit]


def complete(texts: list[str]) -> list[str]:
    """Return the limits to judge by: the defaults for none, and always one of errors."""
    if not texts:
        return list(DEFAULT)
    named = any(parse(text).what == "errors" for text in texts)
    return texts if named else [*texts, ERRORS]


def judge(record: Record, limits: Iterable[Limit]) -> list[tuple[str, str, bool]]:
    """Return for ``Verdict.limits`` what became of each limit.

    A limit has to hold in each phase that is judged; where it has been seen at its worst is
    named if there are several.
    """
    tallies = [(phase, phase.tally) for phase in record.counted]
    return [limit.judge(tallies) for limit in limits]
