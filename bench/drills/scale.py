"""Replicas behind the proxy: their shares, and what is lost when they go."""

import time
from collections.abc import Iterator

from bench.chaos import watch
from bench.chaos.case import Chaos, Finding, case
from bench.chaos.load import Load, answered, lost
from bench.drills.stack import FREEZE, Stack, stack
from tests.support.engine import START_S, output

SECONDS = 10
MOST_APART = 0.2
KILLS = 5
ANSWERED = "http_server_request_duration_seconds_count"


@case(
    "16 clients, then 4, that keep their connections to the proxy; 3 replicas",
    f"each replica answers within {MOST_APART:.0%} of the others; 0 failed",
)
def share(chaos: Chaos) -> Iterator[Finding]:
    with stack() as found:
        found.up("proxy")
        for clients in (16, 4):
            before = _counts(found)
            with Load(found.proxy_port, keep=clients, close=0) as load:
                time.sleep(SECONDS)
                account = load.stop()
            counts = [now - then for now, then in zip(_counts(found), before)]
            apart = (max(counts) - min(counts)) / max(counts)
            shown = " + ".join(f"{count:,.0f}" for count in counts)
            yield Finding(
                f"{clients} clients: {shown}, {apart:.0%} apart",
                len(counts) == 3 and apart <= MOST_APART,
            )
            yield from answered(account)


def _counts(found: Stack) -> list[float]:
    return [watch.total(found.samples(id), ANSWERED) for id in found.ids("replica")]


@case(
    "docker restart of each replica in turn, under load",
    "0 failed, each stop with exit code 0",
)
def restart(chaos: Chaos) -> Iterator[Finding]:
    with stack() as found:
        found.up("proxy")
        with Load(found.proxy_port) as load:
            began = time.monotonic()
            for id in found.ids("replica"):
                output(["docker", "stop", id])
                (code,) = found.show("{{.State.ExitCode}}", id)
                yield Finding(f"exit code {code}", code == "0")
                output(["docker", "start", id])
                watch.wait(found.healthy, START_S)
            yield Finding(f"{time.monotonic() - began:.0f} s", found.healthy())
            yield from answered(load.stop())


@case(
    f"docker kill -s KILL of a replica under load, {KILLS} times; 1, 64 and 100 images a "
    "request (as bytes: 100 are more than the proxy keeps to send again)",
    "at most what was at work there fails; of the largest as much again, sent to it before "
    "its port was closed; healthy again after each",
)
def kill(chaos: Chaos) -> Iterator[Finding]:
    with stack() as found:
        found.up("proxy")
        for images in (1, 64, 100):
            yield Finding(f"{images} a request", True)
            with Load(found.proxy_port, images=images) as load:
                failed = held = 0
                for turn in range(KILLS):
                    new, most = _kill(found, load, found.ids("replica")[turn % 3])
                    failed, held = failed + new, held + most
                account = load.stop()
            yield Finding(f"{account['right']:,} answered", account["right"] > 0)
            yield Finding(f"{account['wrong']} wrong", account["wrong"] == 0)
            yield Finding(f"{account['shed']} answered with 503", True)
            yield lost(failed, held if images < 100 else 2 * held)
            yield Finding(f"slowest {account.slowest_s:.2f} s", True)
            if account.texts:
                yield Finding(f"({'; '.join(account.texts[:2])})", True)


def _kill(found: Stack, load: Load, id: str) -> tuple[int, int]:
    """Kill a replica; return how many requests failed, and how many it had at work."""
    before = load.look()
    found.run(id, FREEZE)  # so the count is exact
    time.sleep(0.2)
    most = _at_work(found, id)
    output(["docker", "kill", "--signal", "KILL", id])
    time.sleep(3)
    account = load.look()
    output(["docker", "start", id])
    watch.wait(found.healthy, START_S)
    return sum(account[k] - before[k] for k in ("failed", "unexpected")), most


def _at_work(found: Stack, replica: str) -> int:
    """Return the most requests that one replica has at work, as the proxy counts them."""
    name = "haproxy_server_current_sessions"
    samples = found.samples(replica, "proxy:8404")
    return int(max(value for key, value in samples.items() if key.startswith(name)))
