"""What a call by gRPC costs: ``python -m bench rpc``.

The service with ``MNIST_GRPC_BIND`` beside two servers of a few lines on ``grpc.aio`` and
uvloop: one with the same model, one that answers without looking at the request, which is
what gRPC's library costs by itself. Server and client have a core each, with 16
connections. Microseconds are those that the server's core ran, all its threads together,
divided by the calls, so that a client that is slower than the server changes nothing; calls
per second of one core follow from them.
"""

import argparse
import contextlib
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from statistics import median
from typing import NamedTuple

from bench.harness import cores, results
from bench.harness.cores import GENERATOR_CORE, ROOT, SERVER_CORE, Command, on
from bench.harness.results import say, table
from bench.harness.server import Server, free_port
from bench.harness.service import service

PYTHON = ROOT / ".venv" / "grpc" / "bin" / "python"
WARM_UP_SECONDS = 1


@contextlib.contextmanager
def own(port: int) -> Iterator[Server]:
    """Run the service for the duration of a ``with`` block."""
    bind = f"127.0.0.1:{port}"
    with service(cores=SERVER_CORE, python=PYTHON, MNIST_GRPC_BIND=bind) as server:
        yield server


@contextlib.contextmanager
def floor(kind: str, port: int) -> Iterator[Server]:
    """Run a server of a few lines for the duration of a ``with`` block."""
    with tempfile.TemporaryDirectory() as folder:
        command: Command = [PYTHON, "-m", "bench.rpc.floor", str(port), kind]
        with Server(command, Path(folder) / "log", cores=SERVER_CORE) as server:
            server.wait_until("ready")
            yield server


class Case(NamedTuple):
    """A row: the server, and what it is asked."""

    title: str
    start: Callable[[int], AbstractContextManager[Server]]
    images: int = 1
    form: str = "raw"


CASES = (
    Case("this service, raw bytes", own),
    Case("this service, typed floats", own, form="typed"),
    Case("this service, 64 images as raw bytes", own, images=64),
    Case("plain grpc.aio, the same model, raw bytes", partial(floor, "model")),
    Case("plain grpc.aio, the same model, 64 images", partial(floor, "model"), images=64),
    Case("plain grpc.aio, a fixed answer", partial(floor, "echo")),
)


def measure(case: Case, seconds: float) -> float:
    """Return the microseconds of the server's core for each call."""
    port = free_port()
    with case.start(port) as server:

        def ask(seconds: float) -> int:
            arguments = [str(port), str(case.images), case.form, str(seconds)]
            command = on(GENERATOR_CORE, [PYTHON, "-m", "bench.rpc.client", *arguments])
            done = subprocess.run(
                command, cwd=ROOT, capture_output=True, text=True, check=True
            )
            return int(done.stdout)

        ask(WARM_UP_SECONDS)
        before = server.core_seconds()
        calls = ask(seconds)
        return 1e6 * (server.core_seconds() - before) / calls


def main(argv: Sequence[str] | None = None) -> int:
    """Measure every case in rounds, and print or write the table."""
    parser = argparse.ArgumentParser(prog="python -m bench rpc", description=__doc__)
    parser.add_argument("--seconds", type=float, default=5, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=3, help="the median is reported")
    parser.add_argument("--write", action="store_true", help="to bench/results/")
    options = parser.parse_args(argv)
    cores.require()
    found: dict[str, list[float]] = {case.title: [] for case in CASES}
    for number in range(1, options.rounds + 1):
        for case in CASES:
            found[case.title].append(measure(case, options.seconds))
            say(f"round {number}: {case.title}: {found[case.title][-1]:.0f} µs")
    medians = {title: median(values) for title, values in found.items()}
    rows = [[title, f"{1e6 / us:,.0f}", f"{us:.0f}"] for title, us in medians.items()]
    head = ("Server", "Calls per second of one core", "µs")
    text = results.heading("Calls by gRPC", "rpc", __doc__) + "\n" + table(head, rows)
    if options.write:
        text = results.write("rpc", {"microseconds": found}, text)
    print(text)
    return 0


if __name__ == "__main__":
    main()
