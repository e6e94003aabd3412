"""Clients that go away, that ask for what is refused, and that come just too late."""

import contextlib
import random
import signal
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Iterator

from bench.chaos import asks, watch
from bench.chaos.asks import REPLY_S, Ask
from bench.chaos.case import Chaos, Finding, case
from bench.chaos.crowd import start
from bench.chaos.load import Load, answered
from bench.harness.wire import Client

# Requests; the shares of good ones, and of those left early.
MIX, GOOD, CUT = 10_000, 0.7, 0.5
RESET = struct.pack("ii", 1, 0)  # SO_LINGER that makes close() reset the connection
KEEPALIVE_S = 1
RACERS = 300
DRAIN_S = 3


@case(
    f"{MIX:,} requests, {GOOD:.0%} good, the others bad; {CUT:.0%} are left early",
    "each of the others gets its right answer or code; no worker is lost, the files are as "
    "before and memory < +16 MiB",
)
def mix(chaos: Chaos) -> Iterator[Finding]:
    server, pids = start(chaos)
    chance = random.Random(7)
    good, bad = asks.single() + asks.mixed(), asks.bad()
    found: Counter[str] = Counter()
    texts: list[str] = []
    before, files = 0.0, 0
    for number in range(MIX):
        if number == MIX // 10:  # warm by now
            before, files = watch.resident(*pids), _files(server, pids)
        ask = chance.choice(good if chance.random() < GOOD else bad)
        if chance.random() < CUT:
            leave(server.port, ask, chance)
            found["left"] += 1
            continue
        reply = asks.exchange(server.port, ask.closing)
        kind, text = asks.judge(ask, reply) if reply else ("cut", f"{ask.name}: cut")
        found[kind] += 1
        texts += [text] if text else []
    yield Finding(f"{dict(found)} {texts[:3] or ''}", not texts)
    kept = server.worker_pids() == pids
    yield Finding("same pids" if kept else f"{pids}, then {server.worker_pids()}", kept)
    settled = watch.wait(lambda: _files(server, pids) <= files, REPLY_S)
    yield Finding(f"files {files}, then {_files(server, pids)}", settled is not None)
    grown = watch.resident(*pids) - before
    yield Finding(f"memory {grown:+.1f} MiB", grown < 16)


def _files(server: object, pids: list[int]) -> int:
    watch.wait(lambda: not sum(map(watch.held, pids)), REPLY_S)
    return sum(len(watch.files(pid)) for pid in pids)


def leave(port: int, ask: Ask, chance: random.Random) -> None:
    """Send some of a request, or all of it, and go without a look at the reply."""
    with socket.create_connection(("127.0.0.1", port), timeout=REPLY_S) as client:
        with contextlib.suppress(ConnectionError):
            client.sendall(ask.content[: chance.randrange(len(ask.content) + 1)])
        if chance.random() < 0.5:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)


@case(
    f"{RACERS} kept connections used again just when the server closes idle ones",
    f"0 failed for a client that tries once more (--keep-alive {KEEPALIVE_S} s here)",
)
def race(chaos: Chaos) -> Iterator[Finding]:
    server = chaos.start("--keep-alive", f"{KEEPALIVE_S}").wait_ready()
    every = asks.single()
    found: Counter[str] = Counter()

    def one(number: int) -> None:
        ask = every[number % len(every)]
        # Idle connections are looked for twice a second: the end is between 1 and 1.5 s.
        pause = KEEPALIVE_S - 0.2 + 0.9 * number / RACERS
        reply = None
        with Client(server.port, REPLY_S) as client:
            client.ask(ask.content)
            time.sleep(pause)
            with contextlib.suppress(ConnectionError):
                reply = client.ask(ask.content)
        found["kept" if reply else "tried once more"] += 1
        reply = reply or asks.exchange(server.port, ask.content)
        right = reply is not None and asks.judge(ask, reply)[0] == "right"
        found["right" if right else "failed"] += 1

    threads = [threading.Thread(target=one, args=(n,)) for n in range(RACERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    yield Finding(f"{dict(found)}", found["right"] == RACERS)


@case(
    f"SIGTERM under load with {DRAIN_S} s to drain (MNIST_DRAIN_SECONDS)",
    "meanwhile /readyz 503, /livez 200 and answers as before; 0 failed, exit code 0",
)
def drain(chaos: Chaos) -> Iterator[Finding]:
    server = chaos.start(MNIST_DRAIN_SECONDS=f"{DRAIN_S}").wait_ready()
    watch.wait(lambda: watch.all_ready(server), REPLY_S)
    with Load(server.port) as load:
        began = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        time.sleep(DRAIN_S / 3)
        states = [server.request("GET", path).status for path in ("/readyz", "/livez")]
        yield Finding(f"/readyz {states[0]}, /livez {states[1]}", states == [503, 200])
        code = server.wait()
        took = time.monotonic() - began
        yield Finding(f"exit code {code} after {took:.1f} s", code == 0 and took > DRAIN_S)
        yield from answered(load.stop())
