"""The machine that something was measured on."""

import os
import platform
from pathlib import Path


def describe() -> dict[str, str | int]:
    """Return the processor's name, the cores for this process, and Python's version."""
    return {"cpu": _processor(), "cores": _cores(), "python": platform.python_version()}


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [
        line.partition(":")[2].strip() for line in lines if line.startswith("model name")
    ]
    return names[0] if names else platform.machine()
