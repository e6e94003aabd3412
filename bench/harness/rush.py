"""The open loop that a server may refuse: as many connections as it takes.

    python -m bench.harness.rush --port 8000 --requests FOLDER --rates 2000:20 --output FILE

Requests are due at times set beforehand (Poisson), one phase after the other without a
pause, and go out on whatever connection is free; where none is, another is opened, so that
no request waits in the generator. Each has its time from when it was due, and its status;
0 is no answer. A 503 without ``Retry-After`` counts as no answer.
"""

import argparse
import itertools
import json
import select
import socket
import time
from array import array
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bench.harness.openloop import reply_length
from load.arrivals import arrivals

MOST_CONNECTIONS = 4000  # far above what an overloaded server that refuses lets come up
SEND_BUFFER = 1 << 18  # a request goes out whole: the kernel doubles this, within its limit
PATIENCE_S = 10.0  # for the last replies
UNANSWERED = 0


class Connection:
    """A kept-alive connection with at most one request on it."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=5)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        self.socket.setblocking(False)
        self.number = -1
        self.used = False  # it has brought a reply
        self._left: memoryview | None = None
        self._reply = b""

    def send(self, request: bytes) -> bool:
        """Send as much as goes, and tell whether that is all."""
        self._left = memoryview(request)
        return self.send_rest()

    def send_rest(self) -> bool:
        """Send more of it."""
        if self._left is not None:
            try:
                self._left = self._left[self.socket.send(self._left) :]
            except BlockingIOError:
                return False
            if self._left:
                return False
            self._left = None
        return True

    def receive(self) -> int | None:
        """Read; return the status once the reply is complete."""
        content = self.socket.recv(1 << 18)
        if not content:
            return UNANSWERED
        reply = self._reply + content
        length = reply_length(reply)
        if length < 0 or len(reply) < length:
            self._reply = reply
            return None
        self._reply = b""
        status = int(reply[9:12])
        if status == 503 and b"\r\nRetry-After: " not in reply:
            return UNANSWERED
        return status


class Rush:
    """Sends requests when they are due."""

    def __init__(self, port: int, requests: list[bytes], waits: bool = False) -> None:
        """Make one.

        Args:
            port: of the server, on 127.0.0.1.
            requests: what is sent, in turn.
            waits: whether it sleeps until there is something to do, for a core that it
                shares with what it measures.
        """
        self._port = port
        self._waits = waits
        self._requests = itertools.cycle(requests)
        self._poll = select.epoll()
        self._idle: list[Connection] = []  # the last one used is the next one
        self._open: dict[int, Connection] = {}
        self._start = 0.0
        self.most_open = 0
        self.late = array("f")

    def run(self, times: "array[float]") -> tuple["array[float]", "array[int]"]:
        """Send a request at each of the times (s); return their times and statuses."""
        self._seconds = array("f", bytes(4 * len(times)))
        self._statuses = array("H", bytes(2 * len(times)))
        self._times = times
        self._start = time.perf_counter()
        number, last = 0, times[-1] + PATIENCE_S
        while number < len(times) or len(self._idle) < len(self._open):
            now = time.perf_counter() - self._start
            while number < len(times) and times[number] <= now:
                self.late.append(now - times[number])
                self._ask(number)
                number += 1
                now = time.perf_counter() - self._start
            if now > last:
                break
            if self._waits:
                until = times[number] if number < len(times) else last
                # Not epoll's own clock, which has a resolution of 1 ms.
                select.select([self._poll], [], [], max(until - now, 0))
            self._collect()
        for connection in self._open.values():
            connection.socket.close()
        return self._seconds, self._statuses

    def _ask(self, number: int) -> None:
        if not self._idle:
            if len(self._open) == MOST_CONNECTIONS:
                return  # it stays unanswered
            connection = Connection(self._port)
            self._open[connection.socket.fileno()] = connection
            self.most_open = max(self.most_open, len(self._open))
            self._poll.register(connection.socket, select.EPOLLIN)
        else:
            connection = self._idle.pop()
        connection.number = number
        try:
            if not connection.send(next(self._requests)):
                self._poll.modify(connection.socket, select.EPOLLIN | select.EPOLLOUT)
        except OSError:
            self._end(connection)

    def _collect(self) -> None:
        # Never waits here: the core is ours, or we have waited already.
        for file, event in self._poll.poll(0):
            connection = self._open[file]
            try:
                if event & select.EPOLLOUT and connection.send_rest():
                    self._poll.modify(connection.socket, select.EPOLLIN)
                status = connection.receive() if event & ~select.EPOLLOUT else None
            except BlockingIOError:
                continue
            except OSError:
                status = UNANSWERED
            if status == UNANSWERED:
                self._end(connection)
            elif status is not None:
                number = connection.number
                done = time.perf_counter() - self._start
                self._seconds[number] = done - self._times[number]
                self._statuses[number] = status
                connection.number, connection.used = -1, True
                self._idle.append(connection)

    def _end(self, connection: Connection) -> None:
        """Forget a connection that the server has ended.

        A server may end an idle connection just when it is used again. The request goes
        out once more then, on another connection (RFC 9110, 9.2.2).
        """
        del self._open[connection.socket.fileno()]
        connection.socket.close()  # takes it out of epoll, too
        if connection.number < 0:
            self._idle.remove(connection)
        elif connection.used:
            self._ask(connection.number)


class Phase(NamedTuple):
    """So many requests a second for so many seconds."""

    rate: float
    seconds: float


def schedule(phases: list[Phase], seed: int) -> "array[float]":
    """Return when requests are due, in seconds from the start."""
    times, start = array("d"), 0.0
    for number, (rate, seconds) in enumerate(phases):
        due = arrivals("poisson", rate, seconds, seed + number)
        times.extend(start + each for each in due)
        start += seconds
    return times


def main() -> None:
    """Run the phases, and write the arrays and what the generator says of itself."""
    parser = argparse.ArgumentParser(prog="python -m bench.harness.rush")
    parser.add_argument("--port", type=int, required=True, help="on 127.0.0.1")
    parser.add_argument("--requests", type=Path, required=True, help="folder of requests")
    parser.add_argument("--rates", required=True, help="requests/s:seconds, ...")
    parser.add_argument("--seed", type=int, default=1, help="(default: 1)")
    parser.add_argument("--output", type=Path, required=True, help="file for the arrays")
    parser.add_argument("--waits", action="store_true", help="sleep between requests")
    options = parser.parse_args()
    requests = [path.read_bytes() for path in sorted(options.requests.iterdir())]
    pairs = [map(float, pair.split(":")) for pair in options.rates.split(",")]
    times = schedule([Phase(*pair) for pair in pairs], options.seed)
    rush = Rush(options.port, requests, options.waits)
    before = time.process_time()
    seconds, statuses = rush.run(times)
    core = time.process_time() - before
    np.savez(options.output, due=times, seconds=seconds, status=statuses)
    late = float(np.percentile(np.frombuffer(rush.late, np.float32), 99))
    print(json.dumps({"most_open": rush.most_open, "late_p99_s": late, "core_s": core}))


if __name__ == "__main__":
    main()
