"""Other clients' latency beside slow and hostile ones: ``python -m bench.slow``.

One worker on one core; on the other an open loop of one image in raw bytes, first with
nothing beside it, then beside clients that hold connections and do not go on. Each of these
must be refused or closed by the time the loop ends.
"""

import argparse
import json
import resource
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.harness.openloop import request
from bench.harness.process import Process, memory
from bench.peers import measure
from bench.peers.items import ITEMS
from bench.peers.measure import SERVER_CORE, at_rate, say
from bench.peers.servers import SERVERS
from bench.peers.tables import table

OUTPUT = Path(__file__).with_name("results")
OWN, ONE = SERVERS[0], ITEMS[1]
RAW = {"Content-Type": "application/octet-stream"}
IMAGE = bytes(range(0, 196)) * 4  # 784 pixels with ink
WHOLE = request("/predict", RAW, IMAGE)
HEAD = WHOLE[: WHOLE.index(b"\r\n\r\n") + 4]

# What each kind of client sends, and how many there are: most of where it costs least.
CLIENTS = {
    "idle": (1000, b""),
    "half a head": (1000, HEAD[:-4]),
    "half a body": (200, WHOLE[:-392]),
    "400 requests and never a read": (50, WHOLE * 400),
    "linger after the last reply": (50, HEAD[:-2] + b"Connection: close\r\n\r\n" + IMAGE),
}
ENDED, REFUSED, OPEN = "closed", "408", "still open"


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
    """Tell of each connection how it stands: what it got, and whether it is over."""
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


def run(rate: float, seconds: int, rounds: int) -> dict[str, Any]:
    """Measure on one server: alone, then as often as asked beside the slow clients."""
    record: dict[str, Any] = {"rate": rate, "seconds": seconds, "rounds": []}
    with Process(OWN, SERVER_CORE) as process:
        measure.warm(OWN, process, ONE)
        worker = process.family()[-1]
        say("alone")
        record["alone"] = at_rate(OWN, process, ONE, rate, seconds, seed=1)
        record["memory_kb"] = [memory(worker)["VmRSS"]]
        for number in range(1, rounds + 1):
            say(f"round {number} of {rounds}: beside slow clients")
            clients = connect(process.port)
            found = at_rate(OWN, process, ONE, rate, seconds, seed=number)
            outcomes = {kind: list(ends(some)) for kind, some in clients.items()}
            counts = {
                kind: {one: some.count(one) for one in sorted(set(some))}
                for kind, some in outcomes.items()
            }
            record["rounds"].append({"latency": found, "ends": counts})
            record["memory_kb"].append(memory(worker)["VmRSS"])
    return record


def markdown(record: dict[str, Any]) -> str:
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
            f"{found['errors']}",
            f"{kb / 1000:.1f}",
        ]
        for (name, found), kb in zip(runs, record["memory_kb"])
    ]
    ended = [
        [
            kind,
            f"{count}",
            "; ".join(_list(each["ends"][kind]) for each in record["rounds"]),
        ]
        for kind, (count, _) in CLIENTS.items()
    ]
    text = f"{__doc__}".split("\n\n", 1)[1]
    return "\n".join(
        [
            "# Beside slow clients\n",
            f"{text}",
            f"{record['rate']:.0f} requests/s for {record['seconds']} s.\n",
            table(["", "p50 ms", "p99", "max", "errors", "worker's RSS, MB"], rows),
            "",
            table(["slow clients", "how many", "in the end, round by round"], ended),
            "",
        ]
    )


def _list(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {one}" for one, count in counts.items())


def main() -> None:
    """Measure, and write the figures and the tables."""
    parser = argparse.ArgumentParser(prog="python -m bench.slow")
    parser.add_argument("--rate", type=float, default=2000, help="(default: 2000)")
    # The service gives a client 8 s; the rest is for the sweep and the lingering.
    parser.add_argument("--seconds", type=int, default=13, help="(default: 13)")
    parser.add_argument("--rounds", type=int, default=3, help="(default: 3)")
    options = parser.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 8192), most))
    record = run(options.rate, options.seconds, options.rounds)
    OUTPUT.mkdir(exist_ok=True)
    (OUTPUT / "slow.json").write_text(json.dumps(record, indent=1) + "\n")
    (OUTPUT / "slow.md").write_text(markdown(record))
    say("wrote slow.json and slow.md in bench/results")


if __name__ == "__main__":
    main()
