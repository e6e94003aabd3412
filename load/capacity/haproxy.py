"""A real HAProxy in front of replicas on this machine."""

import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from load.peers.process import free_port

SHIPPED = Path(__file__).resolve().parents[2] / "deploy" / "haproxy" / "haproxy.cfg"
READY_SECONDS = 10
PATHS = f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin"  # where it is, root or not

CONFIG = """\
global
    nbthread 1
    tune.bufsize {bufsize}

defaults
    mode http
    timeout connect 5s
    timeout client 30s
    timeout server 30s
    http-reuse {reuse}

listen replicas
    bind 127.0.0.1:{port}
    option http-buffer-request
    balance {balance}
{servers}
"""


def shipped(name: str) -> str:
    """Return what a line of the configuration that is shipped says, such as ``balance``."""
    (value,) = re.findall(rf"^\s*{name} (.+?)\s*$", SHIPPED.read_text(), re.M)
    return str(value)


class Haproxy:
    """HAProxy with one thread, for a ``with`` statement.

    Attributes:
        port: where it listens, on 127.0.0.1.
        pid: its process.
    """

    def __init__(self, ports: Sequence[int], launcher: Sequence[str], balance: str) -> None:
        """Make one.

        Args:
            ports: of the replicas.
            launcher: the command that starts it, such as ``taskset``.
            balance: how it chooses a replica.
        """
        self._launcher = launcher
        self.port = free_port()
        servers = "\n".join(f"    server s{n} 127.0.0.1:{p}" for n, p in enumerate(ports))
        self._config = CONFIG.format(
            port=self.port,
            balance=balance,
            servers=servers,
            reuse=shipped("http-reuse"),
            bufsize=shipped("tune.bufsize"),
        )

    def __enter__(self) -> Self:
        """Start it, and wait until it listens."""
        binary = shutil.which("haproxy", path=PATHS)
        if not binary:
            raise RuntimeError("found no haproxy, expected Debian's package haproxy")
        self._folder = tempfile.TemporaryDirectory()
        path = Path(self._folder.name) / "haproxy.cfg"
        path.write_text(self._config)
        self._popen = subprocess.Popen([*self._launcher, binary, "-db", "-f", str(path)])
        self.pid = self._popen.pid
        end = time.perf_counter() + READY_SECONDS
        while time.perf_counter() < end and self._popen.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return self
            time.sleep(0.02)
        self.__exit__(None, None, None)
        raise RuntimeError(f"haproxy does not listen; its configuration:\n{self._config}")

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End it."""
        self._popen.terminate()
        self._popen.wait(10)
        self._folder.cleanup()
