"""The open loop on a core of its own, and what its figures say."""

import math
import time
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from bench.harness.cores import GENERATOR_CORE, call_on
from bench.harness.openloop import OpenLoop
from bench.harness.results import percentile
from bench.harness.wire import Reply
from load.arrivals import arrivals

# Far above what an overloaded server that refuses lets come up.
MANY = 4000
UNANSWERED = 0
LEFT = 1  # the client gave up before there was an answer

Floats = npt.NDArray[np.float64]


class Phase(NamedTuple):
    """A rate in requests per second, and for how many seconds.

    Attributes:
        leave_s: after how long without a reply every other client closes its connection.
    """

    rate: float
    seconds: float
    leave_s: float = math.inf


class Timed(NamedTuple):
    """What became of the requests, in the order in which they were due.

    Attributes:
        due: when, in seconds from the start.
        seconds: from then to the reply.
        status: of the reply; `LEFT` for one that was given up. `UNANSWERED` without one,
            and for a 503 without ``Retry-After``, which no client can act on.
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
) -> Timed:
    """Run the generator on its core.

    Args:
        port: of the server, on 127.0.0.1.
        requests: what is sent, in turn.
        phases: one after the other, without a pause.
        seed: of the Poisson process.
        connections: how many are opened before the start.
        most: how many there may be.
    """
    due = schedule(phases, seed)
    leave_s = patience(phases, due)
    return call_on(GENERATOR_CORE, run, port, requests, due, connections, most, leave_s)


def schedule(phases: Iterable[Phase], seed: int) -> Floats:
    """Return when requests are due, in seconds from the start: at random (Poisson)."""
    times: list[float] = []
    start = 0.0
    for number, phase in enumerate(phases):
        due = arrivals("poisson", phase.rate, phase.seconds, seed + number)
        times += (start + each for each in due)
        start += phase.seconds
    return np.array(times)


def patience(phases: Sequence[Phase], due: Floats) -> Floats:
    """Return for how many seconds the client of each request waits for its reply."""
    ends = np.cumsum([phase.seconds for phase in phases])
    leave_s = np.array([phase.leave_s for phase in phases])
    found = leave_s[np.searchsorted(ends[:-1], due, side="right")]
    found[::2] = math.inf
    return found


def run(
    port: int,
    requests: Sequence[bytes],
    due: Floats,
    connections: int = 0,
    most: int = MANY,
    leave_s: Floats | None = None,
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
        patience=lambda number: math.inf if leave_s is None else leave_s[number],
    )
    before = time.process_time()
    loop.run(due.tolist())
    core = time.process_time() - before
    status[loop.left] = LEFT
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
