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
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Iterator

from bench.chaos import asks
from bench.chaos.asks import REPLY_S, SHED, Ask
from bench.harness.results import percentile
from bench.harness.wire import Client

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
                at = time.monotonic() - self._start
                self._texts.append(f"{at:.2f} s: {kind}: {text}")
            if seconds is not None:
                self._latencies.append(seconds)

    def show(self) -> str:
        with self._lock:
            ordered = sorted(self._latencies) or [0.0]
            found = {"counts": self._counts, "texts": self._texts}
        latency = {"p99_s": percentile(ordered, 99), "slowest_s": ordered[-1]}
        return json.dumps(found | latency)


class Asker(threading.Thread):
    """One client: a request, its reply, the next one."""

    def __init__(
        self, port: int, asked: Iterator[Ask], keep: bool, account: Account
    ) -> None:
        super().__init__(daemon=True)
        self._port, self._asks, self._keep, self._account = port, asked, keep, account
        self._client: Client | None = None
        self.ended = threading.Event()

    def run(self) -> None:
        while not self.ended.is_set():
            self._one(next(self._asks))
        self._close()

    def _one(self, ask: Ask) -> None:
        start = time.monotonic()
        if self._client and self._client.is_closed:
            self._close()
        on = "a kept connection" if self._client else "a new connection"
        try:
            client = self._client = self._client or Client(self._port, REPLY_S)
        except (ConnectionRefusedError, TimeoutError) as error:
            self._account.add("refused" if isinstance(error, ConnectionError) else "failed")
            self.ended.wait(PAUSE_S)
            return
        try:
            reply = client.ask(ask.content if self._keep else ask.closing)
        except (OSError, ValueError) as error:
            text = f"{error!r} after {client.received} bytes, {on}"
            self._account.add("failed", text)
            self._close()
            return
        kind, text = asks.judge(ask, reply)
        if kind == SHED:
            self._account.add(kind)
            self.ended.wait(PAUSE_S)
        else:
            took = time.monotonic() - start
            self._account.add(kind, text, None if text else took)
        if reply.closes or not self._keep:
            self._close()

    def _close(self) -> None:
        if self._client:
            self._client.close()
        self._client = None


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
    askers = [
        Asker(
            options.port,
            itertools.cycle(every[number % len(every) :] + every[: number % len(every)]),
            number < options.keep,
            account,
        )
        for number in range(options.keep + options.close)
    ]
    for asker in askers:
        asker.start()
    for _ in sys.stdin:
        print(account.show(), flush=True)
    for asker in askers:
        asker.ended.set()
    for asker in askers:
        asker.join(2 * REPLY_S)
    with contextlib.suppress(BrokenPipeError):
        print(account.show(), flush=True)


if __name__ == "__main__":
    main()
