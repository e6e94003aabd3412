"""A running server: started on given cores, waited for, measured, and ended for sure."""

import contextlib
import os
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from bench.peers import environment
from bench.peers.environment import UnavailableError
from bench.peers.model import ROOT
from bench.peers.servers import Server
from load.direct import urlopen

READY_SECONDS = 90  # Triton takes some 10 on an idle machine


class Process:
    """A server's processes, for a ``with`` statement.

    Attributes:
        port: where it listens, on 127.0.0.1.
        ready_seconds: from its start to the first 200 of its readiness route.
    """

    def __init__(self, server: Server, cores: str, workers: int = 1) -> None:
        self._server, self._cores, self._workers = server, cores, workers
        self.port = free_port()
        self.ready_seconds = 0.0

    def __enter__(self) -> Self:
        """Start it, and wait until it is ready."""
        # Some servers write where they are started; none of it is to stay.
        self._folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self._log = Path(self._folder.name) / "server.log"
        started = time.perf_counter()
        with self._log.open("wb") as output:
            self._popen = subprocess.Popen(
                self._command(),
                cwd=self._folder.name,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        try:
            self._wait(started)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End it, and all that it started."""
        family = self.family()
        self._popen.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._popen.wait(10)
        for pid in family:  # what outlives its parent would take the core from the next one
            _kill(pid)
        self._popen.wait()
        self._folder.cleanup()

    def family(self) -> list[int]:
        """Return the server's process and all below it."""
        children: dict[int, list[int]] = {}
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                parent = int(stat.read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue  # it has just ended
            children.setdefault(parent, []).append(int(stat.parent.name))
        family = [self._popen.pid]
        for pid in family:
            family += children.get(pid, [])
        return family

    def log(self) -> str:
        """Return the last lines that the server wrote."""
        text = self._log.read_text(errors="replace").replace(str(ROOT), ".")
        return " | ".join(line.strip() for line in text.splitlines()[-3:])[-400:]

    def _command(self) -> list[str]:
        program, *arguments = self._server.command.format(
            folder=environment.FOLDER / self._server.name, port=self.port
        ).split()
        binary = environment.place(self._server) / "bin" / program
        return ["taskset", "--cpu-list", self._cores, str(binary), *arguments]

    def _environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("HOME", "LANG") if name in os.environ}
        binaries = environment.place(self._server) / "bin"
        return kept | {
            "PATH": f"{binaries}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "PORT": str(self.port),
            "WEB_CONCURRENCY": str(self._workers),
            "MNIST_MODEL_VERSION": "1",  # the file that the others have
            "ORT_DISABLE_TELEMETRY": "1",
            "OMP_NUM_THREADS": "1",
            "BENTOML_DO_NOT_TRACK": "True",
            "BENTOML_HOME": self._folder.name,
            "MLSERVER_HOST": "127.0.0.1",
            "MLSERVER_HTTP_PORT": str(self.port),
            "MLSERVER_GRPC_PORT": str(free_port()),
            "MLSERVER_METRICS_PORT": str(free_port()),
            "PYTRITON_HOME": self._folder.name,
            **self._server.environment,
        }

    def _wait(self, started: float) -> None:
        url = f"http://127.0.0.1:{self.port}{self._server.ready}"
        while time.perf_counter() < started + READY_SECONDS:
            if self._popen.poll() is not None:
                raise UnavailableError(f"exit code {self._popen.returncode}: {self.log()}")
            try:
                with urlopen(url, timeout=5):
                    self.ready_seconds = time.perf_counter() - started
                    return
            except OSError:
                time.sleep(0.005)
        raise UnavailableError(f"not ready after {READY_SECONDS} s: {self.log()}")


def memory(pid: int) -> dict[str, int]:
    """Return a process's resident memory in kB: VmRSS, and PSS, its share of it."""
    found = {}
    for file, field in (("status", "VmRSS"), ("smaps_rollup", "Pss")):
        lines = Path(f"/proc/{pid}/{file}").read_text().splitlines()
        (line,) = (line for line in lines if line.startswith(f"{field}:"))
        found[field] = int(line.split()[1])
    return found


def free_port() -> int:
    """Return a port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
