"""What it costs to be observed: ``python -m bench overhead``.

One worker has a core, and wrk with 16 connections the other. In each round every row is
measured, one after the other, so that a slow minute of the machine is everyone's. The time
of a request is what the service's processes compute, divided by the requests, so that
what wrk takes to make a header of its own for each does not count. The base is the same
service with every counter taken out (`unobserved`).
"""

import argparse
import contextlib
import http.server
import os
import threading
from collections.abc import Iterator, Sequence
from statistics import median
from typing import NamedTuple

from bench.harness import closedloop, cores, results
from bench.harness.cores import GENERATOR_CORE, ROOT, SERVER_CORE
from bench.harness.results import say, table
from bench.harness.server import Server
from bench.harness.service import PYTHON, service
from bench.peers import items
from bench.peers.items import ITEMS
from bench.peers.servers import OWN

TRACING = ROOT / ".venv" / "tracing" / "bin" / "python"
WANTED = ITEMS[:3]
SCRAPE_S = 1.0  # fifteen times as often as Prometheus does by default


class Row(NamedTuple):
    """How the service is started and watched.

    Attributes:
        title: in the table.
        options: after ``python -m service``.
        environment: variables.
        scraped: whether `/metrics` is asked for all the while.
        fresh: header lines of each request that are never the same.
        sampled: share of the requests whose spans are sent; None without tracing.
    """

    title: str
    options: tuple[str, ...] = ()
    environment: dict[str, str] = {}
    scraped: bool = False
    fresh: tuple[str, ...] = ()
    sampled: float | None = None


BASE = Row("without any counter", ("bench.overhead.unobserved:load()",))
LOG = ("--access-logfile", "/dev/null")
ROWS = (
    BASE,
    Row("as shipped"),
    Row("as shipped, `/metrics` asked every second", scraped=True),
    Row("as shipped, a new `traceparent` in each request", fresh=(closedloop.TRACEPARENT,)),
    Row("a line per request in JSON", LOG, {"MNIST_LOG_FORMAT": "json"}),
    Row("spans of one request in a hundred", sampled=0.01),
    Row("spans of every request", sampled=1),
)


@contextlib.contextmanager
def scraping(server: Server, wanted: bool) -> Iterator[None]:
    """Ask for the metrics until the end, if that is wanted."""
    over = threading.Event()

    def scrape() -> None:
        while wanted and not over.wait(SCRAPE_S):
            server.request("GET", "/metrics")

    thread = threading.Thread(target=scrape)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


class Collector(http.server.BaseHTTPRequestHandler):
    """Takes spans and forgets them."""

    def do_POST(self) -> None:
        """Answer 200."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *_: object) -> None:
        """Print nothing."""


def start(row: Row, collector: int) -> contextlib.AbstractContextManager[Server]:
    """Return a row's server; the collector of its spans listens at that port."""
    if row.sampled is None:
        return service(*row.options, cores=SERVER_CORE, **row.environment)
    return service(
        cores=SERVER_CORE,
        python=TRACING,
        MNIST_TRACING="1",
        OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{collector}",
        OTEL_TRACES_SAMPLER="parentbased_traceidratio",
        OTEL_TRACES_SAMPLER_ARG=str(row.sampled),
    )


def measure(row: Row, seconds: int, collector: int) -> list[float]:
    """Return the microseconds of a request, by item.

    Raises:
        SystemExit: a request failed.
    """
    found = []
    with start(row, collector) as server, scraping(server, row.scraped):
        for item in WANTED:
            requests = items.requests(item, OWN.route(item.binary))
            closedloop.warm_up(server.port, requests, GENERATOR_CORE)
            before = server.core_seconds()
            result = closedloop.measure(
                server.port, requests, seconds, GENERATOR_CORE, fresh=row.fresh
            )
            if any(result["errors"].values()):
                raise SystemExit(f"{row.title}: {result['errors']}, expected no error")
            used = server.core_seconds() - before
            found.append(1e6 * used / result["requests"])
    return found


def markdown(record: dict[str, list[list[float]]], seconds: int) -> str:
    """Return the table: medians, and the median of the rounds' ratios to the base."""
    rows = []
    for title, found in record.items():
        cells = [title]
        for times, base in zip(zip(*found), zip(*record[BASE.title])):
            added = [100 * (time / before - 1) for time, before in zip(times, base)]
            spread = f"{median(added):+.1f} % ({min(added):+.1f} to {max(added):+.1f})"
            cells.append(f"{median(times):.1f} µs" + f", {spread}" * (title != BASE.title))
        rows.append(cells)
    head = ["µs per request", *(item.title for item in WANTED)]
    start = results.heading("What it costs to be observed", "overhead", __doc__)
    how = (
        f"{len(record[BASE.title])} rounds of {seconds} s; in brackets the least and the "
        "most of a round."
    )
    return f"{start}\n{how}\n\n{table(head, rows)}"


def main(argv: Sequence[str] | None = None) -> None:
    """Measure in rounds, and write the table."""
    parser = argparse.ArgumentParser(prog="python -m bench overhead")
    parser.add_argument("--rounds", type=int, default=5, help="(default: 5)")
    parser.add_argument("--seconds", type=int, default=3, help="a measurement (default: 3)")
    options = parser.parse_args(argv)
    cores.require("wrk")
    for python in (PYTHON, TRACING):
        if not python.exists():
            raise SystemExit(f"found no {python}, expected `make bench` to make it")
    os.sched_setaffinity(0, {int(GENERATOR_CORE)})  # whoever asks for the metrics
    collector = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    threading.Thread(target=collector.serve_forever, daemon=True).start()
    record: dict[str, list[list[float]]] = {row.title: [] for row in ROWS}
    for number in range(1, options.rounds + 1):
        for row in ROWS:
            say(f"round {number} of {options.rounds}: {row.title}")
            found = measure(row, options.seconds, collector.server_port)
            record[row.title].append(found)
    text = markdown(record, options.seconds)
    results.write("overhead", record, text)
    say(text)


if __name__ == "__main__":
    main()
