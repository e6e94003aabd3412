"""More than it can do: ``python -m bench overload``.

One worker on one core, the generator on the other. First the capacity, in a closed loop of
16 connections; then an open loop: normal load (70 % of the capacity), at once twice the
capacity, at once normal load again, while health and metrics are asked every second.

In some cases every other client is in a hurry: during the overload it closes its connection
when it has waited for so long, and sends its next request on a new one; or it says in
``Request-Timeout-Ms`` for how long it waits. Goodput counts the answers that arrived. What
was computed beyond these, by the service's own count, was computed for nobody.
"""

import argparse
import math
import threading
import time
from collections.abc import Sequence
from http.client import HTTPException
from typing import Any, NamedTuple

import numpy as np

from bench.chaos import watch
from bench.harness import closedloop, cores, results, timed
from bench.harness.cores import GENERATOR_CORE, SERVER_CORE
from bench.harness.results import say, table
from bench.harness.server import Server
from bench.harness.service import service
from bench.harness.timed import LEFT, Floats, Phase, Timed
from bench.peers import items
from bench.peers.items import ITEMS, Item
from bench.peers.servers import OWN

NORMAL, OVER = 0.7, 2.0  # of the capacity
CAPACITY_SECONDS, NORMAL_SECONDS = 10, 20
PROBES = ("/livez", "/readyz", "/metrics")
Record = dict[str, Any]


class Probes(threading.Thread):
    """Asks health and metrics every second, on new connections, until it is stopped."""

    def __init__(self, server: Server) -> None:
        super().__init__(daemon=True)
        self._server = server
        self._end = threading.Event()
        self.seconds: dict[str, list[float]] = {path: [] for path in PROBES}
        self.failed = 0

    def run(self) -> None:
        """Ask."""
        while not self._end.wait(1):
            for path, found in self.seconds.items():
                start = time.perf_counter()
                try:
                    fine = self._server.request("GET", path).status == 200
                except (OSError, HTTPException):
                    fine = False
                if fine:
                    found.append(time.perf_counter() - start)
                else:
                    self.failed += 1

    def stop(self) -> None:
        """End, and wait for it."""
        self._end.set()
        self.join()


class Hurry(NamedTuple):
    """What every other client does, and the words for it.

    Attributes:
        title: the words.
        leave_s: after how long without a reply it leaves, in the overload.
        header: a line of each of its requests.
    """

    title: str = ""
    leave_s: float = math.inf
    header: bytes = b""


def hurries(leave_ms: Sequence[int], timeout_ms: Sequence[int]) -> list[Hurry]:
    """Return the cases: nobody in a hurry, and for each time half of the clients."""
    leaving = [Hurry(f"; half leave after {ms} ms", ms / 1000) for ms in leave_ms]
    header = "Request-Timeout-Ms: {}"
    saying = [
        Hurry(f"; half send {header.format(ms)}", header=header.format(ms).encode())
        for ms in timeout_ms
    ]
    return [Hurry(), *leaving, *saying]


def hurried(requests: Sequence[bytes], header: bytes) -> list[bytes]:
    """Return the requests twice: each as it is, and then with one more header."""
    if not header:
        return [*requests]
    return [
        one
        for request in requests
        for one in (request, request.replace(b"\r\n", b"\r\n" + header + b"\r\n", 1))
    ]


def run(item: Item, hurry: Hurry, seconds: int) -> Record:
    """Measure one item on a server of its own."""
    requests = hurried(items.requests(item, OWN.route(item.binary)), hurry.header)
    with service(cores=SERVER_CORE) as server:
        closedloop.warm_up(server.port, requests, GENERATOR_CORE)
        closed = closedloop.measure(server.port, requests, CAPACITY_SECONDS, GENERATOR_CORE)
        capacity = closed["requests_per_s"]
        normal = Phase(NORMAL * capacity, NORMAL_SECONDS)
        phases = [normal, Phase(OVER * capacity, seconds, hurry.leave_s), normal]
        probes = Probes(server)
        length = sum(phase.seconds for phase in phases)
        title = item.title + hurry.title
        say(f"{title}: {capacity:.0f}/s; open loop for {length} s")
        before = watch.metrics(server)
        probes.start()
        found = timed.measure(server.port, requests, phases)
        probes.stop()
        counted = count(before, watch.metrics(server), item.images)
    counted["for_nobody"] = counted["computed"] - int((found.status == 200).sum())
    return judge(capacity, found, seconds) | {
        "closed_p99_ms": closed["p99_us"] / 1000,
        "generator": {
            "most_open": found.most_open,
            "late_p99_s": found.late_s,
            "core_s": found.core_s,
            "resent": found.resent,
        },
        "probes_ms": {p: 1000 * max(s, default=0) for p, s in probes.seconds.items()},
        "failed": probes.failed,
        "counted": counted,
    }


