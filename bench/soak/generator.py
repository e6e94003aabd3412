"""The open loop of the soak, in a process and on a core of its own.

    python -m bench.soak.generator --port 8000 --rate 1000 --seconds 60
    python -m bench.soak.generator --port 8000 --capacity 5000

Each interval it prints a line of JSON: what became of the requests, and the latencies from
the time at which each was due. With ``--capacity`` so many requests are all due at once;
the line tells how many were answered a second.
"""

import argparse
import json
import select
import socket
import struct
import time
from collections import Counter, deque
from collections.abc import Iterator
from typing import Any

from bench.chaos import asks
from bench.chaos.asks import Ask
from bench.harness.results import percentile
from bench.soak.mix import Mix
from load.arrivals import arrivals

CONNECTIONS = 32
KILLED, CLOSING = 0.005, 0.02  # shares of the requests
REPLY_S = 10.0
MOST_KNOWN = 20_000  # replies that are known to be right: 20 MB
RESET = struct.pack("ii", 1, 0)


class Connection:
    """A connection with at most one request on it."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=REPLY_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.ask: Ask | None = None
        self.content = b""
        self.due = self.sent = 0.0


class Generator:
    """Sends what is due on whatever connection is free, and checks every answer."""

    def __init__(self, port: int, seed: int, kills: bool) -> None:
        self._port, self._mix, self._kills = port, Mix(seed), kills
        self._poll = select.epoll()
        self._open: dict[int, Connection] = {}
        self._idle: deque[Connection] = deque()
        self._known: set[tuple[str, bytes]] = set()
        for _ in range(CONNECTIONS):
            self._add()
        self._begin()

    def _begin(self) -> None:
        self.counts: Counter[str] = Counter()
        self.texts: list[str] = []
        self._latencies: list[float] = []

    def report(self) -> dict[str, Any]:
        """Return what has happened since the last time."""
        ordered = sorted(1000 * value for value in self._latencies)
        points = {f"p{p}_ms": percentile(ordered, p) if ordered else 0.0 for p in (50, 99)}
        found = {"counts": dict(self.counts), "texts": self.texts[:5], **points}
        self._begin()
        return found

    def run(self, times: Iterator[float], interval: float) -> Iterator[dict[str, Any]]:
        """Send a request at each of the times (s); yield a report each interval."""
        start = time.perf_counter()
        waiting: deque[float] = deque()
        due, reported = next(times, None), interval
        while due is not None or waiting or len(self._idle) < len(self._open):
            now = time.perf_counter() - start
            while due is not None and due <= now and len(waiting) < 10 * CONNECTIONS:
                waiting.append(due)
                due = next(times, None)
            while waiting and self._idle:
                self._send(start + waiting.popleft())
            if now > reported:
                yield self.report()
                reported += interval
                self._expire()
            self._collect()
        yield self.report()

    def _send(self, due: float) -> None:
        ask = self._mix.draw()
        if self._kills and self._mix.chance.random() < KILLED:
            self._leave(ask)
            return
        connection = self._idle.popleft()
        connection.ask, connection.content = ask, b""
        connection.due, connection.sent = due, time.perf_counter()
        closing = self._mix.chance.random() < CLOSING
        try:
            connection.socket.sendall(ask.closing if closing else ask.content)
        except OSError as error:
            self._fail(connection, repr(error))

    def _leave(self, ask: Ask) -> None:
        """Be a client that is killed in the middle of its request."""
        client = socket.create_connection(("127.0.0.1", self._port), timeout=REPLY_S)
        client.send(ask.content[: self._mix.chance.randrange(len(ask.content) + 1)])
        if self._mix.chance.random() < 0.5:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        client.close()
        self.counts["killed"] += 1

    def _collect(self) -> None:
        for file, _ in self._poll.poll(0):
            connection = self._open[file]
            try:
                some = connection.socket.recv(1 << 16)
            except OSError:
                some = b""
            if connection.ask is None:  # closed by the server while it was idle: no failure
                self._idle.remove(connection)
                self._replace(connection)
            elif not some:
                self._fail(connection, f"the end after {len(connection.content)} bytes")
            else:
                connection.content += some
                self._judge(connection, connection.ask)

    def _judge(self, connection: Connection, ask: Ask) -> None:
        reply = asks.parse(connection.content)
        if reply is None:
            return
        self._latencies.append(time.perf_counter() - connection.due)
        key = f"{ask.name} {ask.digits}", reply.body
        text = (
            None if reply.status == 200 and key in self._known else asks.problem(ask, reply)
        )
        if text is None:
            self.counts["refused rightly" if ask.read is None else "right"] += 1
            if reply.status == 200 and len(self._known) < MOST_KNOWN:
                self._known.add(key)
        else:
            kind = "wrong" if text.startswith("read") else f"unexpected {reply.status}"
            self.counts["shed" if reply.sheds else kind] += 1
            self.texts.append(text)
        connection.ask = None
        if reply.closes:
            self._replace(connection)
        else:
            self._idle.append(connection)

    def _expire(self) -> None:
        late = time.perf_counter() - REPLY_S
        for connection in list(self._open.values()):
            if connection.ask is not None and connection.sent < late:
                self._fail(connection, f"no reply in {REPLY_S:.0f} s")

    def _fail(self, connection: Connection, text: str) -> None:
        self.counts["failed"] += 1
        self.texts.append(
            f"failed: {connection.ask.name if connection.ask else ''}: {text}"
        )
        self._replace(connection)

    def _replace(self, connection: Connection) -> None:
        del self._open[connection.socket.fileno()]
        connection.socket.close()  # takes it out of epoll, too
        self._add()

    def _add(self) -> None:
        connection = Connection(self._port)
        self._open[connection.socket.fileno()] = connection
        self._poll.register(connection.socket, select.EPOLLIN)
        self._idle.append(connection)


def main() -> None:
    """Run, and print the reports."""
    parser = argparse.ArgumentParser(prog="python -m bench.soak.generator")
    parser.add_argument("--port", type=int, required=True, help="on 127.0.0.1")
    parser.add_argument("--rate", type=float, help="requests per second")
    parser.add_argument("--seconds", type=float, default=10, help="(default: 10)")
    parser.add_argument("--interval", type=float, default=10, help="of reports, in s")
    parser.add_argument("--capacity", type=int, metavar="N", help="send so many at once")
    parser.add_argument("--seed", type=int, default=1, help="(default: 1)")
    options = parser.parse_args()
    generator = Generator(options.port, options.seed, kills=not options.capacity)
    if options.capacity:
        start = time.perf_counter()
        (found,) = generator.run(iter([0.0] * options.capacity), 1e9)
        answered = found["counts"]["right"] + found["counts"]["refused rightly"]
        found["per_s"] = answered / (time.perf_counter() - start)
        print(json.dumps(found), flush=True)
        return
    times = arrivals("poisson", options.rate, options.seconds, options.seed)
    for found in generator.run(times, options.interval):
        print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
