"""Chaos suite and soak catch each planted fault, by its own gate and no other."""

import json
import time
from collections import Counter

import pytest

from bench.chaos.load import Load, answered
from bench.soak import gates, samples
from bench.soak.__main__ import generate
from tests.bench.chaos.planted import source

SECONDS, RATE = 1, 200


@pytest.fixture(scope="module")
def server(start, tmp_path_factory):
    folder = tmp_path_factory.mktemp("planted")
    (folder / "wsgi_planted.py").write_text(source)
    (folder / "fault").write_text("none")
    options = ("--pythonpath", str(folder), "wsgi_planted:app")
    found = start(*options, MNIST_FAST_PATH="0").wait_ready()
    found.fault = folder / "fault"
    return found


def soak(server):
    """Return the counts of a short open loop, and the worker's samples meanwhile."""
    taken, began = [], time.monotonic()
    process = generate(server.port, 1, f"--rate={RATE}", f"--seconds={SECONDS}")
    while process.poll() is None:
        at = time.monotonic() - began
        taken.append(samples.take(at, *server.worker_pids()))
        time.sleep(0.1)
    out, _ = process.communicate()
    counts = sum(
        (Counter(json.loads(line)["counts"]) for line in out.splitlines()), Counter()
    )
    return counts, taken


@pytest.mark.parametrize(
    ("fault", "caught_by"),
    [
        ("none", set()),
        ("500", {"unexpected"}),
        ("wrong", {"wrong"}),
        ("drop", {"failed"}),
        ("leak", {"memory"}),
    ],
)
def test_each_planted_fault_is_caught_by_its_gate(server, fault, caught_by):
    server.fault.write_text(fault)
    try:
        with Load(server.port, keep=1, close=1) as load:
            counts, taken = soak(server)
            account = load.stop()
    finally:
        server.fault.write_text("none")
    found = {
        name
        for name in ("wrong", "unexpected", "failed")
        if not getattr(gates, name)(counts).ok
    }
    if fault == "leak":  # in a second, healthy processes grow by a page or two
        found |= set() if gates.memory(taken, 0).ok else {"memory"}
    assert found == caught_by, (counts, account)
    in_clients = {name for name in ("wrong", "unexpected", "failed") if account[name]}
    assert in_clients == caught_by - {"memory"}
    assert all(finding.ok for finding in answered(account)) == (not in_clients)
