"""The open loop of the soak, in a process and on a core of its own.

    python -m bench.soak.generator --port 8000 --rate 1000 --seconds 60
    python -m bench.soak.generator --port 8000 --capacity 5000

Each interval it prints a line of JSON: what became of the requests, and the latencies from
the time at which each was due. With ``--capacity`` so many requests are all due at once;
the line says how many were answered per second.
"""

import argparse
import json
import random
import time
from array import array
from collections import Counter
from typing import Any

from bench.chaos import asks
from bench.chaos.asks import Ask
from bench.chaos.rude import leave
from bench.harness.openloop import OpenLoop
from bench.harness.results import percentile
from bench.harness.wire import Reply
from load.arrivals import arrivals

CONNECTIONS = 32
KILLED, CLOSING = 0.005, 0.02  # shares of the requests
# The shares of bad requests, and of our own single images in the others.
BAD, SINGLE = 0.05, 0.5
MOST_TEXTS = 5  # of an interval


class Mix:
    """Draws requests, and checks every reply.

    95 % are good: a half of these is a single image of our own, the others are of every
    dialect. 5 % must be refused.

    Args:
        port: of the server, on 127.0.0.1.
        seed: of everything that is drawn.
        kills: whether some clients go away in the middle of their request.
    """

    def __init__(self, port: int, seed: int, kills: bool) -> None:
        self._port, self._kills, self._chance = port, kills, random.Random(seed)
        self._single, self._mixed, self._bad = asks.single(), asks.mixed(), asks.bad()
        self._asked: dict[int, Ask] = {}
        self._begin()

    def _begin(self) -> None:
        self.counts: Counter[str] = Counter()
        self._texts: list[str] = []
        self._latencies: list[float] = []

    def report(self) -> dict[str, Any]:
        """Return what has happened since the last time."""
        ordered = sorted(1000 * value for value in self._latencies) or [0.0]
        points = {f"p{point}_ms": percentile(ordered, point) for point in (50, 99)}
        found = {"counts": dict(self.counts), "texts": self._texts, **points}
        self._begin()
        return found

    def draw(self, number: int) -> bytes | None:
        """Return the next request, or None where its client has gone away already."""
        chance = self._chance
        if chance.random() < BAD:
            ask = chance.choice(self._bad)
        else:
            ask = chance.choice(self._single if chance.random() < SINGLE else self._mixed)
        if self._kills and chance.random() < KILLED:
            leave(self._port, ask, chance)
            self.counts["killed"] += 1
            return None
        self._asked[number] = ask
        return ask.closing if chance.random() < CLOSING else ask.content

    def take(self, number: int, reply: Reply | None, seconds: float) -> None:
        """Count a reply; ``failed`` is a request without one."""
        ask = self._asked.pop(number)
        if reply is None:
            kind, text = "failed", f"{ask.name}: no whole reply"
        else:
            self._latencies.append(seconds)
            kind, text = asks.judge(ask, reply)
            if kind == "right" and ask.request is None:
                kind = "refused rightly"
            elif kind == "unexpected":
                kind = f"unexpected {reply.status}"
        self.counts[kind] += 1
        if text and len(self._texts) < MOST_TEXTS:
            self._texts.append(f"{kind}: {text}")


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
    mix = Mix(options.port, options.seed, kills=not options.capacity)
    start = reported = time.perf_counter()

    def pulse() -> None:
        nonlocal reported
        if not options.capacity and time.perf_counter() - reported >= options.interval:
            reported += options.interval
            print(json.dumps(mix.report()), flush=True)

    # A request on a connection that ends is lost: a server that reloads closes none that
    # it has not answered.
    loop = OpenLoop(
        options.port,
        mix.draw,
        mix.take,
        connections=CONNECTIONS,
        most=CONNECTIONS,
        resend=False,
        pulse=pulse,
    )
    if options.capacity:
        times = array("d", bytes(8 * options.capacity))
    else:
        due = arrivals("poisson", options.rate, options.seconds, options.seed)
        times = array("d", due)
    loop.run(times)
    answered = mix.counts["right"] + mix.counts["refused rightly"]
    per_s = answered / (time.perf_counter() - start)
    print(json.dumps(mix.report() | {"per_s": per_s}), flush=True)


if __name__ == "__main__":
    main()
