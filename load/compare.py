"""Two runs side by side: ``a`` is the base, ``b`` what is compared with it."""

import argparse
import json
import math
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from load.record import Record
from load.report.text import printable
from load.report.words import NOTHING, plain
from load.summary import PERCENTS, table

RATE, FAILED = "highest rate", "failed, %"
Values = dict[str, float]
# What has to be the same in both runs, or their figures answer different questions.
SAME = {
    "payload": "payload",
    "batch": "images a request",
    "loop": "loop",
    "arrivals": "arrivals",
    "connections": "connections",
    "generators": "generator processes",
}


def compare(a: Record, b: Record) -> str:
    """Return in plain text what keeps two runs from being compared, and the differences."""
    parts = [[f"{a.scenario} (a) and {b.scenario} (b)"]]
    if hindrances := list(incomparable(a, b)):
        parts.append(["Not comparable:", *(f"  ! {printable(why)}" for why in hindrances)])
    for title, values in _GROUPS.items():
        x, y = values(a), values(b)
        rows = [_row(name, x, y) for name in dict.fromkeys([*x, *y])]
        if rows:
            parts.append(table([[title, "a", "b", "b - a", "b / a"], *rows]))
    left, right = (
        {"started": r.started, "commit": r.commit, **r.versions, **r.settings}
        for r in (a, b)
    )
    if changes := differences(left, right):
        parts.append(table([["not the same", "a", "b"], *changes]))
    parts.append(
        ["One run each: two runs of the same differ too, and smaller differences are none."]
    )
    return "\n\n".join("\n".join(lines) for lines in parts) + "\n"


def incomparable(a: Record, b: Record) -> Iterator[str]:
    """Yield the reasons for which two runs say nothing of each other."""
    for name, record in (("a", a), ("b", b)):
        for why in record.verdict.invalid:
            yield f"{name} is INVALID: {why}"
    x, y = ({title: getattr(r, name) for name, title in SAME.items()} for r in (a, b))
    x, y = {**x, "rate": _rates(a)}, {**y, "rate": _rates(b)}
    if a.found and b.found:  # the rates are then what was looked for
        del x["rate"], y["rate"]
    for name, left, right in differences(x, y) + differences(a.machine, b.machine):
        where = "machine's " if name in {**a.machine, **b.machine} else ""
        yield f"not the same {where}{name}: {left} in a, {right} in b"


def differences(a: dict[str, Any], b: dict[str, Any]) -> list[list[str]]:
    """Return the keys whose values differ, with both as text."""
    return [
        [key, plain(a.get(key)), plain(b.get(key))]
        for key in dict.fromkeys([*a, *b])
        if a.get(key) != b.get(key)
    ]


def _rates(record: Record) -> str:
    rates = (phase.rate for phase in record.counted)
    return ", ".join(NOTHING if rate is None else f"{rate:,.6g}/s" for rate in rates)


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

    That is the p99, the share of failures (where ``a`` has none, any), and the rate of
    right answers. Of two searches it is failures and the highest rate that was found.
    """
    x, y = _judged(a), _judged(b)
    found = []
    for name in [name for name in x if name in y]:
        more = name in ("p99", FAILED)  # is worse
        good = (
            y[name] <= x[name] * (1 + share) if more else y[name] >= x[name] * (1 - share)
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


def main(arguments: list[str]) -> int:
    """Print the comparison of two reports in JSON, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m load compare")
    parser.add_argument("a", type=_read, help="report in JSON of the run before")
    parser.add_argument("b", type=_read, help="report in JSON of the run after")
    parser.add_argument(
        "--worse",
        type=_tolerance,
        metavar="PERCENT",
        help="end with 1 if p99, failures or rate of b are worse by more, such as 10%%",
    )
    asked = parser.parse_args(arguments)
    print(compare(asked.a, asked.b), end="")
    if asked.worse is not None:
        for text in worse(asked.a, asked.b, asked.worse):
            print(f"✗ {text}", file=sys.stderr)
    return code(asked.a, asked.b, asked.worse)


def _read(path: str) -> Record:
    try:
        return Record.from_dict(json.loads(Path(path).read_bytes()))
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{path}: {error.strerror}") from error
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise argparse.ArgumentTypeError(
            f"found in {path} no record of a run ({error!r}); expected a report in JSON"
        ) from error


def _tolerance(text: str) -> float:
    try:
        return tolerance(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _judged(record: Record) -> Values:
    found = _requests(record) | _latency(record)
    names = (FAILED, RATE) if RATE in found else (FAILED, "right/s", "p99")
    return {name: found[name] for name in names}


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
    found[FAILED] = 100 * tally.failed / tally.due if tally.due else math.nan
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
        return NOTHING
    return f"{value:{sign},.2f}" if abs(value) >= 0.1 or not value else f"{value:{sign}.3g}"
