"""Replicas behind the proxy, replaced by new containers."""

import subprocess
import time
from collections.abc import Iterator

from bench.chaos import watch
from bench.chaos.case import Chaos, Finding, case
from bench.chaos.load import Load, answered
from bench.drills.stack import FREEZE, Stack, composes, stack
from bench.harness.cores import ROOT
from tests.support.engine import START_S, call


@case(
    "deploy/roll.sh, under load: each replica replaced by a new container",
    "3 other containers, all healthy; 0 failed",
)
def roll(chaos: Chaos) -> Iterator[Finding]:
    for version, command in composes().items():
        with stack(command) as found:
            found.up("proxy")
            with Load(found.proxy_port) as load:
                replaced = _roll(found)
                account = load.stop()
            yield Finding(f"Compose {version}: {replaced[0]}", replaced[1])
            yield from answered(account)


@case(
    "deploy/roll.sh, where every process of one replica is stopped",
    "3 other containers, all healthy",
)
def roll_ill(chaos: Chaos) -> Iterator[Finding]:
    with stack() as found:
        found.up("proxy")
        found.run(found.ids("replica")[0], FREEZE)
        watch.wait(lambda: not found.healthy(), START_S)
        yield Finding(*_roll(found))


def _roll(found: Stack) -> tuple[str, bool]:
    """Replace the replicas; return what was seen, and whether it is right."""
    before, began = found.ids("replica"), time.monotonic()
    script = ROOT / "deploy" / "roll.sh"
    subprocess.run([script], check=True, env=found.environment, capture_output=True)
    took, after = time.monotonic() - began, found.ids("replica")
    new = len(after) == 3 and not set(after) & set(before) and found.healthy()
    return f"{len(after)} containers after {took:.0f} s", new


@case(
    "deploy/roll.sh, under load, when a new container cannot serve: no model in its mount",
    "exit code 1, the same 3 containers, all healthy; 0 failed",
)
def roll_back(chaos: Chaos) -> Iterator[Finding]:
    with stack() as found:
        found.up("proxy")
        before = found.ids("replica")
        broken = found.environment | {"MNIST_MODELS": str(chaos.folder)}
        with Load(found.proxy_port) as load:
            done = call([ROOT / "deploy" / "roll.sh"], timeout=6 * START_S, env=broken)
            account = load.stop()
        yield Finding(f"exit code {done.returncode}", done.returncode == 1)
        same = sorted(found.ids("replica")) == sorted(before) and found.healthy()
        yield Finding("the same containers" if same else f"{found.states()}", same)
        yield from answered(account)
