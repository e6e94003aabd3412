"""The report: tables in Markdown from a record of measurements."""

from statistics import median
from typing import Any

from bench.harness.results import spread, table
from bench.peers import clients
from bench.peers.items import ITEMS, TOLERANCE, Item
from bench.peers.servers import OWN, PEERS, Peer

Record = dict[str, Any]

HEADING = """\
# The service beside other Python model servers

Rounds: {rounds}, of {seconds} s a measurement; median, least and greatest. Made by
`make bench WHAT=peers`; the raw figures are in `bench.json`.

![requests per second](bench.svg)
"""

OPEN_LOOP = """\
## Latency, open loop

Each server at half of its own maximum, and the service at that rate. Poisson arrivals; a
latency counts from the time at which the request was due; medians over the rounds, in ms.
*generator late*: how late the generator noticed that a request was due, 99th percentile.

"""

CLIENTS = """\
## Clients as they come, closed loop, one core

This service and the fastest others. *New headers*: request id, `traceparent`, cookie and
token with random values in each request, and five headers more; requests/s answered.
*Errors*: of all servers; this service refuses what would wait for over 50 ms, mosec what is
beyond 1,024 requests.
"""

FOOTPRINT = """\
## Start and memory

From the start of the command to the first 200; memory after the load of the closed loop.
PSS counts a page that processes share once.

"""

METHOD = """\
## Method

- One model file, `models/mnist/1/model.onnx`, in ONNX Runtime with one thread. All of
  a server's processes on core 0; the generator, {wrk}, on core 1.
  One worker; mosec and LitServe have one for each of their two routes, and one is idle.
- Granian, FastPySGI and Robyn run the same few lines without a framework (Robyn: as one),
  with orjson for JSON; they answer a request at a time, and batch nothing.
- Each as its documentation has it; no access logs, no telemetry, no usage tracking. Of
  mosec's batch sizes, BentoML's batching and LitServe's queues and batching, a few were
  tried in short runs of 1 image, and what gave mosec and BentoML the most requests/s was
  kept (LitServe's made no difference). The others have one setting, and were not tuned.
- Rounds are interleaved: each server is started fresh, warmed up for 2 s, asked all
  items, and stopped; then the next.
- Sixteen different bodies in turn, made of the project's own digits. Before each
  measurement all sixteen are asked once: the digits must be those of ONNX Runtime and
  the probabilities within {tolerance:g}, else nothing is reported.
- Binary is answered with binary, the ten probabilities of an image. In JSON the other
  servers answer with these, and the service with digit, confidence and version besides.
- mosec waits for a full batch, 1 ms at least. Its batch is 16 here, as many as there are
  connections, so under the closed loop it is full at once: its best case. Where fewer
  requests than a batch arrive together, as in the open loop, they wait.

Formats, JSON and binary:

{formats}"""


def markdown(record: Record) -> str:
    """Return the whole report."""
    known = present(record)
    parts = [
        HEADING.format(**record["settings"]),
        _throughput(record),
        _latency(record),
        _open_loop(record) if record["open_loop"] else "",
        _clients(record) if record["clients"] else "",
        _footprint(record),
        _own(record) if record["workers"] else "",
        _failed(record) if record["failed"] else "",
        METHOD.format(
            wrk=record["machine"]["wrk"],
            tolerance=TOLERANCE,
            formats="".join(
                f"- {peer.title}: {peer.json.title}; {peer.binary.title}.\n"
                for peer in known
            ),
        ),
        _versions(record),
    ]
    return "\n".join(part for part in parts if part)


def present(record: Record) -> list[Peer]:
    """Return the servers that were measured."""
    return [
        peer
        for peer in PEERS
        if peer.name in record["versions"] and peer.name not in record["failed"]
    ]


def rates(record: Record, peer: Peer, item: Item) -> list[float]:
    """Return a server's requests per second for an item, one number per round."""
    return [each["requests_per_s"] for each in _results(record, peer, item)]


def _results(record: Record, peer: Peer, item: Item) -> list[Record]:
    return [each["servers"][peer.name]["items"][item.name] for each in record["rounds"]]


def _title(peer: Peer) -> str:
    return f"**{peer.title}**" if peer is OWN else peer.title


def _items(record: Record) -> list[Item]:
    return [item for item in ITEMS if item.name in record["settings"]["items"]]


