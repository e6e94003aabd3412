"""More than it can do: ``python -m bench.overload`` (``make overload``).

One worker on one core, the generator on the other. First the capacity, in a closed loop of
16 connections; then an open loop: normal load (70 % of the capacity), at once twice the
capacity, at once normal load again, while health and metrics are asked every second.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.harness import wrk
from bench.harness.openloop import request
from bench.harness.process import Process
from bench.peers import items, measure
from bench.peers.items import ITEMS, Item
from bench.peers.measure import GENERATOR_CORE, SERVER_CORE, say
from bench.peers.servers import SERVERS, Route
from bench.peers.tables import table
from load.direct import urlopen

OUTPUT = Path(__file__).with_name("results")
OWN = SERVERS[0]
NORMAL, OVER = 0.7, 2.0  # of the capacity
CAPACITY_SECONDS, NORMAL_SECONDS = 10, 20
PROBES = ("/livez", "/readyz", "/metrics")
Record = dict[str, Any]
Floats = npt.NDArray[np.float64]


class Probes(threading.Thread):
    """Asks health and metrics every second, on new connections, until it is stopped."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self._port = port
        self._end = threading.Event()
        self.seconds: dict[str, list[float]] = {path: [] for path in PROBES}
        self.failed = 0

    def run(self) -> None:
        """Ask."""
        while not self._end.wait(1):
            for path, found in self.seconds.items():
                start = time.perf_counter()
                try:
                    url = f"http://127.0.0.1:{self._port}{path}"
                    with urlopen(url, timeout=5) as reply:
                        reply.read()
                    found.append(time.perf_counter() - start)
                except OSError:
                    self.failed += 1

    def stop(self) -> None:
        """End, and wait for it."""
        self._end.set()
        self.join()


def run(item: Item, seconds: int) -> Record:
    """Measure one item on a server of its own."""
    way = items.route(OWN, item)
    with Process(OWN, SERVER_CORE) as process:
        measure.warm(OWN, process, item)
        closed = wrk.run(item, way, process.port, CAPACITY_SECONDS, GENERATOR_CORE)
        capacity = closed["requests_per_s"]
        rates = [(NORMAL, NORMAL_SECONDS), (OVER, seconds), (NORMAL, NORMAL_SECONDS)]
        probes = Probes(process.port)
        probes.start()
        say(f"{item.title}: {capacity:.0f}/s; open loop for {sum(s for _, s in rates)} s")
        plan = [(share * capacity, duration) for share, duration in rates]
        generator, found = rush(item, way, process.port, plan)
        probes.stop()
        record = judge(capacity, found, seconds)
        record["closed_p99_ms"] = closed["p99_us"] / 1000
    shown = {path: 1000 * max(found) for path, found in probes.seconds.items()}
    return record | {"generator": generator, "probes_ms": shown, "failed": probes.failed}


def rush(
    item: Item,
    way: Route,
    port: int,
    plan: Sequence[tuple[float, float]],
    launcher: Sequence[str] = ("taskset", "--cpu-list", GENERATOR_CORE),
    options: Sequence[str] = (),
) -> tuple[Record, dict[str, Any]]:
    """Run the generator of `bench.harness.rush` in a process of its own.

    Args:
        item: what is asked.
        way: where and how.
        port: of the server, on 127.0.0.1.
        plan: rates and for how many seconds.
        launcher: the command that starts the process, by default on the generator's core.
        options: more of the generator's own.

    Returns:
        What the generator says of itself, and its arrays.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(item, way, folder / "requests")
        command = [*launcher, sys.executable, "-m", "bench.harness.rush"]
        command += ["--port", str(port), "--requests", str(folder / "requests"), *options]
        command += ["--rates", ",".join(f"{rate}:{seconds}" for rate, seconds in plan)]
        command += ["--output", str(folder / "found.npz")]
        done = subprocess.run(command, env=os.environ, capture_output=True)
        if done.returncode:
            raise RuntimeError(f"the generator failed: {done.stderr.decode()[-500:]}")
        return json.loads(done.stdout), dict(np.load(folder / "found.npz"))


def write(item: Item, way: Route, folder: Path) -> None:
    """Write an item's requests, heads included, as files into a new folder."""
    folder.mkdir()
    for number, images in enumerate(items.pixels(item)):
        content = request(way.path, items.headers(item, way), way.format.encode(images))
        (folder / f"{number:02}").write_bytes(content)


def judge(capacity: float, found: Any, seconds: int) -> Record:
    """Return the figures of the three phases, from each request's due time and answer."""
    due, took, status = found["due"], found["seconds"], found["status"]
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


def _figures(took: Floats, status: Floats, seconds: float) -> Record:
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


def _recovered(since: Floats, took: Floats, status: Floats, normal: Record) -> float:
    """Return from when on (s) each second is without a refusal and as fast as before."""
    for second in range(NORMAL_SECONDS - 1, -1, -1):
        inside = (since >= second) & (since < second + 1)
        slow = np.percentile(took[inside], 99) > 2 * normal["p99_ms"] / 1000
        if slow or (status[inside] != 200).any():
            return second + 1
    return 0


def markdown(record: dict[str, Record]) -> str:
    """Return the table."""
    rows = []
    for title, one in record.items():
        for name, phase in [(n, one[n]) for n in ("normal", "over", "after")]:
            rows.append(
                [
                    f"{title}: {name}",
                    *(f"{phase[k]:.0f}" for k in ("due_per_s", "answered_per_s")),
                    f"{phase['refused_per_s']:.0f}",
                    f"{phase['unanswered']}",
                    *(f"{phase[k]:.1f}" for k in ("p50_ms", "p99_ms")),
                    *(f"{phase[k]:.1f}" for k in ("refused_p99_ms", "refused_p100_ms")),
                ]
            )
    heads = ["", "due/s", "answered/s", "refused/s", "no answer"]
    heads += ["p50 ms", "p99", "refused p99", "refused max"]
    sums = [
        [
            title,
            f"{one['capacity']:.0f}",
            f"{one['goodput']:.0%}",
            f"{one['p99_ratio']:.1f}",
            f"{one['recovered_s']:.0f}",
            "; ".join(f"{path} {ms:.0f}" for path, ms in one["probes_ms"].items()),
            f"{one['failed']}",
        ]
        for title, one in record.items()
    ]
    heads_2 = ["", "capacity/s", "goodput", "p99 over / normal", "recovered, s"]
    heads_2 += ["health and metrics, slowest ms", "failed"]
    text = __doc__.split("\n\n", 1)[1]
    parts = ["# More than it can do\n", text, table(heads, rows), "", table(heads_2, sums)]
    return "\n".join([*parts, ""])


def main() -> None:
    """Measure, and write the figures and the tables."""
    parser = argparse.ArgumentParser(prog="python -m bench.overload")
    parser.add_argument("--seconds", type=int, default=300, help="of overload")
    parser.add_argument("--items", default="binary64", help=f"of {[i.name for i in ITEMS]}")
    options = parser.parse_args()
    chosen = [item for item in ITEMS if item.name in options.items.split(",")]
    record = {item.title: run(item, options.seconds) for item in chosen}
    OUTPUT.mkdir(exist_ok=True)
    (OUTPUT / "overload.json").write_text(json.dumps(record, indent=1) + "\n")
    (OUTPUT / "overload.md").write_text(markdown(record))
    print(markdown(record))


if __name__ == "__main__":
    main()
