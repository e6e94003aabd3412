"""Where the microseconds go, layer by layer: ``python -m bench.layers`` (``make profile``).

Each row takes something away from the one above it, so the difference is what that costs.
The service and the generator have a core each; the time of a request is the core's time
at the most requests per second, with 16 connections. The stages are the service's own
counts of one connection, where nothing is answered together.
"""

import argparse
import json
import re
from pathlib import Path
from statistics import median
from typing import NamedTuple

from bench.harness import wrk
from bench.harness.process import Process
from bench.peers import formats
from bench.peers.items import ITEMS, Item
from bench.peers.measure import GENERATOR_CORE, SERVER_CORE, WARM_UP_SECONDS, bare, say
from bench.peers.servers import SERVERS, Route, Server
from bench.peers.tables import table
from load.direct import urlopen

OUTPUT = Path(__file__).with_name("results")
ONE, MANY = ITEMS[0], ITEMS[2]
STAGES = ("decode", "infer", "encode")

OWN = SERVERS[0]
FLASK = OWN._replace(environment={"MNIST_FAST_PATH": "0"})
GTHREAD = OWN._replace(command=f"{OWN.command} --worker-class gthread")
LOGGING = OWN._replace(command=f"{OWN.command} --access-logfile /dev/null")
LOOP = OWN._replace(command="python -m bench.floor {port}", ready="/")
JSON_REPLY = Route(
    "/predict", formats.RAW._replace(headers=lambda images: {}), "raw, answered in JSON"
)


class Layer(NamedTuple):
    """A row: how the service is started, and how it is asked."""

    title: str
    server: Server
    route: Route


LAYERS = (
    Layer("JSON, gunicorn's gthread worker, Flask's dispatch", GTHREAD, OWN.json),
    Layer("JSON, this worker, Flask's dispatch", FLASK, OWN.json),
    Layer("JSON, as shipped, with an access log", LOGGING, OWN.json),
    Layer("JSON, as shipped", OWN, OWN.json),
    Layer("raw bytes, answered in JSON", OWN, JSON_REPLY),
    Layer("raw bytes, answered in raw floats", OWN, OWN.binary),
    Layer("uvloop alone: any bytes, a fixed reply", LOOP, OWN.binary),
)


def saturated(layer: Layer, item: Item, seconds: int) -> float:
    """Return the microseconds of a request at the most requests per second."""
    with Process(layer.server, SERVER_CORE) as process:
        for duration in (WARM_UP_SECONDS, seconds):
            result = wrk.run(item, layer.route, process.port, duration, GENERATOR_CORE)
    return 1e6 / float(result["requests_per_s"])


def stages(route: Route, item: Item, seconds: int) -> list[float]:
    """Return the mean microseconds of each stage, the request, and the client's wait."""
    with Process(OWN, SERVER_CORE) as process:
        result = wrk.run(item, route, process.port, seconds, GENERATOR_CORE, connections=1)
        with urlopen(f"http://127.0.0.1:{process.port}/metrics") as reply:
            text = reply.read().decode()
    found = [_mean(text, "mnist_stage_duration_seconds", f'stage="{s}"') for s in STAGES]
    request = _mean(text, "http_server_request_duration_seconds", 'http_route="/predict"')
    return [*found, request, 1e6 / float(result["requests_per_s"])]


def _mean(text: str, name: str, label: str) -> float:
    """Return the mean in microseconds of a histogram's rows with a label."""
    values = {
        kind: sum(
            map(float, re.findall(rf"^{name}_{kind}{{.*{label}.*}} (\S+)$", text, re.M))
        )
        for kind in ("sum", "count")
    }
    return 1e6 * values["sum"] / values["count"]


def markdown(record: dict[str, dict[str, list[float]]], alone: dict[str, float]) -> str:
    """Return the two tables."""
    rows = [
        [name, *(f"{value:.1f}" for value in found)]
        for name, found in record["layers"].items()
    ]
    many = [
        [name, *(f"{value:.1f}" for value in found)]
        for name, found in record["stages"].items()
    ]
    one, batch = (1e6 * n / alone[str(n)] for n in (1, 64))
    return "\n".join(
        [
            "# Where the microseconds go\n",
            f"{__doc__.split(chr(10) * 2, 1)[1]}",
            f"ONNX Runtime alone on that core: {one:.1f} µs for 1 image, "
            f"{batch:.1f} for 64.\n",
            table(
                ["16 connections, µs of the core a request", "1 image", "64 images"], rows
            ),
            "",
            table(["one connection, mean µs", *STAGES, "request", "client waits"], many),
            "",
        ]
    )


def main() -> None:
    """Measure in rounds, take the medians, and write them."""
    parser = argparse.ArgumentParser(prog="python -m bench.layers")
    parser.add_argument("--rounds", type=int, default=3, help="(default: 3)")
    parser.add_argument("--seconds", type=int, default=3, help="a measurement (default: 3)")
    options = parser.parse_args()
    rates: dict[str, list[list[float]]] = {}
    means: dict[str, list[list[float]]] = {}
    for number in range(1, options.rounds + 1):
        for layer in LAYERS:
            say(f"round {number} of {options.rounds}: {layer.title}")
            found = [saturated(layer, item, options.seconds) for item in (ONE, MANY)]
            rates.setdefault(layer.title, []).append(found)
        for route in (OWN.json, OWN.binary):
            for item in (ONE, MANY):
                name = f"{item.images} image{'s' * (item.images > 1)}, {route.title}"
                means.setdefault(name, []).append(stages(route, item, options.seconds))
    record = {"layers": _medians(rates), "stages": _medians(means)}
    OUTPUT.mkdir(exist_ok=True)
    (OUTPUT / "layers.json").write_text(json.dumps(record, indent=1) + "\n")
    (OUTPUT / "layers.md").write_text(markdown(record, bare(options.seconds)))
    say("wrote layers.json and layers.md in bench/results")


def _medians(found: dict[str, list[list[float]]]) -> dict[str, list[float]]:
    return {
        name: [median(values) for values in zip(*rounds)] for name, rounds in found.items()
    }


if __name__ == "__main__":
    main()
