"""The counters of the service, and Prometheus's sums of them, against the clients' own."""

import json
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from bench.chaos import watch
from bench.chaos.case import Chaos, Finding, SkipError, case
from bench.chaos.life import RELOAD_S, reload
from bench.chaos.load import Load
from bench.harness.cores import ROOT
from bench.harness.service import Service
from load.record import Record, total
from tests.deploy.prometheus import Prometheus, is_installed

REQUESTS = 'http_server_request_duration_seconds_count{http_route="/predict"}'
ANSWERED = REQUESTS[:-1] + ', http_response_status_code="200"}'
IMAGES = "mnist_predictions_total"
WORDS = {REQUESTS: "requests", ANSWERED: "with status 200", IMAGES: "images"}
SETTLE_S = 5.0  # refusals are counted twice a second
PAUSE_S = 1.0
LOCUST = [
    ".venv/load/bin/python",
    "-m",
    "load",
    "steady",
    "--rate",
    "300",
    "--seconds",
    "8",
]


def counted(server: Service, name: str) -> int:
    """Return the sum of a metric's series; braces choose some of them."""
    name, _, labels = name.rstrip("}").partition("{")
    wanted = labels.split(", ") if labels else []
    return int(
        sum(
            value
            for series, value in watch.metrics(server).items()
            if series.partition("{")[0] == name and all(one in series for one in wanted)
        )
    )


def compare(
    server: Service, prometheus: Prometheus, expected: dict[str, int], lost: int = 0
) -> Iterator[Finding]:
    """Yield whether the service and Prometheus count what clients have, and how much.

    Args:
        server: the service.
        prometheus: who asks it.
        expected: by metric, how many the clients have counted.
        lost: of how many requests no client knows whether they were answered.
    """
    for name, own in expected.items():
        watch.wait(partial(lambda n, own: counted(server, n) >= own, name, own), SETTLE_S)
        found = counted(server, name)
        ok = own <= found <= own + lost
        more = f", {lost} more lost" if lost else ""
        yield Finding(f"{WORDS[name]}: {found:,} counted, {own:,} by the clients{more}", ok)
        prometheus.wait_for_scrapes(1)
        asked = int(prometheus.value(f"sum({name})") or 0)
        if asked != found:
            yield Finding(f"Prometheus has {asked:,}", False)


def watched(chaos: Chaos, *options: str, **environment: str) -> tuple[Service, Prometheus]:
    """Start the service, and a Prometheus that is to be used in a ``with`` statement."""
    if not is_installed():
        raise SkipError("needs prometheus, found none")
    server = chaos.start(*options, MNIST_MAX_WAIT_MS="10000", **environment).wait_ready()
    folder = Path(tempfile.mkdtemp(dir=chaos.folder))
    return server, Prometheus(folder, f"127.0.0.1:{server.port}")


@case(
    "counters: a reload under load; a worker killed (-9) while none is at work; load again",
    "requests, images and Prometheus's sums are exactly the clients' own count",
)
def quietly(chaos: Chaos) -> Iterator[Finding]:
    server, prometheus = watched(chaos)
    with prometheus:
        own = 0
        for step in ("reload", "kill", "end"):
            with Load(server.port, 8, 8) as load:
                time.sleep(PAUSE_S)
                if step == "reload":
                    yield Finding("reloaded", reload(server) is not None)
                account = load.stop()
            own += account["right"]
            bad = account.accepted - account["right"]
            yield Finding(f"{bad} not answered rightly", bad == 0)
            if step == "kill":
                os.kill(server.worker_pids()[0], signal.SIGKILL)
                took = watch.wait(lambda: watch.all_ready(server), RELOAD_S)
                yield Finding("the killed worker is replaced", took is not None)
        expected = {REQUESTS: own, ANSWERED: own, IMAGES: own}
        yield from compare(server, prometheus, expected)
        exits = {
            cause: counted(server, f'mnist_worker_exits_total{{cause="{cause}"}}')
            for cause in ("asked", "died", "hung")
        }
        yield Finding(f"exits {exits}", exits == {"asked": 2, "died": 1, "hung": 0})


@case(
    "counters: each worker killed (-9) under load",
    "what the clients have a reply to is counted, and at most what they lost besides",
)
def under_load(chaos: Chaos) -> Iterator[Finding]:
    server, prometheus = watched(chaos)
    with prometheus:
        with Load(server.port, 8, 8) as load:
            for pid in server.worker_pids():
                time.sleep(PAUSE_S)
                os.kill(pid, signal.SIGKILL)
                gone = partial(lambda one: one not in server.worker_pids(), pid)
                watch.wait(gone, RELOAD_S)
                watch.wait(lambda: watch.all_ready(server), RELOAD_S)
            time.sleep(PAUSE_S)
            account = load.stop()
        expected = {ANSWERED: account["right"], IMAGES: account["right"]}
        yield from compare(server, prometheus, expected, lost=account["failed"])
        died = counted(server, 'mnist_worker_exits_total{cause="died"}')
        yield Finding(f"{died} died", died == server.workers)


@case(
    "counters: python -m load steady, 300 requests/s, with a reload in the midst",
    "the service's and Prometheus's count are exactly that of the load test's report",
)
def locust(chaos: Chaos) -> Iterator[Finding]:
    server, prometheus = watched(chaos)
    with prometheus:
        command = [*LOCUST, "--host", server.url, "--output", str(chaos.folder)]
        with subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            started = watch.wait(lambda: counted(server, REQUESTS) > 0, RELOAD_S)
            yield Finding("it sends", started is not None)
            time.sleep(5 * PAUSE_S)
            yield Finding("reloaded", reload(server) is not None)
            process.wait(120)
        text = (chaos.folder / "steady.json").read_text()
        tally = total(phase.tally for phase in Record.from_dict(json.loads(text)).phases)
        yield Finding(f"{tally.failed} failed {dict(tally.failures)}", tally.failed == 0)
        expected = {REQUESTS: tally.due, ANSWERED: tally.right, IMAGES: tally.right}
        yield from compare(server, prometheus, expected)
