"""The measurements: rounds of all servers in turn, the open loop, and the service's own."""

import time
from statistics import median
from typing import Any, NamedTuple

import numpy as np

from bench.harness import closedloop, timed
from bench.harness.cores import BOTH, GENERATOR_CORE, SERVER_CORE, call_on
from bench.harness.results import say
from bench.harness.server import ServerError, memory
from bench.harness.timed import Phase
from bench.peers import items
from bench.peers.environment import running
from bench.peers.formats import Probabilities
from bench.peers.items import ITEMS, Item, WrongAnswerError
from bench.peers.model import Model
from bench.peers.servers import OWN, Peer

MAIN = ITEMS[0]  # whose maximum sets the rates of the open loop
MANY = ITEMS[2]

Record = dict[str, Any]


class Plan(NamedTuple):
    """What to measure: servers, items, rounds, and seconds per measurement."""

    servers: list[Peer]
    items: list[Item]
    rounds: int
    seconds: int


def closed(plan: Plan, record: Record) -> None:
    """Run the rounds: each server fresh, all its items, then the next server."""
    model = Model()
    answers = {
        item.name: [model.predict(images) for images in items.pixels(item)]
        for item in plan.items
    }
    for number in range(1, plan.rounds + 1):
        found: Record = {"bare": bare(plan.seconds), "servers": {}}
        record["rounds"].append(found)
        for peer in available(plan, record):
            say(f"round {number} of {plan.rounds}: {peer.name}")
            try:
                found["servers"][peer.name] = _one(peer, plan, answers)
            except ServerError as error:
                say(f"{peer.name} could not be started: {error}")
                record["failed"][peer.name] = str(error)


def _one(peer: Peer, plan: Plan, answers: dict[str, list[Probabilities]]) -> Record:
    results: Record = {}
    with running(peer, SERVER_CORE) as server:
        warm_up(peer, server.port, plan.items[0])
        for item in plan.items:
            route = peer.route(item.binary)
            try:
                items.verify(item, route, server.port, answers[item.name])
            except WrongAnswerError as error:
                raise SystemExit(f"{peer.name}, {item.title}: {error}") from error
            requests = items.requests(item, route)
            results[item.name] = closedloop.measure(
                server.port, requests, plan.seconds, GENERATOR_CORE
            )
        used = [memory(pid) for pid in server.family()]
        return {"ready_seconds": server.ready_seconds, "items": results, "memory_kb": used}


def bare(seconds: int) -> dict[str, float]:
    """Return ONNX Runtime's own images per second on the servers' core, by batch.

    It is the upper bound of what a server can do there.
    """
    return {str(n): call_on(SERVER_CORE, _images_per_s, n, seconds) for n in (1, 64)}


def _images_per_s(images: int, seconds: float) -> float:
    every = items.digits().astype(np.float32) / np.float32(255)
    batch = every[np.arange(images) % len(every)]
    model = Model()
    count, started = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - started) < seconds:
        for _ in range(100):  # so that the clock costs nothing
            model.run(batch)
        count += 100 * images
    return count / elapsed


def open_loop(plan: Plan, record: Record) -> None:
    """Measure latencies at half of each server's maximum, and the service's at the same."""
    halves = {
        peer.name: median(
            each["servers"][peer.name]["items"][MAIN.name]["requests_per_s"]
            for each in record["rounds"]
        )
        / 2
        for peer in available(plan, record)
    }
    for number in range(1, plan.rounds + 1):
        for peer in available(plan, record):
            rates = halves if peer is OWN else {peer.name: halves[peer.name]}
            with running(peer, SERVER_CORE) as server:
                warm_up(peer, server.port, MAIN)
                for of, rate in rates.items():
                    say(f"open loop {number} of {plan.rounds}: {peer.name}, {rate:.0f}/s")
                    found = at_rate(
                        server.port,
                        items.requests(MAIN, peer.json),
                        Phase(rate, plan.seconds),
                        seed=number,
                    )
                    point = {"server": peer.name, "half_of": of, "rate": rate, **found}
                    record["open_loop"].append(point)


def at_rate(port: int, requests: list[bytes], phase: Phase, seed: int) -> Record:
    """Run the open loop on 16 connections; see `timed.summary`."""
    most = closedloop.CONNECTIONS
    found = timed.measure(port, requests, [phase], seed=seed, connections=most, most=most)
    return timed.summary(found)


def workers(plan: Plan, record: Record) -> None:
    """Measure the service with one and two workers; wrk shares both cores with them.

    With one image per request, wrk itself needs much of a core; with many it does not.
    """
    for number in range(1, plan.rounds + 1):
        for count in (1, 2):
            say(f"workers {number} of {plan.rounds}: {count}")
            with running(OWN, BOTH, workers=count) as server:
                warm_up(OWN, server.port, MAIN, BOTH)
                for item in (MAIN, MANY):
                    requests = items.requests(item, OWN.json)
                    result = closedloop.measure(server.port, requests, plan.seconds, BOTH)
                    found = {"workers": count, "item": item.name, **result}
                    record["workers"].append(found)


def available(plan: Plan, record: Record) -> list[Peer]:
    """Return the servers that have not failed."""
    return [peer for peer in plan.servers if peer.name not in record["failed"]]


def warm_up(peer: Peer, port: int, item: Item, cores: str = GENERATOR_CORE) -> None:
    """Load a server for a while, and count nothing."""
    closedloop.warm_up(port, items.requests(item, peer.route(item.binary)), cores)
