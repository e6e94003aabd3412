"""The report: tables in Markdown from a record of measurements."""

from statistics import median
from typing import Any

from bench.peers import method
from bench.peers.items import ITEMS
from bench.peers.servers import OWN
from bench.peers.tables import Record, present, spread, table, title

OPEN_LOOP = """\
## Latency, open loop

Each server at half of its own maximum, and the service at that rate. Poisson arrivals; a
latency counts from the time at which the request was due; medians over the rounds, in ms.
*generator late*: how late the generator noticed that a request was due, 99th percentile.

"""


def markdown(record: Record) -> str:
    """Return the whole report."""
    parts = [_heading(record), _throughput(record), _latency(record)]
    parts.append(_open_loop(record))
    if OWN in present(record):
        parts.append(_own(record))
    parts += [_failed(record), method.how(record), method.versions(record)]
    return "\n".join(part for part in parts if part)


def rates(record: Record, name: str, item: str) -> list[float]:
    """Return a server's requests per second for an item, a number a round."""
    return [
        each["servers"][name]["items"][item]["requests_per_s"] for each in record["rounds"]
    ]


def errors(counts: dict[str, int]) -> int:
    """Return the number of requests that wrk counted as failed."""
    return sum(counts.values())


def _heading(record: Record) -> str:
    machine, settings = record["machine"], record["settings"]
    return (
        "# The service beside other Python model servers\n\n"
        f"{record['date']}, {machine['cpu']}, {machine['cores']} cores, Linux "
        f"{machine['kernel']}, Python {machine['python']}. Rounds: {settings['rounds']}, "
        f"of {settings['seconds']} s a measurement; median, least and greatest. Made by "
        "`python -m bench.peers`; the raw figures are in `bench.json`.\n\n"
        "![requests per second](bench.svg)\n"
    )


def _throughput(record: Record) -> str:
    text = "## Requests per second, closed loop, 16 connections, one core\n"
    for item in _items(record):
        rows = []
        for name in _fastest_first(record, item.name):
            found = rates(record, name, item.name)
            rows.append([title(name), spread(found), _ratio(record, name, item.name)])
        head = [item.title, "requests/s", "ours / other"]
        text += "\n" + table(head, rows)
    bare = {n: median(each["bare"][n] for each in record["rounds"]) for n in ("1", "64")}
    return text + (
        f"\nUpper bound, ONNX Runtime alone on that core: {bare['1']:,.0f} images/s one by "
        f"one, {bare['64']:,.0f} in batches of 64 ({bare['64'] / 64:,.0f} runs/s).\n"
    )


def _latency(record: Record) -> str:
    rows = []
    for name in present(record):
        for item in _items(record):
            found = [each["servers"][name]["items"][item.name] for each in record["rounds"]]
            rows.append(
                [
                    f"{title(name)}, {item.title}",
                    spread((each["p50_us"] for each in found), 2, 1000),
                    spread((each["p99_us"] for each in found), 2, 1000),
                    f"{sum(each['requests'] for each in found):,}",
                    str(sum(errors(each["errors"]) for each in found)),
                ]
            )
    head = ["closed loop", "p50 ms", "p99 ms", "requests", "errors"]
    return "## Latency and errors of the same runs\n\n" + table(head, rows)


def _open_loop(record: Record) -> str:
    if not record["open_loop"]:
        return ""
    rows = []
    for name in present(record):
        for who in dict.fromkeys((name, OWN)):
            found = [
                point
                for point in record["open_loop"]
                if (point["server"], point["half_of"]) == (who, name)
            ]
            if found:
                rate = f"{found[0]['rate']:,.0f}/s"
                rows.append([f"{title(who)} at {rate}", *_point(found)])
    points = ["p50 ms", "p90", "p99", "p99.9", "max", "errors", "generator late"]
    return OPEN_LOOP + table(["1 image, JSON", *points], rows)


def _point(points: list[Record]) -> list[str]:
    keys = ["p50_us", "p90_us", "p99_us", "p99.9_us", "max_us"]
    times = [median(point[key] for point in points) / 1000 for key in keys]
    failed = sum(point["errors"] for point in points)
    late = median(point["generator_late_p99_us"] for point in points) / 1000
    return [*(f"{value:.2f}" for value in times), str(failed), f"{late:.3f}"]


def _own(record: Record) -> str:
    found = [each["servers"][OWN] for each in record["rounds"]]
    # gunicorn's master comes first, then its worker.
    used = [each["memory_kb"][-1] for each in found]
    rows = [
        ["start to `/readyz` 200, s", spread([x["ready_seconds"] for x in found], 2)],
        ["worker after the load, VmRSS, MB", spread([x["VmRSS"] for x in used], 1, 1000)],
        ["worker after the load, PSS, MB", spread([x["Pss"] for x in used], 1, 1000)],
    ]
    for item in ITEMS:
        by_count: dict[int, list[float]] = {1: [], 2: []}
        for each in record["workers"]:
            if each["item"] == item.name:
                by_count[each["workers"]].append(each["requests_per_s"])
        if by_count[1] and by_count[2]:
            what = f"{item.title}, wrk on both cores too"
            ratio = median(by_count[2]) / median(by_count[1])
            rows += [
                [f"one worker, requests/s, {what}", spread(by_count[1])],
                [f"two workers, requests/s, {what}", spread(by_count[2])],
                [f"two workers / one worker, {item.title}", f"{ratio:.2f}"],
            ]
    return "## The service alone\n\n" + table(["what", "found"], rows)


def _failed(record: Record) -> str:
    lines = [
        f"- {title(name)} could not be started: {reason}\n"
        for name, reason in record["failed"].items()
    ]
    return "## Not measured\n\n" + "".join(lines) if lines else ""


def _items(record: Record) -> list[Any]:
    return [item for item in ITEMS if item.name in record["settings"]["items"]]


def _fastest_first(record: Record, item: str) -> list[str]:
    return sorted(present(record), key=lambda name: -median(rates(record, name, item)))


def _ratio(record: Record, name: str, item: str) -> str:
    if name == OWN or OWN not in present(record):
        return ""
    return f"{median(rates(record, OWN, item)) / median(rates(record, name, item)):.2f}"
