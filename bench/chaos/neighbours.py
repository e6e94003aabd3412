"""Other programs that take the processor away."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator

from bench.chaos import watch
from bench.chaos.case import Chaos, Finding, case
from bench.chaos.crowd import LARGE_S
from bench.chaos.load import Load

LOOPS = 3  # a core
BUSY_S, CALM_S = 8, 2  # with them, and then for the service to have settled


@contextlib.contextmanager
def busy(loops: int) -> Iterator[None]:
    """Let so many endless loops run beside."""
    command = [sys.executable, "-c", "while True: pass"]
    running = [subprocess.Popen(command) for _ in range(loops)]
    try:
        yield
    finally:
        for process in running:
            process.kill()
            process.wait()


@case(
    f"{LOOPS} endless loops a core beside the service, 8 clients",
    "0 wrong, 0 failed, no time-out, more answered than refused; "
    f"{CALM_S} s after they have gone nothing is refused",
)
def loops(chaos: Chaos) -> Iterator[Finding]:
    server = chaos.start().wait_ready()
    watch.wait(lambda: watch.all_ready(server), LARGE_S)
    with Load(server.port, keep=4, close=4) as load:
        with busy(LOOPS * len(os.sched_getaffinity(0))):
            time.sleep(BUSY_S)
            found = load.look()
        yield Finding(f"{found.counts}", found["right"] > 2 * found["shed"])
        time.sleep(CALM_S)
        before = load.look()
        time.sleep(CALM_S)
        account = load.stop()
    later = account["shed"] - before["shed"]
    yield Finding(f"{later} refused after it", later == 0)
    bad = {
        kind: account[kind] for kind in ("wrong", "unexpected", "failed") if account[kind]
    }
    yield Finding(f"{bad or 'none wrong, none failed'}", not bad)
