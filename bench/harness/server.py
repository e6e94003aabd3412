"""A running server: started on given cores, waited for, measured, and stopped for sure."""

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, NamedTuple, Self

from bench.harness.cores import ROOT, Command, core_seconds, on

START_S = 120  # far above the usual half second, for a machine that is very busy
STOP_S = 120  # far above gunicorn's own graceful timeout, too


class ServerError(Exception):
    """A server cannot be installed or started; the text is the reason."""


class Answer(NamedTuple):
    """A reply to `Server.request`."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        """The body, parsed."""
        return json.loads(self.body)


class Server:
    """A server's processes. It is started at once, and stopped by ``with`` or `stop`.

    Args:
        command: what to run.
        log_path: file for what it prints.
        port: where it listens, on 127.0.0.1; 0 if `wait_ready` finds out.
        cores: those it may run on, such as ``0,1``; all by default.
        environment: all its variables; by default those of this process.
        folder: its working directory.
        output: where it prints instead of the log.
    """

    def __init__(
        self,
        command: Command,
        log_path: Path,
        *,
        port: int = 0,
        cores: str = "",
        environment: Mapping[str, str] | None = None,
        folder: Path = ROOT,
        output: int | IO[Any] | None = None,
    ) -> None:
        self.log_path, self.port = log_path, port
        self.ready_seconds = 0.0  # from its start to its first 200
        self._started = time.perf_counter()
        with log_path.open("wb") as log:
            self.process = subprocess.Popen(
                on(cores, command),
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output or log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for whoever measures, who stops it
            )

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """What it has printed."""
        return self.log_path.read_text(errors="replace")

    def tail(self) -> str:
        """Return the last three lines of the log as one, without the checkout's path."""
        lines = self.log.replace(str(ROOT), ".").splitlines()[-3:]
        return " | ".join(line.strip() for line in lines)[-400:]

    def wait_until(self, pattern: str) -> re.Match[str]:
        """Wait for a match in the log, and return it.

        Raises:
            ServerError: the server ended, or it took more than `START_S`.
        """
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            ended = self.process.poll() is not None
            if found := re.search(pattern, self.log):
                return found
            if ended:
                break
            time.sleep(0.02)
        raise ServerError(f"no {pattern!r} in the log:\n{self.log}")

    def wait_ready(self, path: str = "/readyz", seconds: float = START_S) -> Self:
        """Wait until a path answers 200.

        Raises:
            ServerError: the server ended, or it took more than that many seconds.
        """
        deadline = self._started + seconds
        while time.perf_counter() < deadline:
            if self.process.poll() is not None:
                raise ServerError(f"exit code {self.process.returncode}: {self.tail()}")
            with contextlib.suppress(OSError, http.client.HTTPException):
                if self.request("GET", path).status == 200:
                    self.ready_seconds = time.perf_counter() - self._started
                    return self
            time.sleep(0.005)
        raise ServerError(f"not ready after {seconds} s: {self.tail()}")

    def request(
        self,
        method: str,
        path: str,
        body: bytes | str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Ask on a new connection, and return the reply.

        Raises:
            OSError: no connection, or no reply in `START_S`.
            http.client.HTTPException: the reply is not HTTP.
        """
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=START_S)
        with contextlib.closing(connection):
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())

    def family(self) -> list[int]:
        """Return its process and all below it, parents first."""
        below: dict[int, list[int]] = {}
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):  # one that has just ended
                parent = int(stat.read_text().rpartition(")")[2].split()[1])
                below.setdefault(parent, []).append(int(stat.parent.name))
        family = [self.process.pid]
        for pid in family:
            family += below.get(pid, [])
        return family

    def worker_pids(self) -> list[int]:
        """Return the processes that it has started itself."""
        children = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
        return [int(pid) for pid in Path(children).read_text().split()]

    def core_seconds(self) -> float:
        """Return how long its processes have run on a core together."""
        return core_seconds(self.family())

    def request_stop(self) -> None:
        """Send SIGTERM, if it still runs."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)

    def wait(self, seconds: float = STOP_S) -> int:
        """Wait for its end, and return the exit code.

        Raises:
            subprocess.TimeoutExpired: it still runs.
        """
        return self.process.wait(seconds)

    def stop(self, seconds: float = STOP_S) -> int:
        """Send SIGTERM, wait, and return the exit code; kill whatever is left.

        Raises:
            subprocess.TimeoutExpired: it did not stop by itself.
        """
        family = self.family()
        self.request_stop()
        try:
            return self.wait(seconds)
        finally:
            for pid in family:  # what outlives its parent would take the next one's core
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self.process.wait()

    def __enter__(self) -> Self:
        """Return the server."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop it, in 10 s or by force."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.stop(10)


def memory(pid: int) -> dict[str, int]:
    """Return a process's resident memory in kB: VmRSS, and Pss, its share of it."""
    found = {}
    for file, field in (("status", "VmRSS"), ("smaps_rollup", "Pss")):
        lines = Path(f"/proc/{pid}/{file}").read_text().splitlines()
        (line,) = (line for line in lines if line.startswith(f"{field}:"))
        found[field] = int(line.split()[1])
    return found


def free_port() -> int:
    """Return a port that is free now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port
