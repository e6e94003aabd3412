"""The sections of results."""

import math
from statistics import median

from load.record import Record, Tally
from load.report import words
from load.report.parts import Section, Table
from load.report.words import KEPT, ms, rate

PERCENTS = (50, 90, 95, 99, 99.9)
# A median of the last third so much above that of the first: more than load alone makes it
# swing, and a queue that grows has soon doubled it.
GROWN = 2


def found(record: Record) -> Section | None:
    """Report the search for the highest rate; None of other scenarios."""
    if record.found is None:
        return None
    found = dict(record.found)
    limit, best = found.pop("limit", "the limit"), found.pop("rate", None)
    trials, windows = found.pop("trials", []), found.pop("windows", [])
    agree = found.pop("agree", None)
    text = [_highest(record, limit, best)]
    if windows:
        rates = ", ".join(rate(each["rate"]) for each in windows)
        points = ", ".join(ms(each["p99_ms"]) for each in windows)
        text.append(
            f"{len(windows)} windows at that rate were answered {rates} times a second, "
            f"which {'agrees' if agree else 'does not agree: the rate is not settled'}; "
            f"their p99 is {points} ms."
        )
    text += [f"{name}: {words.plain(value)}." for name, value in found.items()]
    rows = [
        [
            f"{rate(each.get('rate'))}/s",
            ms(each.get("p99_ms")),
            f"{each['failed']:,}",
            "INVALID" if each["invalid"] else "✓",
            KEPT[each["kept"]],
        ]
        for each in trials
    ]
    head = ["trial", "p99, ms", "failed", "believed", limit]
    return Section("Highest rate", text, [Table(head, rows)] if rows else [])


def _highest(record: Record, limit: str, best: float | None) -> str:
    if record.loop == "closed":
        return f"Highest rate of {record.connections:,} users: {rate(best)}/s."
    if all(kept for _, _, kept in record.verdict.limits):
        return f"Highest rate that keeps {limit}: {rate(best)}/s."
    return f"No rate keeps {limit}; the windows are at {rate(best)}/s."


def latency(record: Record, whole: Tally) -> Section:
    """Tabulate latencies."""
    open_loop = record.loop == "open"
    head = [_over(record), "from due, ms", "from sending, ms", "difference, ms"]
    names = [f"p{percent:g}" for percent in PERCENTS] + ["max", "mean"]
    sent = [*whole.service.percentiles(PERCENTS), whole.service.most, whole.service.mean]
    due = [*whole.latency.percentiles(PERCENTS), whole.latency.most, whole.latency.mean]
    rows = [[n, ms(d), ms(s), ms(d - s)] for n, d, s in zip(names, due, sent)]
    if not open_loop:
        head, rows = [head[0], head[2]], [[name, seen] for name, _, seen, _ in rows]
    text = [words.loop(record, whole), *_growing(record)]
    if len({phase.rate for phase in record.counted}) > 1:
        text.append(
            "The phases have different rates, so figures over all of them describe none; "
            "each phase's own are below."
        )
    return Section("Latency", text, [Table(head, rows)])


def _growing(record: Record) -> list[str]:
    """Report phases of an open loop in which the server could not keep up."""
    text = []
    for phase in record.counted if record.loop == "open" else []:
        medians = [s.tally.latency.percentile(50) for s in phase.slices if s.tally.latency]
        third = len(medians) // 3
        if third:
            first, last = median(medians[:third]), median(medians[-third:])
            if last > GROWN * first:
                text.append(words.growing(phase.name, first, last))
    return text


def throughput(record: Record, whole: Tally) -> Section:
    """Tabulate rates, and failures by reason."""
    seconds = record.seconds or math.nan
    target = sum((p.rate or math.nan) * p.seconds for p in record.counted) / seconds
    rows = [
        ["target, requests/s", rate(target)],
        ["due, requests/s", rate(whole.due / seconds)],
        ["answered right, requests/s", rate(whole.right / seconds)],
        ["answered right, images/s", rate(whole.right * record.batch / seconds)],
        ["requests due", f"{whole.due:,}"],
        ["failed", words.failed(whole)],
    ]
    if record.loop == "closed":
        rows = [[name.replace("due", "sent"), value] for name, value in rows[1:]]
    else:
        rows.append(["generator late, p99, ms", ms(whole.late.percentile(99))])
    tables = [Table([_over(record), "found"], rows)]
    if whole.failures:
        reasons = [[reason, f"{n:,}"] for reason, n in whole.failures.most_common()]
        tables.append(Table(["failed because", "requests"], reasons))
    return Section("Throughput and failures", [], tables)


def _over(record: Record) -> str:
    """Name the phases that figures cover."""
    return record.counted[0].name if len(record.counted) == 1 else "all phases judged"


def phases(record: Record) -> Section | None:
    """Tabulate phases; None where there is only one."""
    if len(record.phases) < 2:
        return None
    due = "due" if record.loop == "open" else "sent"
    head = ["phase", "s", "target/s", f"{due}/s", "right/s"]
    head += ["p50, ms", "p99, ms", "p99.9, ms", "max, ms", "failed"]
    rows = []
    for phase in record.phases:
        tally, seconds = phase.tally, phase.seconds or math.nan
        times = [*tally.latency.percentiles([50, 99, 99.9]), tally.latency.most]
        rows.append(
            [
                phase.name if phase.counted else f"{phase.name} (not judged)",
                f"{phase.seconds:,.4g}",
                rate(phase.rate),
                rate(tally.due / seconds),
                rate(tally.right / seconds),
                *map(ms, times),
                words.failed(tally),
            ]
        )
    text = [f"Latencies count from when a request was {due}."]
    return Section("Phases", text, [Table(head, rows)])
