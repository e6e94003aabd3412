"""HTTP as clients send it: headers that change each time, one connection or thousands."""

from statistics import median
from typing import NamedTuple

from bench.harness import closedloop
from bench.harness.cores import GENERATOR_CORE, SERVER_CORE
from bench.harness.results import say
from bench.peers import items
from bench.peers.environment import running
from bench.peers.items import ITEMS
from bench.peers.measure import MAIN, Plan, Record, available, warm_up
from bench.peers.servers import OWN, Peer

# More would take minutes, and tell nothing: the others are slower by 16 connections alone.
FASTEST = 3
WANTED = ITEMS[:2]

# What a library sends behind a proxy, for a user who is signed in.
HEADERS = (
    "User-Agent: python-requests/2.32.5",
    "Accept-Encoding: gzip, deflate",
    "X-Forwarded-For: 203.0.113.7",
    "X-Forwarded-Proto: https",
    "X-Request-Id: %016x%016x",
    closedloop.TRACEPARENT,
    "Date: Mon, 30 Nov 2026 12:00:00 GMT",
    "Cookie: theme=dark; session=%016x%016x",
    "Authorization: Bearer %016x%016x%016x",
)


class Case(NamedTuple):
    """How the requests of a measurement arrive."""

    title: str
    connections: int = closedloop.CONNECTIONS
    fresh: tuple[str, ...] = ()


CASES = (
    Case("16 connections"),
    Case("16 connections, new headers each time", fresh=HEADERS),
    Case("1 connection", 1),
    Case("256 connections", 256),
    Case("2,000 connections", 2000),
)


def measure(plan: Plan, record: Record) -> None:
    """Ask the service and the fastest others in every way, in rounds."""
    for number in range(1, plan.rounds + 1):
        for peer in fastest(plan, record):
            say(f"clients {number} of {plan.rounds}: {peer.name}")
            with running(peer, SERVER_CORE) as server:
                warm_up(peer, server.port, MAIN)
                for item in WANTED:
                    requests = items.requests(item, peer.route(item.binary))
                    for case in CASES:
                        found = closedloop.measure(
                            server.port,
                            requests,
                            plan.seconds,
                            GENERATOR_CORE,
                            connections=case.connections,
                            fresh=case.fresh,
                        )
                        point = {"server": peer.name, "item": item.name, "case": case.title}
                        record["clients"].append({**point, **found})


def fastest(plan: Plan, record: Record) -> list[Peer]:
    """Return the service and the others with the most requests/s of the main item."""

    def rate(peer: Peer) -> float:
        rounds = [each["servers"][peer.name]["items"] for each in record["rounds"]]
        return float(median(each[MAIN.name]["requests_per_s"] for each in rounds))

    found = sorted(available(plan, record), key=rate, reverse=True)
    others = [peer for peer in found if peer is not OWN]
    return [peer for peer in found if peer is OWN] + others[:FASTEST]
