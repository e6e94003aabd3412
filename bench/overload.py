"""More than it can do: ``python -m bench overload``.

One worker on one core, the generator on the other. First the capacity, in a closed loop of
16 connections; then an open loop: normal load (70 % of the capacity), at once twice the
capacity, at once normal load again, while health and metrics are asked every second.
"""

import argparse
import threading
import time
from collections.abc import Sequence
from http.client import HTTPException
from typing import Any

import numpy as np

from bench.harness import closedloop, cores, results, timed
from bench.harness.cores import GENERATOR_CORE, SERVER_CORE
from bench.harness.results import say, table
from bench.harness.server import Server
from bench.harness.service import service
from bench.harness.timed import Floats, Phase, Timed
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


def run(item: Item, seconds: int) -> Record:
    """Measure one item on a server of its own."""
    requests = items.requests(item, OWN.route(item.binary))
    with service(cores=SERVER_CORE) as server:
        closedloop.warm_up(server.port, requests, GENERATOR_CORE)
        closed = closedloop.measure(server.port, requests, CAPACITY_SECONDS, GENERATOR_CORE)
        capacity = closed["requests_per_s"]
        shares = [(NORMAL, NORMAL_SECONDS), (OVER, seconds), (NORMAL, NORMAL_SECONDS)]
        phases = [Phase(share * capacity, duration) for share, duration in shares]
        probes = Probes(server)
        probes.start()
        say(f"{item.title}: {capacity:.0f}/s; open loop for {sum(s for _, s in shares)} s")
        found = timed.measure(server.port, requests, phases)
        probes.stop()
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
    }


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
        "unanswered": int(((status != 200) & (status != 503)).sum()),
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
            one[name]["unanswered"],
            *(f"{one[name][key]:.1f}" for key in times),
        ]
        for title, one in record.items()
        for name in ("normal", "over", "after")
    ]
    head = ["", "due/s", "answered/s", "refused/s", "no answer"]
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
        ]
        for title, one in record.items()
    ]
    head_2 = ["", "capacity/s", "goodput", "p99 over / normal", "recovered, s"]
    head_2 += ["health and metrics, slowest ms", "failed"]
    start = results.heading("More than it can do", "overload", __doc__)
    return "\n".join([start, table(head, rows), table(head_2, sums)])


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, and write the figures and the tables."""
    parser = argparse.ArgumentParser(prog="python -m bench overload")
    parser.add_argument("--seconds", type=int, default=300, help="of overload")
    names = [item.name for item in ITEMS]
    parser.add_argument("--items", nargs="+", choices=names, default=["binary64"])
    options = parser.parse_args(argv)
    cores.require("wrk")
    chosen = [item for item in ITEMS if item.name in options.items]
    record = {item.title: run(item, options.seconds) for item in chosen}
    text = markdown(record)
    results.write("overload", record, text)
    say(text)


if __name__ == "__main__":
    main()
