"""A real gunicorn for tests and tools to talk to."""

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import NamedTuple

from bench.chaos import watch

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".venv" / "service" / "bin" / "python"  # `make test` makes it
# Far above what anything takes: to be patient costs nothing, and a busy machine is no bug.
PATIENCE_S = 120
# Longer than any stall of a busy machine; tests of these limits set their own.
PATIENT = {
    "MNIST_MAX_WAIT_MS": "60000",
    "MNIST_CLIENT_SECONDS": "600",
    "GUNICORN_CMD_ARGS": "--graceful-timeout=100",
}


def eventually(condition, seconds=PATIENCE_S):
    """Wait until a condition holds, and return its value."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)
    return found


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


class Answer(NamedTuple):
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)


class Server:
    """A real gunicorn in the service's own environment, by default on a port of its own.

    Args:
        folder: where its log is.
        options: gunicorn's.
        port: where it listens; a free one by default.
        prefix: a command that becomes the server, such as ``["prlimit", "--nofile=64"]``.
        output: a file for what it says, in place of the log.
        python: of another environment than the service's own.
        environment: variables.
    """

    def __init__(
        self,
        folder,
        *options,
        port=0,
        prefix=(),
        output=None,
        python=PYTHON,
        **environment,
    ):
        self.log_path = folder / "server.log"
        self._wanted = environment.get("WEB_CONCURRENCY") or "2"
        # Without the variables of whoever runs the tests.
        clean = {
            k: v for k, v in os.environ.items() if not k.startswith(("MNIST_", "GUNICORN"))
        }
        with self.log_path.open("wb") as log:
            self.process = subprocess.Popen(
                [
                    *prefix,
                    *(python, "-m", "service", "--bind", f"127.0.0.1:{port}"),
                    *options,
                ],
                cwd=ROOT,
                env={**clean, "WEB_CONCURRENCY": "2", **PATIENT, **environment},
                stdout=output or log,
                stderr=subprocess.STDOUT,
            )

    @property
    def workers(self):
        return int(self._wanted)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self):
        return self.log_path.read_text()

    def wait_until(self, pattern):
        """Wait for a line of the log; fail if the server ends or the time is over."""

        def ended_or_found():
            ended = self.process.poll() is not None  # before the log is read for the last time
            return re.search(pattern, self.log) or ended

        found = eventually(ended_or_found)
        assert found is not True, f"no {pattern!r} in the log:\n{self.log}"
        return found

    def wait_ready(self):
        self.port = int(self.wait_until(r"Listening at: http://127.0.0.1:(\d+)")[1])
        assert self.request("GET", "/readyz").status == 200, self.log
        eventually(lambda: watch.all_ready(self))  # the first is quicker than the last
        return self

    def request(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        with contextlib.closing(connection):
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())

    def post(self, body, content_type="application/json", path="/predict"):
        return self.request("POST", path, body, {"Content-Type": content_type})

    def raw(self, content):
        """Send bytes, close the sending side, and return whatever comes back."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_S) as client:
            client.sendall(content)
            client.shutdown(socket.SHUT_WR)
            received = b""
            while chunk := client.recv(65536):
                received += chunk
            return received

    def worker_pids(self):
        children = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
        return [int(pid) for pid in Path(children).read_text().split()]

    def wait(self):
        return self.process.wait(PATIENCE_S)

    def ask_to_stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)

    def stop(self):
        self.ask_to_stop()
        try:
            return self.wait()
        finally:
            self.process.kill()
