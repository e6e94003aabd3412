"""Clients at full speed in a process of their own, and the account of each request.

    python -m bench.chaos.clients --port 8000 --keep 16 --close 16

A line on standard input is answered with the account so far; its end ends the clients.
Once connect() has succeeded the server's kernel has accepted the client, so whatever comes
then but a whole reply is a failure. The one exception is a kept connection that the server
has closed before the next request was sent: such a client connects again.
"""

import argparse
import contextlib
import itertools
import json
import select
import socket
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Iterator

from bench.chaos import asks
from bench.chaos.asks import Ask, Reply

REPLY_S = 10.0  # no reply in this time is a failure
PAUSE_S = 0.01  # after a refusal, so that clients do not spin on a server that is gone
MOST_LATENCIES = 200_000
MOST_TEXTS = 20


class Account:
    """What became of the requests; each is counted under one of the kinds.

    right, wrong, unexpected (another status), shed (503 with Retry-After), refused (no
    connection, nothing was accepted), failed (accepted, and no whole reply).
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._texts: list[str] = []
        self._latencies: deque[float] = deque(maxlen=MOST_LATENCIES)
        self._start = time.monotonic()

    def add(self, kind: str, text: str = "", seconds: float | None = None) -> None:
        with self._lock:
            self._counts[kind] += 1
            if text and len(self._texts) < MOST_TEXTS:
                self._texts.append(
                    f"{time.monotonic() - self._start:.2f} s: {kind}: {text}"
                )
            if seconds is not None:
                self._latencies.append(seconds)

    def show(self) -> str:
        with self._lock:
            ordered = sorted(self._latencies)
            found = {"counts": self._counts, "texts": self._texts}
        last = len(ordered) - 1
        found |= {"p99_s": ordered[int(0.99 * last)] if ordered else 0.0}
        return json.dumps(found | {"slowest_s": ordered[last] if ordered else 0.0})


class Client(threading.Thread):
    """One client: a request, its reply, the next one."""

    def __init__(
        self, port: int, asked: Iterator[Ask], keep: bool, account: Account
    ) -> None:
        super().__init__(daemon=True)
        self._port, self._asks, self._keep, self._account = port, asked, keep, account
        self._socket: socket.socket | None = None
        self.ended = threading.Event()

    def run(self) -> None:
        while not self.ended.is_set():
            self._one(next(self._asks))
        self._close()

    def _one(self, ask: Ask) -> None:
        start = time.monotonic()
        if self._socket is not None and self._is_closed(self._socket):
            self._close()
        used = self._socket is not None
        try:
            client = self._socket = self._socket or self._connect()
        except (ConnectionRefusedError, TimeoutError) as error:
            self._account.add("refused" if isinstance(error, ConnectionError) else "failed")
            self.ended.wait(PAUSE_S)
            return
        try:
            content = b""
            client.sendall(ask.content if self._keep else ask.closing)
            while (reply := asks.parse(content)) is None:
                some = client.recv(1 << 16)
                if not some:
                    raise ConnectionError("the end")
                content += some
        except OSError as error:
            on = "a kept connection" if used else "a new connection"
            self._account.add("failed", f"{error!r} after {len(content)} bytes, {on}")
            self._close()
            return
        self._judge(ask, reply, time.monotonic() - start)
        if reply.closes or not self._keep:
            self._close()

    def _judge(self, ask: Ask, reply: Reply, seconds: float) -> None:
        text = asks.problem(ask, reply)
        if reply.sheds:
            self._account.add("shed")
            self.ended.wait(PAUSE_S)
        elif text:
            kind = "wrong" if text.startswith("read") else "unexpected"
            self._account.add(kind, text)
        else:
            self._account.add("right", seconds=seconds)

    def _connect(self) -> socket.socket:
        client = socket.create_connection(("127.0.0.1", self._port), timeout=REPLY_S)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return client

    @staticmethod
    def _is_closed(client: socket.socket) -> bool:
        """Return whether the server has closed: nothing else can have come by now."""
        poll = select.poll()
        poll.register(client, select.POLLIN)
        return bool(poll.poll(0))

    def _close(self) -> None:
        if self._socket is not None:
            self._socket.close()
        self._socket = None


def main() -> None:
    """Run the clients until standard input ends."""
    parser = argparse.ArgumentParser(prog="python -m bench.chaos.clients")
    parser.add_argument("--port", type=int, required=True, help="on 127.0.0.1")
    parser.add_argument("--keep", type=int, default=16, help="on kept connections")
    parser.add_argument("--close", type=int, default=16, help="on one for each request")
    parser.add_argument("--images", type=int, default=1, help="in a request")
    options = parser.parse_args()
    account = Account()
    every = asks.single() if options.images == 1 else asks.batches(options.images)
    clients = [
        Client(
            options.port,
            itertools.cycle(every[number % len(every) :] + every[: number % len(every)]),
            number < options.keep,
            account,
        )
        for number in range(options.keep + options.close)
    ]
    for client in clients:
        client.start()
    for _ in sys.stdin:
        print(account.show(), flush=True)
    for client in clients:
        client.ended.set()
    for client in clients:
        client.join(2 * REPLY_S)
    with contextlib.suppress(BrokenPipeError):
        print(account.show(), flush=True)


if __name__ == "__main__":
    main()
