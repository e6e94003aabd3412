"""The measurements: rounds of all servers in turn, the open loop, and the service's own."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from bench.harness import wrk
from bench.harness.process import Process, memory
from bench.peers import items
from bench.peers.environment import UnavailableError
from bench.peers.formats import Probabilities
from bench.peers.items import ITEMS, Item, WrongAnswerError
from bench.peers.model import Model
from bench.peers.servers import OWN, SERVERS, Server

SERVER_CORE, GENERATOR_CORE = "0", "1"
BOTH = "0,1"
WARM_UP_SECONDS = 2
MAIN = ITEMS[0]  # whose maximum sets the rates of the open loop
MANY = ITEMS[2]

Record = dict[str, Any]


class Plan(NamedTuple):
    """What to measure: servers, items, rounds, and seconds a measurement."""

    servers: list[Server]
    items: list[Item]
    rounds: int
    seconds: int


def say(text: str) -> None:
    """Tell how far it is."""
    print(text, file=sys.stderr, flush=True)


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
        for server in _running(plan, record):
            say(f"round {number} of {plan.rounds}: {server.name}")
            try:
                found["servers"][server.name] = _one(server, plan, answers)
            except UnavailableError as error:
                say(f"{server.name} could not be started: {error}")
                record["failed"][server.name] = str(error)


def _one(server: Server, plan: Plan, answers: dict[str, list[Probabilities]]) -> Record:
    results: Record = {}
    with Process(server, SERVER_CORE) as process:
        warm(server, process, plan.items[0])
        for item in plan.items:
            way = items.route(server, item)
            try:
                items.verify(item, way, process.port, answers[item.name])
            except WrongAnswerError as error:
                raise SystemExit(f"{server.name}, {item.title}: {error}") from error
            results[item.name] = wrk.run(
                item, way, process.port, plan.seconds, GENERATOR_CORE
            )
        used = [memory(pid) for pid in process.family()]
        return {"ready_seconds": process.ready_seconds, "items": results, "memory_kb": used}


def bare(seconds: int) -> dict[str, float]:
    """Return ONNX Runtime's own images per second on the servers' core, by batch."""
    found = {}
    for images in (1, 64):
        options = ["--images", str(images), "--seconds", str(seconds)]
        found[str(images)] = _module(SERVER_CORE, "bare", *options)["images_per_s"]
    return found


def open_loop(plan: Plan, record: Record) -> None:
    """Measure latencies at half of each server's maximum, and the service's at the same."""
    halves = {
        server.name: median(
            each["servers"][server.name]["items"][MAIN.name]["requests_per_s"]
            for each in record["rounds"]
        )
        / 2
        for server in _running(plan, record)
    }
    for number in range(1, plan.rounds + 1):
        for server in _running(plan, record):
            ours = server.name == OWN
            rates = halves if ours else {server.name: halves[server.name]}
            with Process(server, SERVER_CORE) as process:
                warm(server, process, MAIN)
                for of, rate in rates.items():
                    say(f"open loop {number} of {plan.rounds}: {server.name}, {rate:.0f}/s")
                    result = at_rate(server, process, MAIN, rate, plan.seconds, seed=number)
                    point = {"server": server.name, "half_of": of, "rate": rate, **result}
                    record["open_loop"].append(point)


def at_rate(
    server: Server, process: Process, item: Item, rate: float, seconds: int, seed: int
) -> Record:
    """Run the open loop, and return what `latency.summary` says of it."""
    way = items.route(server, item)
    with tempfile.TemporaryDirectory() as folder:
        items.write(item, way, Path(folder))
        options = ["--port", str(process.port), "--path", way.path, "--bodies", folder]
        options += ["--rate", str(rate), "--seconds", str(seconds), "--seed", str(seed)]
        for name, value in items.headers(item, way).items():
            options += ["--header", f"{name}: {value}"]
        return _module(GENERATOR_CORE, "openloop", *options)


def workers(plan: Plan, record: Record) -> None:
    """Measure the service with one and two workers; wrk shares both cores with them.

    With one image a request, wrk itself needs much of a core; with many it does not.
    """
    for number in range(1, plan.rounds + 1):
        for count in (1, 2):
            say(f"workers {number} of {plan.rounds}: {count}")
            with Process(SERVERS[0], BOTH, workers=count) as process:
                warm(SERVERS[0], process, MAIN, BOTH)
                for item in (MAIN, MANY):
                    way = items.route(SERVERS[0], item)
                    result = wrk.run(item, way, process.port, plan.seconds, BOTH)
                    found = {"workers": count, "item": item.name, **result}
                    record["workers"].append(found)


def _running(plan: Plan, record: Record) -> list[Server]:
    return [server for server in plan.servers if server.name not in record["failed"]]


def warm(server: Server, process: Process, item: Item, cores: str = GENERATOR_CORE) -> None:
    """Ask a server for a while, and count nothing."""
    wrk.run(item, items.route(server, item), process.port, WARM_UP_SECONDS, cores)


def _module(core: str, name: str, *options: str) -> Record:
    """Run a module of this package on a core, and read the JSON that it prints."""
    command = ["taskset", "--cpu-list", core, sys.executable, "-m", f"bench.peers.{name}"]
    environment = os.environ | {"ORT_DISABLE_TELEMETRY": "1"}
    done = subprocess.run([*command, *options], env=environment, capture_output=True)
    if done.returncode:
        raise RuntimeError(f"{name} failed: {done.stderr.decode()[-500:]}")
    result: Record = json.loads(done.stdout)
    return result
