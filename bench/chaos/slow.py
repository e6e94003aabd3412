"""Clients that send or read slowly, or not at all, and what the others notice of them."""

import socket
import time
from collections.abc import Iterator

from bench.chaos import asks, watch
from bench.chaos.case import Chaos, Finding, case
from bench.chaos.crowd import LARGE_S, Crowd, most, resets, start
from bench.chaos.load import Account, Load
from bench.harness.digits import digits
from load.payloads import OCTETS

HEAD = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/octet-stream\r\n"
MIB = 1 << 20
BODY = 4 * MIB  # the largest that is taken
IDLE_MB, STALLED_MB = 200, 64  # growth of all workers
# 1,000 whole bodies would be 4,000 MiB; what a worker admits of them is bounded.
BODIES_MB = 1024
READ_S = 30  # in which a client that does not read is hung up on


def _others(account: Account, most_s: float) -> Iterator[Finding]:
    """Yield what the clients beside the slow ones have seen."""
    bad = {kind: count for kind, count in account.counts.items() if kind != "right"}
    yield Finding(f"others: {account['right']:,} answered", account["right"] > 0)
    if bad:
        yield Finding(f"others: {bad} {account.texts[:2]}", False)
    yield Finding(
        f"p99 {1000 * account.p99_s:.0f} ms, slowest {1000 * account.slowest_s:.0f} ms",
        account.slowest_s < most_s,
    )


def _ends(crowd: Crowd, most_s: float) -> Iterator[Finding]:
    yield Finding(f"{crowd}", not len(crowd) and not list(resets(crowd)))
    yield Finding(f"open for {crowd.longest_s:.1f} s at most", crowd.longest_s <= most_s)


def _growth(crowd: Crowd, before: float, allowed: float) -> Finding:
    grown = crowd.peak_mb - before
    return Finding(f"memory +{grown:.0f} MiB", grown < allowed)


def _crowded(
    chaos: Chaos,
    count: int,
    limit_s: float,
    limit_mb: int,
    content: bytes = b"",
    trickle: bytes = b"",
) -> Iterator[Finding]:
    """Let many clients send something and little more, and others ask beside them."""
    server, pids = start(chaos)
    with Load(server.port, keep=1, close=1) as load:
        before = watch.resident(*pids)
        crowd = Crowd(server.port, count, pids)
        if content:
            crowd.send(content)
        crowd.wait(2 * LARGE_S, trickle=trickle)
        yield from _ends(crowd, limit_s)
        yield _growth(crowd, before, limit_mb)
        crowd.close()
        yield from _others(load.stop(), 1)


@case(
    "10,000 idle connections",
    f"others < 1 s; all closed within {LARGE_S} s; memory < +{IDLE_MB} MiB",
)
def idle(chaos: Chaos) -> Iterator[Finding]:
    yield from _crowded(chaos, most(10_000), LARGE_S, IDLE_MB)


@case(
    "10,000 half-sent heads, 1 byte a second each",
    f"others < 1 s; all get 408 or the end within {LARGE_S} s; memory < +{IDLE_MB} MiB",
)
def trickling(chaos: Chaos) -> Iterator[Finding]:
    count, content = most(10_000), HEAD + b"A: "
    yield from _crowded(chaos, count, LARGE_S, IDLE_MB, content, trickle=b"x")


@case(
    "1,000 bodies of 1 MB announced, of which 1 byte comes",
    f"others < 1 s; all get 408 or the end within 15 s; memory < +{STALLED_MB} MiB",
)
def stalled(chaos: Chaos) -> Iterator[Finding]:
    content = HEAD + b"Content-Length: 1000000\r\n\r\nx"
    yield from _crowded(chaos, 1000, 15, STALLED_MB, content)


@case(
    "1,000 bodies of 4 MiB, sent but for the last byte",
    f"others < 1 s; each gets 408, 503 or the end; memory < +{BODIES_MB} MiB",
)
def almost_whole(chaos: Chaos) -> Iterator[Finding]:
    server, pids = start(chaos)
    content = HEAD + f"Content-Length: {BODY}\r\n\r\n".encode() + bytes(BODY - 1)
    with Load(server.port, keep=1, close=1) as load:
        before = watch.resident(*pids)
        crowd = Crowd(server.port, 1000, pids)
        whole = crowd.push(memoryview(content), 2 * LARGE_S, before + 2 * BODIES_MB)
        crowd.wait(2 * LARGE_S)
        yield Finding(f"{whole} sent all but the last byte", True)
        yield Finding(f"{crowd}", not len(crowd) and set(resets(crowd)) <= {"503", "reset"})
        yield _growth(crowd, before, BODIES_MB)
        crowd.close()
        yield from _others(load.stop(), 1)


@case(
    "50 clients that send requests and never read",
    f"others < 1 s; each is hung up on within {READ_S} s; memory < +{STALLED_MB} MiB",
)
def never_reading(chaos: Chaos) -> Iterator[Finding]:
    server, pids = start(chaos)
    # Replies of 70 kB, so that there is soon no more room for one.
    every = b"".join(frame for _, frame in digits())
    ask = asks.post(every, OCTETS, "/predict?echo=frame")
    with Load(server.port, keep=1, close=1) as load:
        before, began = watch.resident(*pids), time.monotonic()
        clients = [_small(server.port) for _ in range(50)]
        left, peak = set(clients), before
        while left and time.monotonic() < began + READ_S:
            left -= {client for client in left if not _send(client, ask)}
            peak = max(peak, watch.resident(*pids))
            time.sleep(0.05)
        yield Finding(f"{50 - len(left)} of 50 hung up on", not left)
        yield Finding(f"after {time.monotonic() - began:.1f} s", True)
        yield Finding(f"memory +{peak - before:.0f} MiB", peak - before < STALLED_MB)
        for client in clients:
            client.close()
        yield from _others(load.stop(), 1)


def _small(port: int) -> socket.socket:
    """Return a connection that takes in little before it is full."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect(("127.0.0.1", port))
    client.setblocking(False)
    return client


def _send(client: socket.socket, content: bytes) -> bool:
    """Send what there is room for; return whether the connection is still there."""
    try:
        client.send(content)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return True


@case(
    "50 clients that stay after Connection: close",
    "others' p99 < 100 ms; each connection is closed within 5 s",
)
def lingering(chaos: Chaos) -> Iterator[Finding]:
    server, pids = start(chaos)
    ask = asks.single()[0].closing
    with Load(server.port, keep=1, close=1) as load:
        clients = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(50)]
        for client in clients:
            client.sendall(ask)
        time.sleep(0.5)
        own = 3  # the other clients' connections, one of which may just be replaced
        gone = watch.wait(lambda: sum(map(watch.held, pids)) <= own, 5)
        yield Finding(
            "closed" if gone is not None else "still held after 5 s", gone is not None
        )
        account = load.stop()
        for client in clients:
            client.close()
        yield from _others(account, 1)
        yield Finding(
            f"p99 {'<' if account.p99_s < 0.1 else '>'} 100 ms", account.p99_s < 0.1
        )
