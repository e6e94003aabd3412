"""What must be so after every fault."""

import math
from collections.abc import Iterator

from bench.chaos import asks, watch
from bench.chaos.case import Finding
from bench.harness.service import Service

RECOVERY_S = 10  # from the end of a case to all workers there
SETTLE_S = 12  # in which what clients have left behind is swept away: 8 s is their time
BUSY = ("in_flight", "waiting", "queue", "inflight")  # in names of gauges that return to 0


def after(server: Service) -> Iterator[Finding]:
    """Yield what is wrong with a server after a fault; nothing if it is well."""
    try:
        if watch.wait(lambda: watch.all_ready(server), RECOVERY_S) is None:
            found = f"{watch.ready(server)} of {server.worker_pids()}"
            yield Finding(f"{found} are ready, expected {server.workers} workers", False)
        status = server.request("GET", "/livez").status
        if status != 200:
            yield Finding(f"/livez has status {status}", False)
        yield from _predictions(server)
        if watch.wait(lambda: not list(_gauges(server)), SETTLE_S) is None:
            yield from _gauges(server)
    except OSError as error:
        yield Finding(f"no answer after it: {error!r}", False)
    if "Traceback" in server.log:
        trace = server.log[server.log.index("Traceback") :].partition("\n[")[0]
        yield Finding(f"a traceback in the log: ... {trace[-300:]}", False)


def _predictions(server: Service) -> Iterator[Finding]:
    for ask in asks.single()[::6]:
        reply = asks.exchange(server.port, ask.closing)
        kind, text = asks.judge(ask, reply) if reply else ("no whole reply", "")
        if kind != "right":
            yield Finding(f"the golden prediction: {kind} {text}", False)
            return


def _gauges(server: Service) -> Iterator[Finding]:
    for name, value in watch.metrics(server).items():
        if value < 0 or math.isnan(value):
            yield Finding(f"/metrics has {name} {value}", False)
        # The scrape itself is at work while it is answered.
        elif any(word in name.partition("{")[0] for word in BUSY) and value > 1:
            yield Finding(f"/metrics has {name} {value} with nobody there", False)
