"""Which core runs what, and how long processes have run, from the kernel's scheduler."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]

# The server and the load on it never share a core, so that neither is measured with the
# other; BOTH is for measurements of two workers.
SERVER_CORE, GENERATOR_CORE, BOTH = "0", "1", "0,1"

Command = Sequence[str | Path]


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


def run_module(core: str, name: str, *options: str) -> Any:
    """Run a Python module on a core, and return the JSON that it prints.

    Raises:
        RuntimeError: it failed.
    """
    command = on(core, [sys.executable, "-m", name, *options])
    environment = os.environ | {"ORT_DISABLE_TELEMETRY": "1"}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True
    )
    if done.returncode:
        raise RuntimeError(f"{name} failed: {done.stderr[-500:]}")
    return json.loads(done.stdout)
