"""What the server's processes take, every few seconds, from /proc."""

from pathlib import Path
from typing import Any, NamedTuple

from bench.chaos import watch
from bench.harness.server import memory
from bench.harness.service import Service

MEMORY = Path("/dev/shm")


class Sample(NamedTuple):
    """One process at one time.

    Attributes:
        at: seconds from the start of the load.
        pid: the process.
        rss_kb, pss_kb: resident memory, and the share of it.
        files: open files but sockets, which come and go with the clients, and heartbeats,
            of which the master has one for each worker.
        sockets: those.
        threads: its threads.
    """

    at: float
    pid: int
    rss_kb: int
    pss_kb: int
    files: int
    sockets: int
    threads: int


def take(at: float, pid: int) -> Sample | None:
    """Look at a process; None if it has just ended."""
    try:
        used, files = memory(pid), watch.files(pid)
        threads = len(list(Path(f"/proc/{pid}/task").iterdir()))
    except (OSError, ValueError):
        return None
    sockets = sum(file.startswith("socket:") for file in files)
    kept = len(files) - sockets - sum("wgunicorn-" in file for file in files)
    return Sample(at, pid, used["VmRSS"], used["Pss"], kept, sockets, threads)


def take_all(at: float, server: Service) -> list[Sample]:
    """Look at the master and the workers."""
    pids = [server.process.pid, *server.worker_pids()]
    return [sample for pid in pids if (sample := take(at, pid))]


def left_behind(temporary: Path) -> list[int]:
    """Return how many files are in its folder for temporary ones, and in /dev/shm."""
    return [len(list(folder.iterdir())) for folder in (temporary, MEMORY)]


def as_dicts(samples: list[Sample]) -> list[dict[str, Any]]:
    """Return the samples for JSON."""
    return [sample._asdict() for sample in samples]
