"""The test of the tester: a server that says itself how long each request was with it.

What the load test measures is compared with the stub's own clock, so that it holds however
busy the machine is: no client sees less than the server's time, and what it sees more is
the way between both, which a busy machine makes longer for the percentiles, never shorter.
"""

import contextlib
import json
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from load import payloads

RATE, SECONDS, PERIOD = 100, 6, 3
POINTS = (50, 90, 95, 99)
STEP = 0.011  # ms: of the histogram, and a rounding


@contextlib.contextmanager
def stub(root, kind, number):
    """A server; once it has ended, the time of each request in ms, and its stalls' sum."""
    labels = {r.body.hex(): r.labels[0] for r in payloads.requests("json", 1)}
    process = subprocess.Popen(
        [sys.executable, root / "tests" / "load" / "stub.py", kind, str(number)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        process.stdin.write(json.dumps(labels) + "\n")
        process.stdin.flush()
        found = SimpleNamespace(url=f"http://127.0.0.1:{int(process.stdout.readline())}")
        yield found
        process.stdin.close()
        found.held = np.array(json.loads(process.stdout.readline()))


@pytest.fixture
def load(run_load):
    """Run a load test; its record."""

    def load(host, scenario, *options):
        done = run_load(scenario, "--host", host, *options, "--warm-up", "0")
        assert done.record, done.err
        assert done.record.tally.failed == 0, done.record.tally.failures
        return done.record

    return load


@pytest.mark.parametrize("loop", ["open", "closed"])
def test_percentiles_are_those_of_the_server_or_the_run_is_invalid(root, load, loop):
    """Never less; where they are more, the generator says that it is to blame."""
    with stub(root, "sleeps", 1) as server:
        # Closed, each sends as fast as it is answered.
        connections = "64" if loop == "open" else "4"
        options = ["--loop", loop, "--rate", str(RATE), "--connections", connections]
        record = load(server.url, "steady", "--seconds", str(SECONDS), *options)
    tally, truth = record.tally, np.percentile(server.held, POINTS, method="inverted_cdf")
    assert len(server.held) == tally.due
    if loop == "closed":  # a request is due when the one before it was answered
        assert tally.latency == tally.service
        assert not tally.late
    for seen in (tally.latency, tally.service):
        assert (np.array(seen.percentiles(POINTS)) > truth - STEP).all()
    close = tally.latency.percentile(50) < 1.1 * truth[0]
    assert close or record.verdict.invalid, record.usage


@pytest.mark.parametrize("connections", [8, 256])
def test_open_loop_sees_a_stall_as_every_client_does(root, load, connections):
    """Requests that are due in a stall wait until its end, also those that are not sent."""
    with stub(root, "stalls", PERIOD) as server:
        options = ["--rate", str(RATE), "--arrivals", "constant", "--seconds", str(SECONDS)]
        record = load(server.url, "steady", *options, "--connections", str(connections))
    tally = record.tally
    # In a third of the time it stalls: a tenth of the requests wait for 700 ms and more.
    assert tally.latency.percentile(90) > 690
    assert tally.latency.percentile(99) > 960
    if (
        connections < RATE
    ):  # of those that wait, most are not sent, and the server sees none
        assert np.percentile(server.held, 90) < 690
        assert tally.service.percentile(90) < tally.latency.percentile(90)


def test_closed_loop_hides_a_stall(root, load):
    """A request a user meets it, and all the others of that second are never sent."""
    with stub(root, "stalls", PERIOD) as server:
        options = ["--loop", "closed", "--connections", "2", "--seconds", str(SECONDS)]
        record = load(server.url, "steady", *options)
    assert record.tally.latency.most > max(server.held) - STEP > 900
    stalled = sum(
        count for unit, count in record.tally.latency.counts.items() if unit > 50_000
    )
    assert stalled <= 2 * (SECONDS // PERIOD + 1)
