"""How many cores and files this process may use, and how much memory it takes."""

import contextlib
import os
import resource
from pathlib import Path


def cores(cgroup: Path | None = None) -> int:
    """Return the cores that the affinity mask and the cgroup's quota allow, at least 1.

    A quota is rounded down: a worker without a whole core of its own only makes the
    others pause when the quota is used up.

    Args:
        cgroup: the process's cgroup folder; found by itself if not given.
    """
    if hasattr(os, "sched_getaffinity"):
        count = len(os.sched_getaffinity(0))
    else:  # macOS
        count = os.cpu_count() or 1
    folder = cgroup or _own_cgroup()
    # A limit further up binds as well; without the files there is no limit.
    for level in (folder, *folder.parents):
        quota = _quota(level)
        if quota is not None:
            count = min(count, int(quota))
    return max(count, 1)


def open_files() -> int:
    """Raise the limit of open files as far as allowed, and return it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(
        ValueError, OSError
    ):  # macOS: no limit, but not for the soft one
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def resident_bytes() -> int:
    """Return the resident memory of this process; 0 if the system does not say."""
    try:
        pages = Path("/proc/self/statm").read_text().split()[1]
    except OSError:  # macOS
        return 0
    return int(pages) * resource.getpagesize()


def _own_cgroup() -> Path:
    """Return this process's folder in the cgroup file system, version 2 or 1."""
    root = Path("/sys/fs/cgroup")
    try:
        lines = Path("/proc/self/cgroup").read_text().splitlines()
    except OSError:
        return root
    paths = {controllers: path for _, controllers, path in (x.split(":", 2) for x in lines)}
    for controllers, path in paths.items():
        if "cpu" in controllers.split(","):  # version 1
            return root / "cpu" / path.lstrip("/")
    return root / paths.get("", "/").lstrip("/")


def _quota(folder: Path) -> float | None:
    """Return the cores that a cgroup may use, None for no limit.

    ``cpu.max`` of version 2 holds quota and period in µs, or ``max``; version 1 has a
    file for each, with -1 for no limit.
    """
    try:
        if (folder / "cpu.max").exists():
            quota, period = (folder / "cpu.max").read_text().split()
        else:
            quota = (folder / "cpu.cfs_quota_us").read_text()
            period = (folder / "cpu.cfs_period_us").read_text()
        return int(quota) / int(period) if int(quota) > 0 else None
    except (OSError, ValueError, ZeroDivisionError):
        return None
