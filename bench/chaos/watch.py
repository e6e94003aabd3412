"""What /proc and /metrics tell about a server's processes."""

import contextlib
import os
import resource
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from bench.harness.server import Server
from bench.harness.service import Service

# States of a connection in /proc/net/tcp; closing are FIN_WAIT1, FIN_WAIT2 and CLOSE_WAIT.
ESTABLISHED, CLOSING = "01", ("04", "05", "08")


def wait(condition: Callable[[], object], seconds: float) -> float | None:
    """Wait until something is so; return after how many seconds, or None if it is not."""
    start = time.monotonic()
    while not condition():
        if time.monotonic() - start > seconds:
            return None
        time.sleep(0.01)
    return time.monotonic() - start


def alive(pid: int) -> bool:
    """Return whether a process runs; a zombie does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


def files(pid: int) -> list[str]:
    """Return what a process has open: paths, ``socket:[...]``, ``anon_inode:...``."""
    found = []
    for link in Path(f"/proc/{pid}/fd").iterdir():
        try:
            found.append(os.readlink(link))
        except OSError:
            continue  # closed meanwhile
    return found


def serves(pid: int) -> bool:
    """Return whether a worker is ready: its event loop exists once the model is loaded."""
    try:
        return alive(pid) and any("[eventpoll]" in file for file in files(pid))
    except OSError:
        return False


def ready(server: Service) -> list[int]:
    """Return the workers that are ready."""
    try:
        return [pid for pid in server.worker_pids() if serves(pid)]
    except OSError:
        return []


def all_ready(server: Service, without: Iterable[int] = ()) -> bool:
    """Return whether all workers that are wanted serve, and none of some others."""
    pids = server.worker_pids()
    return (
        len(pids) == server.workers
        and all(serves(pid) for pid in pids)
        and not set(pids) & set(without)
    )


def clients(pid: int) -> int:
    """Return how many connections a process has with clients that are there."""
    return _connections(pid, {ESTABLISHED})


def held(pid: int) -> int:
    """Return how many connections a process has, those included that one side has ended."""
    return _connections(pid, {ESTABLISHED, *CLOSING})


def _connections(pid: int, states: set[str]) -> int:
    sockets = set(files(pid))
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    fields = (line.split() for line in lines)
    return sum(f[3] in states and f"socket:[{f[9]}]" in sockets for f in fields)


def resident(*pids: int) -> float:
    """Return the resident memory of processes together, in MiB; one that ended has none."""
    pages = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            pages += int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * resource.getpagesize() / (1 << 20)


def metrics(server: Server) -> dict[str, float]:
    """Return every sample of /metrics by its name and labels."""
    text = server.request("GET", "/metrics").body.decode()
    lines = [line for line in text.splitlines() if line and line[0] != "#"]
    return {name: float(value) for name, _, value in (li.rpartition(" ") for li in lines)}


def total(samples: dict[str, float], name: str) -> float:
    """Add up a metric over its labels."""
    return sum(value for key, value in samples.items() if key.partition("{")[0] == name)
