"""Where the microseconds go, layer by layer: ``python -m bench layers``.

Each row takes something away from the one above it, so the difference is what that costs.
The service and the generator have a core each; the time of a request is the core's time
at the most requests per second, with 16 connections. The stages are the service's own
counts of one connection, where nothing is answered together.
"""

import argparse
import contextlib
import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from bench.harness import closedloop, cores, results
from bench.harness.cores import GENERATOR_CORE, SERVER_CORE
from bench.harness.results import say, table
from bench.harness.server import Server, free_port
from bench.harness.service import PYTHON, service
from bench.peers import formats, items
from bench.peers.items import ITEMS, Item
from bench.peers.measure import bare
from bench.peers.servers import OWN, Route

ONE, MANY = ITEMS[0], ITEMS[2]
STAGES = ("decode", "infer", "encode")
JSON_REPLY = Route(
    "/predict", formats.RAW._replace(headers=lambda images: {}), "raw, answered in JSON"
)

Record = dict[str, Any]


@contextlib.contextmanager
def floor(cores: str) -> Iterator[Server]:
    """Run a server that only counts bytes for the duration of a ``with`` block."""
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        command = [str(PYTHON), "-m", "bench.layers.floor", str(port)]
        with Server(command, Path(folder) / "log", port=port, cores=cores) as server:
            yield server.wait_ready("/")


class Layer(NamedTuple):
    """A row: what is started, and how it is asked."""

    title: str
    start: Callable[..., AbstractContextManager[Server]]
    route: Route


LAYERS = (
    Layer(
        "JSON, gunicorn's gthread worker, Flask's dispatch",
        partial(service, "--worker-class", "gthread"),
        OWN.json,
    ),
    Layer(
        "JSON, this worker, Flask's dispatch",
        partial(service, MNIST_FAST_PATH="0"),
        OWN.json,
    ),
    Layer(
        "JSON, as shipped, with an access log",
        partial(service, "--access-logfile", "/dev/null"),
        OWN.json,
    ),
    Layer("JSON, as shipped", service, OWN.json),
    Layer("raw bytes, answered in JSON", service, JSON_REPLY),
    Layer("raw bytes, answered in raw floats", service, OWN.binary),
    Layer("uvloop alone: any bytes, a fixed reply", floor, OWN.binary),
)


def saturated(layer: Layer, item: Item, seconds: int) -> float:
    """Return the microseconds of a request at the most requests per second."""
    requests = items.requests(item, layer.route)
    with layer.start(cores=SERVER_CORE) as server:
        closedloop.warm_up(server.port, requests, GENERATOR_CORE)
        found = closedloop.measure(server.port, requests, seconds, GENERATOR_CORE)
    return 1e6 / float(found["requests_per_s"])


def stages(route: Route, item: Item, seconds: int) -> list[float]:
    """Return the mean microseconds of each stage, the request, and the client's wait."""
    requests = items.requests(item, route)
    with service(cores=SERVER_CORE) as server:
        result = closedloop.measure(
            server.port, requests, seconds, GENERATOR_CORE, connections=1
        )
        text = server.request("GET", "/metrics").body.decode()
    found = [_mean(text, "mnist_stage_duration_seconds", f'stage="{s}"') for s in STAGES]
    request = _mean(text, "http_server_request_duration_seconds", 'http_route="/predict"')
    return [*found, request, 1e6 / float(result["requests_per_s"])]


def _mean(text: str, name: str, label: str) -> float:
    """Return the mean in microseconds of a histogram's rows with a label."""
    sums, counts = (
        sum(map(float, re.findall(rf"^{name}_{kind}{{.*{label}.*}} (\S+)$", text, re.M)))
        for kind in ("sum", "count")
    )
    return 1e6 * sums / counts


def markdown(record: Record) -> str:
    """Return the two tables."""
    layers, means = (
        [[name, *(f"{value:.1f}" for value in found)] for name, found in rows.items()]
        for rows in (record["layers"], record["stages"])
    )
    one, many = (1e6 * n / record["images_per_s"][str(n)] for n in (1, 64))
    return "\n".join(
        [
            results.heading("Where the microseconds go", "layers", __doc__),
            f"ONNX Runtime alone on that core: {one:.1f} µs for 1 image, "
            f"{many:.1f} for 64.\n",
            table(
                ["16 connections, µs of the core per request", "1 image", "64 images"],
                layers,
            ),
            table(["one connection, mean µs", *STAGES, "request", "client waits"], means),
        ]
    )


def main(argv: Sequence[str] | None = None) -> None:
    """Measure in rounds, take the medians, and write them."""
    parser = argparse.ArgumentParser(prog="python -m bench layers")
    parser.add_argument("--rounds", type=int, default=3, help="(default: 3)")
    parser.add_argument("--seconds", type=int, default=3, help="a measurement (default: 3)")
    options = parser.parse_args(argv)
    cores.require("wrk")
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
    record = {
        "layers": _medians(rates),
        "stages": _medians(means),
        "images_per_s": bare(options.seconds),
    }
    results.write("layers", record, markdown(record))


def _medians(found: dict[str, list[list[float]]]) -> dict[str, list[float]]:
    return {
        name: [median(values) for values in zip(*rounds)] for name, rounds in found.items()
    }


if __name__ == "__main__":
    main()
