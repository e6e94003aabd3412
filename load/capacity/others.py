"""Whether the machine was ours: what other processes, or other machines, took of it."""

import os
import resource
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

from load.capacity.targets import core_seconds
from load.peers.measure import say

# A share of all cores. The kernel's own work for the network is among it, 1 or 2 %.
FEW = 0.05
TRIES = 3
TICKS_S = os.sysconf("SC_CLK_TCK")
Found = TypeVar("Found")


def quietest(
    measure: Callable[[], Found], living: Iterable[int] = ()
) -> tuple[Found, float]:
    """Measure, again while others take more than a few percent, and return the quietest.

    Args:
        measure: what is done; the processes that it starts have ended when it returns.
        living: processes of ours that go on.

    Returns:
        What it has returned, and the share of all cores that others took meanwhile.
    """
    living = list(living)
    tried: list[tuple[Found, float]] = []
    while len(tried) < TRIES and not (tried and tried[-1][1] < FEW):
        busy, ours, start = _busy_seconds(), _own_seconds(living), time.perf_counter()
        found = measure()
        others = _busy_seconds() - busy - (_own_seconds(living) - ours)
        share = others / (time.perf_counter() - start) / (os.cpu_count() or 1)
        say(f"  others took {share:.1%} of the machine")
        tried.append((found, share))
    return min(tried, key=lambda pair: pair[1])


def _busy_seconds() -> float:
    """Return how long all cores have worked, or were taken away from this machine."""
    fields = list(map(int, Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]))
    idle, iowait = fields[3:5]
    return (sum(fields) - idle - iowait) / TICKS_S


def _own_seconds(living: Iterable[int]) -> float:
    """Return how long we, those that we started, and some that still run, have worked."""
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    used = [resource.getrusage(kind) for kind in kinds]
    return sum(each.ru_utime + each.ru_stime for each in used) + core_seconds(living)
