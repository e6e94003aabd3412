"""Which core runs what, and how long processes have run, from the kernel's scheduler."""

import multiprocessing
import os
import shutil
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import ParamSpec, TypeVar

ROOT = Path(__file__).resolve().parents[2]

# The server and the load on it never share a core, so that neither is measured with the
# other; BOTH is for measurements of two workers.
SERVER_CORE, GENERATOR_CORE, BOTH = "0", "1", "0,1"

Command = Sequence[str | Path]
P = ParamSpec("P")
T = TypeVar("T")


def on(cores: str, command: Command) -> list[str | Path]:
    """Return a command that runs on the given cores only; an empty list means any."""
    return ["taskset", "--cpu-list", cores, *command] if cores else [*command]


def core_seconds(pids: Iterable[int]) -> float:
    """Return how long some processes have run on a core, all their threads together."""
    nanoseconds = 0
    for pid in pids:
        for path in Path(f"/proc/{pid}/task").glob("*/schedstat"):
            nanoseconds += int(path.read_text().split()[0])
    return nanoseconds / 1e9


def require(*tools: str) -> None:
    """Exit with a message unless both cores and the given programs are available.

    Raises:
        SystemExit: what is missing.
    """
    for tool in ("taskset", *tools):
        if not shutil.which(tool):
            raise SystemExit(f"found no {tool}, expected it on the PATH (a Debian package)")
    cores = os.sched_getaffinity(0)
    if not {0, 1} <= cores:
        raise SystemExit(f"found the cores {sorted(cores)}, expected 0 and 1 among them")


def call_on(cores: str, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a function in a new process on the given cores only, and return its result."""
    wanted = {int(core) for core in cores.split(",")}
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, context, os.sched_setaffinity, (0, wanted)) as pool:
        return pool.submit(function, *args, **kwargs).result()
