"""What a load test runs on, and what the server takes there."""

import contextlib
import json
import platform
import subprocess
import time
from collections.abc import Callable
from http.client import HTTPException
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import psutil

from load.direct import urlopen
from load.record import Phase, Usage

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("locust", "gevent", "geventhttpclient", "uvloop")
SETTINGS = ("MNIST_", "WEB_CONCURRENCY")
LOCAL = ("127.0.0.1", "localhost", "::1")


def machine() -> dict[str, Any]:
    """Return what the generator runs on."""
    return {
        "processor": _processor(),
        "cores": len(_cores()),
        "memory GiB": round(psutil.virtual_memory().total / (1 << 30), 1),
        "system": platform.platform(),
    }


class Stolen:
    """How much of this virtual machine's time goes to others on the same host."""

    def __init__(self) -> None:
        self._before = psutil.cpu_times()

    def share(self) -> float | None:
        """Return the share since the start; None where the kernel does not count it."""
        now, before = psutil.cpu_times(), self._before
        if not hasattr(now, "steal"):
            return None
        # The guests' time is in the user's already.
        total = sum(now[:8]) - sum(before[:8])
        return (now.steal - before.steal) / total if total > 0 else None


def _cores(process: psutil.Process | None = None) -> list[int]:
    """Return the cores that a process may use, this one by default."""
    try:
        return (process or psutil.Process()).cpu_affinity() or []
    except AttributeError:  # macOS has no such thing
        return list(range(psutil.cpu_count() or 1))


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = (
        line.partition(":")[2].strip() for line in lines if line.startswith("model name")
    )
    return next(names, platform.machine())


def versions() -> dict[str, str]:
    """Return the versions of what sends."""
    return {
        "python": platform.python_version(),
        **{name: metadata.version(name) for name in PACKAGES},
    }


def commit() -> str | None:
    """Return the project's commit, marked if it was changed; None outside a repository."""
    try:
        command = ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
        out = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return None
    return out.stdout.strip() or None


def server(host: str) -> list[psutil.Process]:
    """Return the processes that listen at a host's port, if they are on this machine."""
    parts = urlsplit(host)
    if parts.hostname not in LOCAL:
        return []
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme, 0)
    try:
        sockets = psutil.net_connections("tcp")
    except psutil.Error:  # macOS asks for root
        return []
    listening = {
        each.pid
        for each in sockets
        if each.pid and each.status == psutil.CONN_LISTEN and each.laddr.port == port
    }
    # Of processes that share a socket only the first is found: the others are its children.
    found = []
    for pid in listening:
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(pid)
            found += [process, *process.children(recursive=True)]
    return list({each.pid: each for each in found}.values())


def server_version(host: str) -> str | None:
    """Return what a server says of itself at ``/v2``; None if it does not."""
    try:
        with urlopen(f"{host}/v2", timeout=5) as reply:
            said = json.load(reply)
        return f"{said['name']} {said['version']}"
    except (OSError, HTTPException, ValueError, KeyError, TypeError):
        return None


class _Sample(NamedTuple):
    at: float
    seconds: dict[int, float]  # of processor time, by process
    memory: int  # bytes


class ServerWatch:
    """Takes samples of the server's processes, where they are on this machine."""

    def __init__(self, host: str) -> None:
        self._processes = server(host)  # takes a while: before the load begins
        self._samples: list[_Sample] = []

    def settings(self) -> dict[str, Any]:
        """Return the server's variables of the environment, and the cores it may use."""
        for process in self._processes:
            try:
                variables = process.environ()
                cores = _cores(process)
            except psutil.Error:
                continue
            names = sorted(n for n in variables if n.startswith(SETTINGS))
            return {**{n: variables[n] for n in names}, "server's cores": cores}
        return {}

    def watch(self, sleep: Callable[[float], None]) -> None:
        """Take a sample every second, without an end."""
        while self._processes:
            self._samples.append(self._sample())
            sleep(1)

    def usage(self, phases: list[tuple[float, Phase]]) -> list[Usage]:
        """Return what the server took in some phases, given with the time of their start.

        One, or none if it is elsewhere.
        """
        used: dict[int, float] = {}
        seconds = 0.0
        memory = 0
        for start, phase in phases:
            inside = [s for s in self._samples if 0 <= s.at - start <= phase.seconds]
            if len(inside) < 2:
                continue
            seconds += inside[-1].at - inside[0].at
            memory = inside[-1].memory
            for pid in {pid for sample in inside for pid in sample.seconds}:
                spent = [s.seconds[pid] for s in inside if pid in s.seconds]
                used[pid] = used.get(pid, 0.0) + spent[-1] - spent[0]
        if not seconds:
            return []
        cores = [each / seconds for each in used.values()]
        processes = len(self._samples[-1].seconds)
        return [Usage("server", sum(cores), max(cores), memory / (1 << 20), processes)]

    def _sample(self) -> _Sample:
        seconds, memory, gone = {}, 0, False
        for process in self._processes:
            try:
                times = process.cpu_times()
                memory += process.memory_info().rss
            except psutil.Error:
                gone = True
                continue
            seconds[process.pid] = times.user + times.system
        if gone:
            self._processes = self._family()
        return _Sample(time.perf_counter(), seconds, memory)

    def _family(self) -> list[psutil.Process]:
        """Return the processes that are left and their children: a reload makes others.

        Only then: it takes some ms, in which nothing is sent.
        """
        left = [process for process in self._processes if process.is_running()]
        children = [each for process in left for each in process.children()]
        return list({each.pid: each for each in (*left, *children)}.values())
