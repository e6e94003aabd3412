"""The test of the tester: servers whose behaviour is known, and what is said of them."""

import contextlib
import json
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from load import payloads
from load.arrivals import arrivals

RATE, SECONDS, PERIOD = 200, 6, 3
CLOSE = 0.05  # of the truth
POINTS = (50, 90, 95, 99)


@contextlib.contextmanager
def stub(root, kind, number):
    """A server; once it has ended it says how long it slept."""
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
        found.slept = json.loads(process.stdout.readline())


@pytest.fixture
def load(run_load):
    """Run a load test; its record."""

    def load(host, scenario, *options):
        done = run_load(scenario, "--host", host, *options, "--warm-up", "0")
        assert done.record, done.err
        assert done.record.tally.failed == 0, done.record.tally.failures
        return done.record

    return load


def points(histogram):
    return histogram.percentiles(POINTS)


def inverted(values):
    return np.percentile(values, POINTS, method="inverted_cdf")


def stalled():
    """The latencies in ms that a stalling server's clients have: till the stall is over."""
    due = np.array(list(arrivals("constant", RATE, SECONDS, 1)))
    left = PERIOD - due % PERIOD
    return 1000 * np.where(left < 1, left, 0)


@pytest.mark.parametrize("loop", ["open", "closed"])
def test_percentiles_of_a_server_that_sleeps_by_schedule_are_true(root, load, loop):
    with stub(root, "sleeps", 1) as server:
        limits = ["--loop", loop, "--rate", str(RATE), "--connections", "64"]
        record = load(server.url, "steady", "--seconds", str(SECONDS), *limits)
    assert len(server.slept) == record.tally.due
    truth = inverted(server.slept)
    assert points(record.tally.latency) == pytest.approx(truth, rel=CLOSE)


@pytest.mark.parametrize("connections", [8, 256])
def test_open_loop_sees_a_stall_as_every_client_does(root, load, connections):
    with stub(root, "stalls", PERIOD) as server:
        options = ["--rate", str(RATE), "--arrivals", "constant", "--seconds", str(SECONDS)]
        record = load(server.url, "steady", *options, "--connections", str(connections))
    truth = inverted(stalled())
    found = points(record.tally.latency)
    assert found[1:] == pytest.approx(truth[1:], rel=CLOSE)
    assert found[0] < 20  # it answers at once, two thirds of the time
    if connections < RATE:  # from the sending, most of those who wait are not seen
        assert record.tally.service.percentile(90) < 100 < found[1]


def test_closed_loop_hides_a_stall(root, load):
    """A request a user meets it: of thousands, too few for any percentile of ours."""
    with stub(root, "stalls", PERIOD) as server:
        options = ["--loop", "closed", "--connections", "4", "--seconds", str(SECONDS)]
        record = load(server.url, "steady", *options)
    assert record.tally.latency.most == pytest.approx(1000, rel=CLOSE)
    assert points(record.tally.latency)[-1] < inverted(stalled())[-1] / 10