def count(before: dict[str, float], after: dict[str, float], images: int) -> dict[str, int]:
    """Return what the service has counted between two scrapes, in requests."""

    def between(name: str) -> int:
        return int(watch.total(after, name) - watch.total(before, name))

    reasons = {
        reason: int(after.get(name, 0) - before.get(name, 0))
        for reason in ("client_gone", "too_late")
        for name in [f'mnist_refused_total{{reason="{reason}"}}']
    }
    return {"computed": between("mnist_predictions_total") // images, **reasons}


def judge(capacity: float, found: Timed, seconds: int) -> Record:
    """Return the figures of the three phases, from each request's due time and answer."""
    due, took, status = found.due, found.seconds, found.status
    ends = NORMAL_SECONDS, NORMAL_SECONDS + seconds, 2 * NORMAL_SECONDS + seconds
    phases = {}
    for name, start, end in zip(("normal", "over", "after"), (0, *ends), ends):
        inside = (due >= start) & (due < end)
        phases[name] = _figures(took[inside], status[inside], end - start)
    over = phases["over"]
    return {
        "capacity": capacity,
        **phases,
        "goodput": over["answered_per_s"] / capacity,
        "p99_ratio": over["p99_ms"] / phases["normal"]["p99_ms"],
        "recovered_s": _recovered(due - ends[1], took, status, phases["normal"]),
    }


def _figures(took: Floats, status: Any, seconds: float) -> Record:
    answered, refused = took[status == 200], took[status == 503]
    points = {
        f"{name}{point}_ms": 1000 * float(np.percentile(some, point)) if len(some) else 0.0
        for name, some in (("p", answered), ("refused_p", refused))
        for point in (50, 99, 100)
    }
    return {
        "due_per_s": len(took) / seconds,
        "answered_per_s": len(answered) / seconds,
        "refused_per_s": len(refused) / seconds,
        "late": int((status == 504).sum()),
        "left": int((status == LEFT).sum()),
        "unanswered": int((~np.isin(status, (200, 503, 504, LEFT))).sum()),
        **points,
    }


def _recovered(since: Floats, took: Floats, status: Any, normal: Record) -> float:
    """Return from when on (s) each second is without a refusal and as fast as before."""
    for second in range(NORMAL_SECONDS - 1, -1, -1):
        inside = (since >= second) & (since < second + 1)
        slow = np.percentile(took[inside], 99) > 2 * normal["p99_ms"] / 1000
        if slow or (status[inside] != 200).any():
            return second + 1
    return 0


def markdown(record: dict[str, Record]) -> str:
    """Return the tables."""
    rates = ("due_per_s", "answered_per_s", "refused_per_s")
    times = ("p50_ms", "p99_ms", "refused_p99_ms", "refused_p100_ms")
    rows = [
        [
            f"{title}: {name}",
            *(f"{one[name][key]:.0f}" for key in rates),
            *(one[name][key] for key in ("left", "late", "unanswered")),
            *(f"{one[name][key]:.1f}" for key in times),
        ]
        for title, one in record.items()
        for name in ("normal", "over", "after")
    ]
    head = ["", "due/s", "answered/s", "refused/s", "left", "too late", "no answer"]
    head += ["p50 ms", "p99", "refused p99", "refused max"]
    sums = [
        [
            title,
            f"{one['capacity']:.0f}",
            f"{one['goodput']:.0%}",
            f"{one['p99_ratio']:.1f}",
            f"{one['recovered_s']:.0f}",
            "; ".join(f"{path} {ms:.0f}" for path, ms in one["probes_ms"].items()),
            one["failed"],
            *one["counted"].values(),
        ]
        for title, one in record.items()
    ]
    head_2 = ["", "capacity/s", "goodput", "p99 over / normal", "recovered, s"]
    head_2 += ["health and metrics, slowest ms", "failed"]
    head_2 += ["computed", "client gone", "too late", "computed for nobody"]
    start = results.heading("More than it can do", "overload", __doc__)
    return "\n".join([start, table(head, rows), table(head_2, sums)])


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, and write the figures and the tables."""
    parser = argparse.ArgumentParser(prog="python -m bench overload")
    parser.add_argument("--seconds", type=int, default=300, help="of overload")
    names = [item.name for item in ITEMS]
    parser.add_argument("--items", nargs="+", choices=names, default=["binary64"])
    some: dict[str, Any] = {"nargs": "+", "type": int, "default": [], "metavar": "MS"}
    parser.add_argument("--leave-ms", **some, help="half of the clients leave after that")
    parser.add_argument("--timeout-ms", **some, help="half send Request-Timeout-Ms")
    options = parser.parse_args(argv)
    cores.require("wrk")
    chosen = [item for item in ITEMS if item.name in options.items]
    cases = hurries(options.leave_ms, options.timeout_ms)
    record = {
        item.title + hurry.title: run(item, hurry, options.seconds)
        for item in chosen
        for hurry in cases
    }
    text = markdown(record)
    results.write("overload", record, text)
    say(text)


if __name__ == "__main__":
    main()
