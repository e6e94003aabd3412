"""The open loop: requests at times set beforehand, however slow the server is.

    python -m bench.harness.openloop --port 8000 --path /predict --rate 2000 --bodies FOLDER

A latency counts from the time at which the request was due, so a stall of the server is
seen by every request that was due during it (no coordinated omission). Requests that find
all connections busy wait in the generator, and their wait counts too. How late the
generator itself noticed that a request was due is reported beside: where that is near the
latencies, the generator is the limit and not the server.
"""

import argparse
import json
import select
import socket
import time
from collections import deque
from pathlib import Path
from typing import Any

from bench.peers.latency import schedule, summary

CONNECTIONS = 16
DRAIN_SECONDS = 10.0  # after the last request was due; what is open then is an error


class Connection:
    """A kept-alive connection with at most one request on it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.open()

    def open(self) -> None:
        """Connect, again after an end."""
        self.socket = socket.create_connection(("127.0.0.1", self._port), timeout=5)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.due: float | None = None
        self._reply = b""
        self._length = -1

    def send(self, request: bytes, due: float) -> None:
        """Send a request that was due at a time."""
        self.due = due
        self.socket.sendall(request)

    def receive(self) -> int | None:
        """Read; return the status once the reply is complete, 0 if the server hung up."""
        content = self.socket.recv(65536)
        if not content:
            return 0
        self._reply += content
        if self._length < 0:
            self._length = reply_length(self._reply)
        if self._length < 0 or len(self._reply) < self._length:
            return None
        status = int(self._reply[9:12])
        self._reply, self._length = b"", -1
        return status


def reply_length(reply: bytes) -> int:
    """Return a reply's length in bytes with its headers, -1 while they are incomplete."""
    end = reply.find(b"\r\n\r\n")
    if end < 0:
        return -1
    lines = reply[:end].lower().split(b"\r\n")
    for line in lines:
        name, _, value = line.partition(b":")
        if name == b"content-length":
            return end + 4 + int(value)
    raise ValueError(f"found a reply without Content-Length: {lines}")


class Generator:
    """Sends requests when they are due on whatever connection is free."""

    def __init__(self, port: int, requests: list[bytes], connections: int) -> None:
        self._requests = requests
        self._poll = select.epoll()
        self._idle: deque[Connection] = deque()
        self._by_file: dict[int, Connection] = {}
        self._latencies: list[float] = []
        self._errors = 0
        for _ in range(connections):
            self._add(Connection(port))

    def run(self, times: list[float]) -> dict[str, Any]:
        """Send a request at each of the times (s), hang up, and return the summary."""
        waiting: deque[float] = deque()
        late: list[float] = []
        start = time.perf_counter()
        number = sent = 0
        while number < len(times) or waiting or len(self._idle) < len(self._by_file):
            now = time.perf_counter() - start
            while number < len(times) and times[number] <= now:
                late.append(now - times[number])
                waiting.append(times[number])
                number += 1
            while waiting and self._idle:
                connection = self._idle.popleft()  # in turn, so that none goes stale
                request = self._requests[sent % len(self._requests)]
                sent += 1
                self._attempt(connection, request, start + waiting.popleft())
            if now > times[-1] + DRAIN_SECONDS:
                self._errors += len(waiting) + len(self._by_file) - len(self._idle)
                break
            self._collect()
        self._close()
        return summary(sent, self._latencies, late, self._errors)

    def _attempt(self, connection: Connection, request: bytes, due: float) -> None:
        try:
            connection.send(request, due)
        except OSError:
            self._fail(connection)

    def _collect(self) -> None:
        # Never waits: epoll's own clock has a resolution of 1 ms, and the core is ours.
        for file, _ in self._poll.poll(0):
            connection = self._by_file[file]
            try:
                status = connection.receive()
            except OSError:
                status = 0
            if status == 0:
                self._fail(connection)
            elif status is not None and connection.due is not None:
                if status == 200:
                    self._latencies.append(time.perf_counter() - connection.due)
                else:
                    self._errors += 1
                connection.due = None
                self._idle.append(connection)

    def _fail(self, connection: Connection) -> None:
        if connection.due is None:
            self._idle.remove(connection)  # the server ended an idle connection: no error
        else:
            self._errors += 1
        del self._by_file[connection.socket.fileno()]
        connection.socket.close()  # takes it out of epoll, too
        connection.open()
        self._add(connection)

    def _close(self) -> None:
        for connection in self._by_file.values():
            connection.socket.close()
        self._poll.close()

    def _add(self, connection: Connection) -> None:
        self._poll.register(connection.socket, select.EPOLLIN)
        self._by_file[connection.socket.fileno()] = connection
        self._idle.append(connection)


def request(path: str, headers: dict[str, str], body: bytes) -> bytes:
    """Return a POST's bytes."""
    fields = {"Host": "127.0.0.1", **headers, "Content-Length": str(len(body))}
    lines = [f"POST {path} HTTP/1.1", *(f"{k}: {v}" for k, v in fields.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def main() -> None:
    """Run one measurement and print it as JSON."""
    parser = argparse.ArgumentParser(prog="python -m bench.harness.openloop")
    parser.add_argument("--port", type=int, required=True, help="on 127.0.0.1")
    parser.add_argument("--path", default="/predict", help="(default: /predict)")
    parser.add_argument("--header", action="append", default=[], metavar="'NAME: VALUE'")
    parser.add_argument("--bodies", type=Path, required=True, help="their folder")
    parser.add_argument("--rate", type=float, required=True, help="requests per second")
    parser.add_argument("--seconds", type=float, default=10, help="(default: 10)")
    parser.add_argument("--spacing", choices=("poisson", "even"), default="poisson")
    parser.add_argument("--seed", type=int, default=1, help="(default: 1)")
    options = parser.parse_args()
    headers = dict(header.split(": ", 1) for header in options.header)
    bodies = [file.read_bytes() for file in sorted(options.bodies.iterdir())]
    requests = [request(options.path, headers, body) for body in bodies]
    times = schedule(options.rate, options.seconds, options.spacing, options.seed)
    print(json.dumps(Generator(options.port, requests, CONNECTIONS).run(times)))


if __name__ == "__main__":
    main()
