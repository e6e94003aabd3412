"""Two runs side by side: ``a`` is the base, ``b`` what is compared with it."""

import math
import re
from collections.abc import Callable, Iterator
from typing import Any

from load.record import Record
from load.report import words
from load.report.parts import Table
from load.report.results import PERCENTS
from load.report.text import escape, table

# What has to be the same in both runs, or their figures answer different questions.
SAME = {
    "payload": "payload",
    "batch": "images a request",
    "loop": "loop",
    "arrivals": "arrivals",
    "connections": "connections",
    "generators": "generator processes",
}
RATE = "highest rate"
Values = dict[str, float]


def compare(a: Record, b: Record) -> str:
    """Return in Markdown what keeps two runs from being compared, and their differences."""
    parts = [f"# Load test: {escape(a.scenario)} (a) and {escape(b.scenario)} (b)\n"]
    hindrances = list(incomparable(a, b))
    if hindrances:
        parts.append("**Not comparable**\n")
        parts.append("".join(f"- ⚠ {escape(why)}\n" for why in hindrances))
    for title, values in _GROUPS.items():
        x, y = values(a), values(b)
        rows = [_row(name, x, y) for name in dict.fromkeys([*x, *y])]
        if rows:
            parts.append(table(Table([title, "a", "b", "b - a", "b / a"], rows)))
    changes = [["started", a.started, b.started]]
    changes += _differences({"commit": a.commit}, {"commit": b.commit})
    changes += _differences(a.versions, b.versions) + _differences(a.settings, b.settings)
    parts.append(table(Table(["not the same", "a", "b"], changes, words=True)))
    parts.append(
        "One run each: two runs of the same differ too, and smaller differences are none.\n"
    )
    return "\n".join(parts)


def incomparable(a: Record, b: Record) -> Iterator[str]:
    """Yield the reasons for which two runs say nothing of each other."""
    for name, record in (("a", a), ("b", b)):
        for why in record.verdict.invalid:
            yield f"{name} is INVALID: {why}"
    x, y = ({title: getattr(r, name) for name, title in SAME.items()} for r in (a, b))
    x, y = {**x, "rate": _rates(a)}, {**y, "rate": _rates(b)}
    if a.found and b.found:  # the rates are then what was looked for
        del x["rate"], y["rate"]
    for name, left, right in _differences(x, y) + _differences(a.machine, b.machine):
        where = "machine's " if name in {**a.machine, **b.machine} else ""
        yield f"not the same {where}{name}: {left} in a, {right} in b"


def tolerance(text: str) -> float:
    """Read how much worse is good enough, such as ``10%``, as a share.

    Raises:
        ValueError: it is no percentage; says what was found and what is expected.
    """
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*%\s*", text)
    if not found:
        raise ValueError(f"found the tolerance {text!r}; expected a percentage such as 10%")
    return float(found[1]) / 100


def worse(a: Record, b: Record, share: float) -> list[str]:
    """Return in words what is worse in ``b`` than in ``a`` by more than a share.

    That is the p99, failures (where ``a`` has none, any), and the rate of right answers. Of
    two searches for the highest rate it is that rate in place of the p99.
    """
    x, y = _judged(a), _judged(b)
    if RATE in x and RATE in y:
        del x["p99"], y["p99"]
    found = []
    for name in [name for name in x if name in y]:
        least = name in (RATE, "right/s")
        good = (
            y[name] >= x[name] * (1 - share) if least else y[name] <= x[name] * (1 + share)
        )
        if not good:
            found.append(
                f"{name}: found {_number(y[name])}, expected {_number(x[name])} or at most "
                f"{100 * share:g} % worse"
            )
    return found


def code(a: Record, b: Record, share: float | None = None) -> int:
    """Return the exit code: 0; 1 if ``b`` is worse by more than the share; 3 if INVALID."""
    if a.verdict.invalid or b.verdict.invalid:
        return 3
    return 1 if share is not None and worse(a, b, share) else 0


def _judged(record: Record) -> Values:
    return _requests(record) | {"p99": _latency(record)["p99"]}


def _latency(record: Record) -> Values:
    tally = record.tally
    names = [f"p{percent:g}" for percent in PERCENTS]
    found = dict(zip(names, tally.latency.percentiles(PERCENTS)))
    found |= {"max": tally.latency.most, "mean": tally.latency.mean}
    if record.loop == "open":
        found["p99 from sending"] = tally.service.percentile(99)
    return found


def _requests(record: Record) -> Values:
    tally, seconds = record.tally, record.seconds or math.nan
    found = {"due/s" if record.loop == "open" else "sent/s": tally.due / seconds}
    found["right/s"] = tally.right / seconds
    found["failed, %"] = 100 * tally.failed / tally.due if tally.due else math.nan
    if record.found and record.found.get("rate") is not None:
        found[RATE] = record.found["rate"]
    return found


def _stages(record: Record) -> Values:
    return {name: histogram.mean for name, histogram in record.tally.stages.items()}


def _usage(record: Record) -> Values:
    found = {}
    for usage in record.usage:
        found[f"{usage.name}, cores"] = usage.cores
        found[f"{usage.name}, busiest process, cores"] = usage.busiest
        found[f"{usage.name}, memory, MiB"] = usage.memory_mib
    return found


_GROUPS: dict[str, Callable[[Record], Values]] = {
    "latency, ms": _latency,
    "requests": _requests,
    "stage, mean, ms": _stages,
    "processor and memory": _usage,
}


def _row(name: str, a: Values, b: Values) -> list[str]:
    x, y = a.get(name, math.nan), b.get(name, math.nan)
    ratio = y / x if x else math.nan
    return [name, _number(x), _number(y), _number(y - x, "+"), _number(ratio)]


def _number(value: float, sign: str = "") -> str:
    """Return two decimals, or three digits of what is less than 0.1."""
    if math.isnan(value):
        return words.NOTHING
    return f"{value:{sign},.2f}" if abs(value) >= 0.1 or not value else f"{value:{sign}.3g}"


def _rates(record: Record) -> str:
    return ", ".join(f"{words.rate(phase.rate)}/s" for phase in record.counted)


def _differences(a: dict[str, Any], b: dict[str, Any]) -> list[list[str]]:
    """Return the keys whose values differ, with both as text."""
    return [
        [key, words.plain(a.get(key)), words.plain(b.get(key))]
        for key in dict.fromkeys([*a, *b])
        if a.get(key) != b.get(key)
    ]
