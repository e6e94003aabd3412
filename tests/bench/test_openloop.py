"""The open loop against a toy server whose own clock and counts decide."""

import os
import threading
import time

import numpy as np
import pytest

from bench.harness import openloop, timed, wire
from bench.harness.cores import call_on
from bench.harness.openloop import OpenLoop
from bench.harness.timed import LEFT, UNANSWERED, Phase, Timed
from tests.bench.conftest import HANG_UP, OK

BUSY = b"HTTP/1.1 503 X\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n"
BROKEN = b"HTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n"
BAD = b"?\r\n\r\n"
LAST = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
BODIES = [wire.request("/", body) for body in (b"a", b"b", b"c")]


def ask(server, times, **options):
    return timed.run(server.port, BODIES, np.array(times), **options)


# A 503 that does not say when to come again is no answer, and neither is an end where no
# reply has come before, or what is not a reply.
@pytest.mark.parametrize(
    ("reply", "status"),
    [
        (OK, 200),
        (BUSY, 503),
        (BROKEN, UNANSWERED),
        (HANG_UP, UNANSWERED),
        (b"?\r\n\r\n", 0),
    ],
)
def test_each_request_has_one_status(toy, reply, status):
    server = toy(reply)
    assert ask(server, [0.0] * 5, most=2).status.tolist() == [status] * 5
    assert server.bodies.count(b"a") == 2


def test_requests_go_out_in_turn(toy):
    server = toy(OK)
    ask(server, [0.0] * 4, most=1)
    assert server.bodies == [b"a", b"b", b"c", b"a"]
    assert server.connections == 1


def test_a_request_goes_out_again_where_a_kept_connection_ends(toy):
    found = ask(toy(OK, HANG_UP, BUSY), [0.0, 0.0], most=1)
    assert found.status.tolist() == [200, 503]
    assert found.resent == 1


def test_without_resending_it_has_no_answer(toy):
    found = []
    loop = OpenLoop(
        toy(OK, HANG_UP, OK).port,
        lambda number: BODIES[number],
        lambda number, reply, seconds: found.append((number, bool(reply))),
        most=1,
        resend=False,
    )
    loop.run([0.0, 0.0])
    assert found == [(0, True), (1, False)]


def test_a_connection_that_the_server_closes_is_not_used_again(toy):
    server = toy(LAST)
    assert ask(server, [0.0] * 3, most=1).status.tolist() == [200] * 3
    assert server.connections == 3


def test_a_latency_counts_from_when_a_request_was_due(toy):
    # One connection, and a first answer that takes 0.5 s at least: the others, due in its
    # first 0.1 s, wait behind it. Counted from their sending they would be quick.
    first = iter([0.5])

    def slow():
        time.sleep(next(first, 0.0))
        return OK

    found = ask(toy(slow), [number / 100 for number in range(10)], most=1)
    assert (found.status == 200).all()
    assert (found.due + found.seconds >= 0.5).all()


@pytest.mark.parametrize("connections", [0, 4])
def test_requests_that_are_due_together_are_sent_together(toy, connections):
    together = threading.Barrier(4)  # nobody is answered before all four have asked

    def wait():
        together.wait(60)
        return OK

    found = ask(toy(wait), [0.0] * 4, connections=connections)
    assert (found.status == 200).all()
    assert found.most_open == 4


def test_a_request_that_the_kernel_does_not_take_at_once_arrives_whole(toy):
    server, body = toy(OK), bytes(range(256)) * 40_000  # 10 MB
    found = timed.run(server.port, [wire.request("/", body)], np.array([0.0]))
    assert found.status.tolist() == [200]
    assert server.bodies == [body]


def test_a_server_that_does_not_answer_is_given_up(toy, monkeypatch):
    monkeypatch.setattr(openloop, "PATIENCE_S", 0.1)
    over = threading.Event()
    found = ask(toy(lambda: over.wait(60) and OK), [0.0, 0.0], most=1)
    over.set()
    assert found.status.tolist() == [UNANSWERED] * 2


def test_who_has_waited_for_long_enough_leaves_and_comes_again(toy):
    """The second of four closes its connection; the first waits, as long as it takes."""
    over = threading.Event()
    server = toy(lambda: over.wait(60) and OK, lambda: over.wait(60) and OK, OK, OK)
    left = np.array([np.inf, 0.01, np.inf, 60])
    threading.Timer(0.5, over.set).start()
    found = ask(server, [0.0, 0.0, 0.1, 0.1], leave_s=left)
    assert found.status.tolist() == [200, LEFT, 200, 200]
    assert server.connections == 4
    assert 0.01 <= found.seconds[1] < found.seconds[0]


def test_every_other_client_of_a_phase_may_leave():
    phases = [Phase(1, 10), Phase(1, 10, leave_s=0.05), Phase(1, 10)]
    found = timed.patience(phases, np.array([1.0, 2.0, 11.0, 12.0, 19.0, 20.0, 25.0, 26]))
    assert np.flatnonzero(found == 0.05).tolist() == [3]
    assert np.isinf(np.delete(found, 3)).all()


def test_phases_follow_one_another_at_their_rates():
    phases = [Phase(100, 50), Phase(400, 50)]
    times = timed.schedule(phases, seed=1)
    assert (np.diff(times) >= 0).all()
    assert (times < 50).sum() == pytest.approx(5000, rel=0.1)
    gaps = np.diff(times[times >= 50])
    assert len(gaps) == pytest.approx(20_000, rel=0.1)
    # Independent arrivals have exponential gaps: deviation as large as the mean.
    assert gaps.std() / gaps.mean() == pytest.approx(1, abs=0.1)
    assert (timed.schedule(phases, seed=1) == times).all()
    assert len(timed.schedule(phases, seed=2)) != len(times)


def test_a_summary_has_the_answers_percentiles_in_microseconds():
    seconds, status = np.array([0.003, 0.001, 9.0]), np.array([200, 200, 503], np.uint16)
    found = timed.summary(Timed(np.zeros(3), seconds, status, 0.00002, 0.0, 1, 0))
    assert (found["due"], found["answered"], found["errors"]) == (3, 2, 1)
    assert found["p50_us"] == pytest.approx(1000)
    assert found["max_us"] == pytest.approx(3000)
    assert found["generator_late_p99_us"] == pytest.approx(20)


@pytest.mark.skipif(os.cpu_count() == 1, reason="needs two cores")
def test_the_generator_has_a_process_on_its_core(toy):
    server = toy(OK)
    found = timed.measure(server.port, BODIES, [Phase(50, 1)])
    assert len(found.due) == len(server.bodies) > 0
    assert (found.status == 200).all()
    assert call_on("0", os.sched_getaffinity, 0) == {0}
    assert call_on("0", os.getpid) != os.getpid()
