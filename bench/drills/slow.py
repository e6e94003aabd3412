"""Clients that hold back the end of their request."""

from collections.abc import Iterator

from bench.chaos import watch
from bench.chaos.case import Chaos, Finding, case
from bench.chaos.crowd import Crowd
from bench.chaos.load import Load, answered
from bench.drills.stack import Stack, stack

CROWD = 500
HEAD = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/octet-stream\r\n"
HALF = HEAD + b"Content-Length: 784\r\n\r\n" + bytes(392)
LONGEST_S = 10  # 8 s are a client's time

CONNECTIONS = """
lines = open("/proc/net/tcp").read().splitlines()[1:]
print(sum(li.split()[1].endswith(":1F40") and li.split()[3] == "01" for li in lines))
"""  # established, at port 8000


@case(
    f"{CROWD} clients that send half a body to the proxy",
    f"none reaches a replica; each gets 408 within {LONGEST_S} s; others < 1 s, 0 failed",
)
def half_bodies(chaos: Chaos) -> Iterator[Finding]:
    with stack() as found:
        found.up("proxy")
        with Load(found.proxy_port, keep=2, close=2) as load:
            idle = _connections(found)
            crowd = Crowd(found.proxy_port, CROWD, [])
            crowd.send(HALF)
            most = _connections(found)
            crowd.wait(2 * LONGEST_S)
            account = load.stop()
        yield Finding(f"connections to replicas {idle}, then {most}", most < CROWD / 10)
        yield Finding(f"{crowd}", not len(crowd))
        yield Finding(f"after {crowd.longest_s:.1f} s", crowd.longest_s <= LONGEST_S)
        crowd.close()
        yield Finding(f"slowest other {account.slowest_s:.2f} s", account.slowest_s < 1)
        yield from answered(account)
        watch.wait(found.healthy, LONGEST_S)


def _connections(found: Stack) -> int:
    return sum(int(found.run(id, CONNECTIONS)) for id in found.ids("replica"))
