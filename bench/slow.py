"""Other clients' latency beside slow and hostile ones: ``python -m bench slow``.

One worker on one core; on the other an open loop of one image in raw bytes, first with
nothing beside it, then beside clients that hold connections and do not go on. Each of these
must be refused or closed by the time the loop ends.
"""

import argparse
import resource
import socket
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from bench.harness import closedloop, cores, results, wire
from bench.harness.cores import GENERATOR_CORE, SERVER_CORE
from bench.harness.results import say, table
from bench.harness.server import memory
from bench.harness.service import service
from bench.harness.timed import Phase
from bench.peers import items
from bench.peers.items import ITEMS
from bench.peers.measure import at_rate
from bench.peers.servers import OWN

ONE = ITEMS[1]
IMAGE = bytes(range(0, 196)) * 4  # 784 pixels with ink
WHOLE = wire.request("/predict", IMAGE, {"Content-Type": "application/octet-stream"})
HEAD = WHOLE[: WHOLE.index(wire.END) + len(wire.END)]

# What each kind of client sends, and how many there are: most of where it costs least.
CLIENTS = {
    "idle": (1000, b""),
    "half a head": (1000, HEAD[:-4]),
    "half a body": (200, WHOLE[:-392]),
    "400 requests and never a read": (50, WHOLE * 400),
    "linger after the last reply": (50, HEAD[:-2] + b"Connection: close\r\n\r\n" + IMAGE),
}
ENDED, REFUSED, OPEN = "closed", "408", "still open"
MOST_FILES = 8192  # a connection is one

Record = dict[str, Any]


def connect(port: int) -> dict[str, list[socket.socket]]:
    """Open all the slow connections, and send what they send."""
    found: dict[str, list[socket.socket]] = {}
    for kind, (count, content) in CLIENTS.items():
        found[kind] = []
        for _ in range(count):
            client = socket.create_connection(("127.0.0.1", port), timeout=5)
            if content:
                client.sendall(content)
            found[kind].append(client)
    return found


def ends(clients: list[socket.socket]) -> Iterator[str]:
    """Yield how each connection stands: what it got, and whether it is over."""
    for client in clients:
        client.settimeout(1)  # for an end that stands behind what was not read
        first = b""
        try:
            while some := client.recv(1 << 20):
                first = first or some
            yield REFUSED if first.startswith(b"HTTP/1.1 408 ") else ENDED
        except TimeoutError:
            yield OPEN
        except ConnectionError:
            yield ENDED
        client.close()


def run(rate: float, seconds: int, rounds: int) -> Record:
    """Measure on one server: alone, then as often as asked beside the slow clients."""
    record: Record = {"rate": rate, "seconds": seconds, "rounds": []}
    requests, phase = items.requests(ONE, OWN.binary), Phase(rate, seconds)
    with service(cores=SERVER_CORE) as server:
        closedloop.warm_up(server.port, requests, GENERATOR_CORE)
        (worker,) = server.worker_pids()
        say("alone")
        record["alone"] = at_rate(server.port, requests, phase, seed=1)
        record["memory_kb"] = [memory(worker)["VmRSS"]]
        for number in range(1, rounds + 1):
            say(f"round {number} of {rounds}: beside slow clients")
            clients = connect(server.port)
            found = at_rate(server.port, requests, phase, seed=number)
            counts = {kind: dict(Counter(ends(some))) for kind, some in clients.items()}
            record["rounds"].append({"latency": found, "ends": counts})
            record["memory_kb"].append(memory(worker)["VmRSS"])
    return record


def markdown(record: Record) -> str:
    """Return the tables."""
    runs = [("alone", record["alone"])]
    runs += [
        (f"beside them, round {n}", each["latency"])
        for n, each in enumerate(record["rounds"], 1)
    ]
    rows = [
        [
            name,
            *(f"{found[f'{p}_us'] / 1000:.2f}" for p in ("p50", "p99", "max")),
            found["errors"],
            f"{kb / 1000:.1f}",
        ]
        for (name, found), kb in zip(runs, record["memory_kb"])
    ]
    ended = [
        [
            kind,
            count,
            "; ".join(
                ", ".join(f"{n} {end}" for end, n in sorted(each["ends"][kind].items()))
                for each in record["rounds"]
            ),
        ]
        for kind, (count, _) in CLIENTS.items()
    ]
    return "\n".join(
        [
            results.heading("Beside slow clients", "slow", __doc__),
            f"{record['rate']:.0f} requests/s for {record['seconds']} s.\n",
            table(["", "p50 ms", "p99", "max", "errors", "worker's RSS, MB"], rows),
            table(["slow clients", "how many", "in the end, round by round"], ended),
        ]
    )


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, and write the figures and the tables."""
    parser = argparse.ArgumentParser(prog="python -m bench slow")
    parser.add_argument("--rate", type=float, default=2000, help="(default: 2000)")
    # The service gives a client 8 s; the rest is for the sweep and the lingering.
    parser.add_argument("--seconds", type=int, default=13, help="(default: 13)")
    parser.add_argument("--rounds", type=int, default=3, help="(default: 3)")
    options = parser.parse_args(argv)
    cores.require("wrk")
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, MOST_FILES), most))
    record = run(options.rate, options.seconds, options.rounds)
    results.write("slow", record, markdown(record))


if __name__ == "__main__":
    main()