def _throughput(record: Record) -> str:
    text = "## Requests per second, closed loop, 16 connections, one core\n"
    for item in _items(record):
        found = {peer: rates(record, peer, item) for peer in present(record)}
        rows = [
            [
                _title(peer),
                spread(values),
                f"{median(found[OWN]) / median(values):.2f}"
                if OWN in found and peer is not OWN
                else "",
            ]
            for peer, values in sorted(found.items(), key=lambda pair: -median(pair[1]))
        ]
        text += "\n" + table([item.title, "requests/s", "ours / other"], rows)
    bare = {n: median(each["bare"][n] for each in record["rounds"]) for n in ("1", "64")}
    return text + (
        f"\nUpper bound, ONNX Runtime alone on that core: {bare['1']:,.0f} images/s one by "
        f"one, {bare['64']:,.0f} in batches of 64 ({bare['64'] / 64:,.0f} runs/s).\n"
    )


def _latency(record: Record) -> str:
    rows = []
    for peer in present(record):
        for item in _items(record):
            found = _results(record, peer, item)
            rows.append(
                [
                    f"{_title(peer)}, {item.title}",
                    *(spread((f[k] for f in found), 2, 1000) for k in ("p50_us", "p99_us")),
                    f"{sum(each['requests'] for each in found):,}",
                    sum(sum(each["errors"].values()) for each in found),
                ]
            )
    head = ["closed loop", "p50 ms", "p99 ms", "requests", "errors"]
    return "## Latency and errors of the same runs\n\n" + table(head, rows)


def _open_loop(record: Record) -> str:
    keys = ["p50_us", "p90_us", "p99_us", "p99.9_us", "max_us"]
    rows = []
    for half in present(record):
        for peer in dict.fromkeys((half, OWN)):
            found = [
                point
                for point in record["open_loop"]
                if (point["server"], point["half_of"]) == (peer.name, half.name)
            ]
            if found:
                late = median(point["generator_late_p99_us"] for point in found) / 1000
                rows.append(
                    [
                        f"{_title(peer)} at {found[0]['rate']:,.0f}/s",
                        *(f"{median(p[key] for p in found) / 1000:.2f}" for key in keys),
                        sum(point["errors"] for point in found),
                        f"{late:.3f}",
                    ]
                )
    points = ["p50 ms", "p90", "p99", "p99.9", "max", "errors", "generator late"]
    return OPEN_LOOP + table(["1 image, JSON", *points], rows)


def _clients(record: Record) -> str:
    text = CLIENTS
    points = record["clients"]
    peers = [p for p in present(record) if any(x["server"] == p.name for x in points)]
    for item in clients.WANTED:
        rows = []
        for case in clients.CASES:
            found = [x for x in points if (x["item"], x["case"]) == (item.name, case.title)]
            rates = [
                [x["requests_per_s"] for x in found if x["server"] == peer.name]
                for peer in peers
            ]
            if all(rates):
                errors = sum(sum(x["errors"].values()) for x in found)
                rows.append([case.title, *map(spread, rates), errors])
        if rows:
            text += "\n" + table([item.title, *map(_title, peers), "errors"], rows)
    return text


def _footprint(record: Record) -> str:
    rows = []
    for peer in present(record):
        found = [each["servers"][peer.name] for each in record["rounds"]]
        used = [each["memory_kb"] for each in found]
        rows.append(
            [
                _title(peer),
                spread([each["ready_seconds"] for each in found], 2),
                len(used[0]),
                spread([sum(x["Pss"] for x in each) for each in used], 0, 1000),
                spread([max(x["VmRSS"] for x in each) for each in used], 0, 1000),
            ]
        )
    head = ["server", "ready, s", "processes", "PSS of all, MB", "RSS of the largest, MB"]
    return FOOTPRINT + table(head, rows)


def _own(record: Record) -> str:
    rows = []
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
    return "## The service with two workers\n\n" + table(["what", "found"], rows)


def _failed(record: Record) -> str:
    lines = [
        f"- {_title(peer)} could not be started: {record['failed'][peer.name]}\n"
        for peer in PEERS
        if peer.name in record["failed"]
    ]
    return "## Not measured\n\n" + "".join(lines)


def _versions(record: Record) -> str:
    rows = []
    for peer in present(record):
        found = record["versions"][peer.name]
        names = [*peer.packages, "onnxruntime", "numpy"]
        shown = ", ".join(f"{name} {found[name]}" for name in names if name in found)
        rows.append([_title(peer), peer.setting, shown])
    head = ["server", "setting", "packages"]
    return "## Versions and settings\n\n" + table(head, rows, text=3)
