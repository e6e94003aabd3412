"""Whether two runs can be compared, and in what they differ."""

from collections.abc import Iterator
from typing import Any

from load.record import Record
from load.report import words

# What has to be the same in both runs, or their figures answer different questions.
SAME = {
    "payload": "payload",
    "batch": "images a request",
    "loop": "loop",
    "arrivals": "arrivals",
    "connections": "connections",
    "generators": "generator processes",
}


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


def _rates(record: Record) -> str:
    return ", ".join(f"{words.rate(phase.rate)}/s" for phase in record.counted)


def differences(a: dict[str, Any], b: dict[str, Any]) -> list[list[str]]:
    """Return the keys whose values differ, with both as text."""
    return [
        [key, words.plain(a.get(key)), words.plain(b.get(key))]
        for key in dict.fromkeys([*a, *b])
        if a.get(key) != b.get(key)
    ]
