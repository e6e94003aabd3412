"""Faults caused on purpose, and the alerts that a real Prometheus raises for them."""

import os
import shutil
import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from bench.chaos import watch
from bench.chaos.case import Chaos, Finding, case
from bench.chaos.life import TIMEOUT_S
from bench.chaos.models import repository, spoil
from bench.drills.counters import watched
from bench.harness.service import Service
from tests.deploy.prometheus import Prometheus

SEEN_S = 30.0  # from the fault to the alert, of which none waits longer here
# What depends on how busy the machine is, and on how long the drill has run.
BESIDES = {"LatencyBudgetBurn", "Saturated"}


def raised(prometheus: Prometheus) -> set[str]:
    """Return the alerts that fire, or that will if it goes on."""
    found = prometheus.get("alerts")["alerts"]
    return {one["labels"]["alertname"] for one in found} - BESIDES


def kill(server: Service, folder: Path) -> None:
    """End a worker as the kernel does where memory is short."""
    os.kill(server.worker_pids()[0], signal.SIGKILL)


def add_bad_version(server: Service, folder: Path) -> None:
    """Put a version into the repository that cannot be served, and reload."""
    shutil.copytree(folder / "mnist" / "1", folder / "mnist" / "9")
    spoil(folder / "mnist" / "9", "truncated")
    server.process.send_signal(signal.SIGHUP)


def stop(server: Service, folder: Path) -> None:
    """Let the service end."""
    server.stop()


FAULTS = {
    kill: {"Crashes"},
    add_bad_version: {"ChangeRefused"},
    stop: {"ServiceDown", "InstancesMissing"},
}


@case(
    "alerts: a worker killed, a bad version added, the service stopped, one by one",
    "each raises its alerts, and no others",
)
def faults(chaos: Chaos) -> Iterator[Finding]:
    folder = repository(chaos)
    server, prometheus = watched(
        chaos, "--timeout", str(TIMEOUT_S), MNIST_MODEL_ROOT=str(folder)
    )
    before: set[str] = set()
    with prometheus:
        prometheus.wait_for_scrapes(3)
        yield Finding(f"before: {raised(prometheus) or 'none'}", not raised(prometheus))
        for fault, names in FAULTS.items():
            fault(server, folder)
            watch.wait(partial(lambda wanted: wanted <= raised(prometheus), names), SEEN_S)
            found = raised(prometheus) - before
            said = f"{fault.__name__}: {', '.join(sorted(found)) or 'none'}"
            yield Finding(said, found == names)
            before |= names
