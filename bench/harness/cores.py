"""CPU time of processes, from the kernel's scheduler."""

from collections.abc import Iterable
from pathlib import Path


def core_seconds(processes: Iterable[int]) -> float:
    """Return how long some processes have run on a core, all their threads together."""
    nanoseconds = 0
    for process in processes:
        for path in Path(f"/proc/{process}/task").glob("*/schedstat"):
            nanoseconds += int(path.read_text().split()[0])
    return nanoseconds / 1e9
