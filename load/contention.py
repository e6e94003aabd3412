"""What a process of the generator took, and how long it waited for a core.

A generator that waits measures its own wait. Two counters of Linux show it:
``/proc/self/schedstat`` has the time in which the process could have run and another was
running on its core, and ``cpu.stat`` of its control group the time in which a quota of
processor time was used up. Where they are missing, nothing is known.
"""

import resource
import sys
from pathlib import Path

SCHEDSTAT = Path("/proc/self/schedstat")
GROUPS = Path("/proc/self/cgroup")
MOUNT = Path("/sys/fs/cgroup")
NS, US = 1e-9, 1e-6


class Contention:
    """The time in which this process waited for a core, since the last look.

    Args:
        schedstat: the kernel's file; another one in tests.
        cpu_stat: the control group's; None for this process's.
    """

    def __init__(self, schedstat: Path = SCHEDSTAT, cpu_stat: Path | None = None) -> None:
        self._schedstat, self._cpu_stat = schedstat, cpu_stat or group()
        self._last = self._read()

    def waited(self) -> float | None:
        """Return the seconds since the last call; None where the kernel does not say.

        A process whose group is throttled waits too, and some kernels count that in both:
        the larger is taken, not the sum.
        """
        before, self._last = self._last, self._read()
        both = zip(self._last, before)
        found = [a - b for a, b in both if a is not None and b is not None]
        return max(found, default=None)

    def _read(self) -> tuple[float | None, float | None]:
        return _waiting(self._schedstat), _throttled(self._cpu_stat)


def memory_mib() -> float:
    """Return the most resident memory that this process has had, in MiB."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def _waiting(path: Path) -> float | None:
    try:
        return int(path.read_text().split()[1]) * NS
    except (OSError, ValueError, IndexError):
        return None


def _throttled(path: Path | None) -> float | None:
    try:
        lines = path.read_text().splitlines() if path else []
        found = dict(line.split() for line in lines)
        if "throttled_usec" in found:
            return int(found["throttled_usec"]) * US
        return int(found["throttled_time"]) * NS
    except (OSError, ValueError, KeyError):
        return None


def group() -> Path | None:
    """Return ``cpu.stat`` of this process's control group, of either version, or None."""
    try:
        lines = [line.split(":", 2) for line in GROUPS.read_text().splitlines()]
    except OSError:
        return None
    for _, controllers, path in lines:
        names = controllers.split(",")
        if controllers and "cpu" not in names:
            continue
        # In a container the path is the host's, and the mount is the group itself.
        for folder in (path.strip("/"), ""):
            found = MOUNT / ("cpu" if controllers else "") / folder / "cpu.stat"
            if found.exists():
                return found
    return None
