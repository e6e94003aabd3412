"""The service as tests start it: patient, and asked in a word."""

import socket
import time

from bench.chaos import watch
from bench.harness.cores import ROOT
from bench.harness.server import START_S, free_port
from bench.harness.service import PYTHON, Service

__all__ = ["PYTHON", "ROOT", "START_S", "Server", "eventually", "free_port"]

# One worker starts in half the time of two; limits are longer than any stall of a busy
# machine. Tests of these set their own.
DEFAULTS = {
    "WEB_CONCURRENCY": "1",
    "MNIST_MAX_WAIT_MS": "60000",
    "MNIST_CLIENT_SECONDS": "600",
    "GUNICORN_CMD_ARGS": "--graceful-timeout=100",
}


def eventually(condition, seconds=START_S):
    """Wait until a condition holds, and return its value."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)
    return found


class Server(Service):
    """A real gunicorn in the service's own environment, by default on a port of its own."""

    def __init__(self, folder, *options, **settings):
        super().__init__(folder, *options, **(DEFAULTS | settings))

    def wait_ready(self):
        super().wait_ready()
        eventually(lambda: watch.all_ready(self))  # the first is quicker than the last
        return self

    def post(self, body, content_type="application/json", path="/predict"):
        return self.request("POST", path, body, {"Content-Type": content_type})

    def raw(self, content):
        """Send bytes, close the sending side, and return whatever comes back."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=START_S) as client:
            client.sendall(content)
            client.shutdown(socket.SHUT_WR)
            received = b""
            while chunk := client.recv(65536):
                received += chunk
            return received


def workers(server):
    """The processes of a server's workers, once all of them are there."""
    eventually(lambda: len(server.worker_pids()) == server.workers)
    return set(server.worker_pids())
