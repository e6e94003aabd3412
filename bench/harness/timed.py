"""The open loop in a process of its own, and what its figures say.

    python -m bench.harness.timed --port 8000 --requests FOLDER --rates 2000:20 --output F

Requests are due at random (Poisson), one phase after the other without a pause.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from bench.harness.cores import GENERATOR_CORE, run_module
from bench.harness.openloop import OpenLoop
from bench.harness.results import percentile
from bench.harness.wire import Reply, read_requests, write_requests
from load.arrivals import arrivals

# Far above what an overloaded server that refuses lets come up.
MANY = 4000
UNANSWERED = 0

Floats = npt.NDArray[np.float64]


class Phase(NamedTuple):
    """A rate in requests per second, and for how many seconds."""

    rate: float
    seconds: float


class Timed(NamedTuple):
    """What became of the requests, in the order in which they were due.

    Attributes:
        due: when, in seconds from the start.
        seconds: from then to the reply.
        status: of the reply. `UNANSWERED` without one, and for a 503 without
            ``Retry-After``, which no client can act on.
        late_s: how late the generator was, 99th percentile.
        core_s: its CPU time.
        most_open: connections at the same time.
        resent: requests that went out again, since their kept connection had ended.
    """

    due: Floats
    seconds: Floats
    status: npt.NDArray[np.uint16]
    late_s: float
    core_s: float
    most_open: int
    resent: int


def measure(
    port: int,
    requests: Sequence[bytes],
    phases: Sequence[Phase],
    *,
    seed: int = 1,
    connections: int = 0,
    most: int = MANY,
    core: str = GENERATOR_CORE,
) -> Timed:
    """Run the generator on a core of its own.

    Args:
        port: of the server, on 127.0.0.1.
        requests: what is sent, in turn.
        phases: one after the other.
        seed: of the Poisson process.
        connections: how many are opened before the start.
        most: how many there may be.
        core: of the generator.
    """
    with tempfile.TemporaryDirectory() as name:
        write_requests(requests, Path(name))
        file = Path(name) / "found.npz"
        rates = ",".join(f"{phase.rate}:{phase.seconds}" for phase in phases)
        said = run_module(
            *(core, "bench.harness.timed", f"--port={port}", f"--requests={name}"),
            *(f"--rates={rates}", f"--seed={seed}", f"--output={file}"),
            *(f"--connections={connections}", f"--most={most}"),
        )
        return Timed(**dict(np.load(file)), **said)


def schedule(phases: Iterable[Phase], seed: int) -> Floats:
    """Return when requests are due, in seconds from the start."""
    times: list[float] = []
    start = 0.0
    for number, (rate, seconds) in enumerate(phases):
        due = arrivals("poisson", rate, seconds, seed + number)
        times += (start + each for each in due)
        start += seconds
    return np.array(times)


def run(
    port: int,
    requests: Sequence[bytes],
    due: Floats,
    connections: int = 0,
    most: int = MANY,
) -> Timed:
    """Run the generator in this process; see `measure`."""
    seconds, status = np.zeros(len(due)), np.zeros(len(due), np.uint16)

    def take(number: int, reply: Reply | None, took: float) -> None:
        seconds[number] = took
        if reply and (reply.status != 503 or reply.sheds):
            status[number] = reply.status

    loop = OpenLoop(
        port,
        lambda number: requests[number % len(requests)],
        take,
        connections=connections,
        most=most,
    )
    before = time.process_time()
    loop.run(due.tolist())
    core = time.process_time() - before
    late = percentile(sorted(loop.late), 99)
    return Timed(due, seconds, status, late, core, loop.most_open, loop.resent)


def summary(found: Timed) -> dict[str, Any]:
    """Return counts, the percentiles of the 200s and the lateness, times in µs."""
    ordered = (np.sort(found.seconds[found.status == 200]) * 1e6).tolist()
    points = {f"p{point:g}_us": percentile(ordered, point) for point in (50, 90, 99, 99.9)}
    return {
        "due": len(found.due),
        "answered": len(ordered),
        "errors": len(found.due) - len(ordered),
        **points,
        "max_us": percentile(ordered, 100),
        "generator_late_p99_us": found.late_s * 1e6,
    }


def main() -> None:
    """Run the phases; write the arrays, and print the rest as JSON."""
    parser = argparse.ArgumentParser(prog="python -m bench.harness.timed")
    parser.add_argument("--port", type=int, required=True, help="on 127.0.0.1")
    parser.add_argument("--requests", type=Path, required=True, help="folder of requests")
    parser.add_argument("--rates", required=True, help="requests/s:seconds, ...")
    parser.add_argument("--seed", type=int, default=1, help="(default: 1)")
    parser.add_argument("--connections", type=int, default=0, help="opened at the start")
    parser.add_argument("--most", type=int, default=MANY, help="connections")
    parser.add_argument("--output", type=Path, required=True, help="file for the arrays")
    options = parser.parse_args()
    pairs = (map(float, pair.split(":")) for pair in options.rates.split(","))
    due = schedule([Phase(*pair) for pair in pairs], options.seed)
    requests = read_requests(options.requests)
    found = run(options.port, requests, due, options.connections, options.most)
    said = found._asdict()
    np.savez(options.output, **{k: said.pop(k) for k in ("due", "seconds", "status")})
    print(json.dumps(said))


if __name__ == "__main__":
    main()
