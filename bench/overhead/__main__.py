"""What it costs to be observed: ``python -m bench.overhead`` (``make overhead``).

One worker has a core, and wrk with 16 connections the other. In each round every row is
measured, one after the other, so that a slow minute of the machine is everyone's. The time
of a request is what the service's processes compute, divided by the requests, so that
what wrk takes to make a header of its own for each does not count. The base is the same
service with every counter taken out (`unobserved`).
"""

import argparse
import contextlib
import http.server
import json
import os
import threading
import urllib.request
from pathlib import Path
from statistics import median
from typing import NamedTuple

from bench.harness import wrk
from bench.harness.cores import core_seconds
from bench.harness.process import Process
from bench.peers.items import ITEMS
from bench.peers.measure import GENERATOR_CORE, SERVER_CORE, WARM_UP_SECONDS, say
from bench.peers.servers import SERVERS
from bench.peers.tables import table

ROOT = Path(__file__).resolve().parents[2]
OUTPUT = ROOT / "deploy" / "results"
OWN = SERVERS[0]
TRACING = ROOT / ".venv" / "tracing" / "bin" / "python"
WANTED = [ITEMS[0], ITEMS[1], ITEMS[2]]
SCRAPE_S = 1.0  # fifteen times as often as Prometheus does by default
JSON_LOG = {"MNIST_LOG_FORMAT": "json"}


class Row(NamedTuple):
    """How the service is started and watched.

    Attributes:
        title: in the table.
        arguments: after ``python -m service``.
        environment: variables.
        scraped: whether `/metrics` is asked for all the while.
        fresh: a header of each request that is never the same.
        sampled: share of the requests whose spans are sent; None without tracing.
    """

    title: str
    arguments: str = ""
    environment: dict[str, str] = {}
    scraped: bool = False
    fresh: str = ""
    sampled: float | None = None


BASE = Row("without any counter", "bench.overhead.unobserved:load()")
ROWS = (
    BASE,
    Row("as shipped"),
    Row("as shipped, `/metrics` asked every second", scraped=True),
    Row("as shipped, a new `traceparent` in each request", fresh="traceparent"),
    Row("a line a request in JSON", "--access-logfile /dev/null", JSON_LOG),
    Row("spans of one request in a hundred", sampled=0.01),
    Row("spans of every request", sampled=1),
)


@contextlib.contextmanager
def scraping(port, wanted):
    """Ask for the metrics until the end, if that is wanted."""
    over = threading.Event()

    def scrape():
        while wanted and not over.wait(SCRAPE_S):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics").read()

    thread = threading.Thread(target=scrape)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


class Collector(http.server.BaseHTTPRequestHandler):
    """Takes spans and forgets them."""

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


def start(row, collector):
    """Return how a row's server is started."""
    command = f"{OWN.command} {row.arguments}".strip()
    if row.sampled is None:
        return OWN._replace(command=command, environment=row.environment)
    tracing = {
        "MNIST_TRACING": "1",
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector}",
        "OTEL_TRACES_SAMPLER": "parentbased_traceidratio",
        "OTEL_TRACES_SAMPLER_ARG": str(row.sampled),
    }
    command = command.replace("python", str(TRACING), 1)
    return OWN._replace(command=command, environment={**row.environment, **tracing})


def measure(row, seconds, collector):
    """Return of each item the microseconds of a request; fail if a request does."""
    server = start(row, collector)
    found = []
    with Process(server, SERVER_CORE) as process, scraping(process.port, row.scraped):
        for item in WANTED:
            way = OWN.binary if item.binary else OWN.json
            for duration in (WARM_UP_SECONDS, seconds):
                before = core_seconds(process.family())
                result = wrk.run(
                    *(item, way, process.port, duration, GENERATOR_CORE), fresh=row.fresh
                )
            if any(result["errors"].values()):
                raise SystemExit(f"{row.title}: {result['errors']}, expected no error")
            used = core_seconds(process.family()) - before
            found.append(1e6 * used / result["requests"])
    return found


def markdown(record, rounds, seconds):
    """Return the table: medians, and the median of the rounds' ratios to the base."""
    rows = []
    for title, found in record.items():
        cells = [title]
        for times, base in zip(zip(*found), zip(*record[BASE.title])):
            added = [100 * (time / before - 1) for time, before in zip(times, base)]
            spread = f"{median(added):+.1f} % ({min(added):+.1f} to {max(added):+.1f})"
            cells.append(f"{median(times):.1f} µs" + f", {spread}" * (title != BASE.title))
        rows.append(cells)
    head = ["µs a request", *(item.title for item in WANTED)]
    about = __doc__.split("\n\n", 1)[1]
    how = f"{rounds} rounds of {seconds} s; in brackets the least and the most of a round."
    return f"# What it costs to be observed\n\n{about}\n{how}\n\n{table(head, rows)}"


def main():
    """Measure in rounds, and write the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.overhead")
    parser.add_argument("--rounds", type=int, default=5, help="(default: 5)")
    parser.add_argument("--seconds", type=int, default=3, help="a measurement (default: 3)")
    options = parser.parse_args()
    os.sched_setaffinity(0, {int(GENERATOR_CORE)})  # whoever asks for the metrics
    collector = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    threading.Thread(target=collector.serve_forever, daemon=True).start()
    record = {row.title: [] for row in ROWS}
    for number in range(1, options.rounds + 1):
        for row in ROWS:
            say(f"round {number} of {options.rounds}: {row.title}")
            found = measure(row, options.seconds, collector.server_port)
            record[row.title].append(found)
    OUTPUT.mkdir(parents=True, exist_ok=True)
    (OUTPUT / "overhead.json").write_text(json.dumps(record, indent=1) + "\n")
    text = markdown(record, options.rounds, options.seconds)
    (OUTPUT / "overhead.md").write_text(text)
    say(text)


if __name__ == "__main__":
    main()
