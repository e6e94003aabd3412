import itertools
import socket
import threading
from array import array
from contextlib import ExitStack, suppress

import numpy as np
import pytest

from bench import overload
from bench.harness import closedloop
from bench.harness.rush import UNANSWERED, Phase, Rush, schedule
from bench.overload import NORMAL_SECONDS, judge

OVER_SECONDS = 20


def test_phases_follow_one_another_at_their_rates():
    times = np.array(schedule([Phase(100, 50), Phase(400, 50)], seed=1))
    assert (np.diff(times) >= 0).all()
    assert (times < 50).sum() == pytest.approx(5000, rel=0.1)
    assert (times >= 50).sum() == pytest.approx(20_000, rel=0.1)


def found(answered_s=0.001, refused_s=0.001, slow_until=0, silent=0):
    """Return a made-up run at a capacity of 1,000/s: in the rush, half is refused."""
    length = 2 * NORMAL_SECONDS + OVER_SECONDS
    due = np.arange(0, length, 0.001)
    took, status = np.full(len(due), 0.001), np.full(len(due), 200)
    over = (due >= NORMAL_SECONDS) & (due < NORMAL_SECONDS + OVER_SECONDS)
    took[over] = answered_s
    status[over & (np.arange(len(due)) % 2 == 0)] = 503
    took[status == 503] = refused_s
    status[:silent] = UNANSWERED
    since = due - NORMAL_SECONDS - OVER_SECONDS
    took[(since >= 0) & (since < slow_until)] = 1.0
    return {"due": due, "seconds": took, "status": status}


def test_goodput_is_what_was_answered_of_what_can_be():
    record = judge(1000, found(), OVER_SECONDS)
    assert record["goodput"] == pytest.approx(0.5)
    assert record["over"]["refused_per_s"] == pytest.approx(500)


def test_latencies_are_those_of_answers_and_of_refusals():
    record = judge(1000, found(answered_s=0.004, refused_s=0.007), OVER_SECONDS)
    assert record["p99_ratio"] == pytest.approx(4)
    assert record["over"]["refused_p99_ms"] == pytest.approx(7)


def test_recovery_is_counted_from_the_end_of_the_rush():
    assert judge(1000, found(), OVER_SECONDS)["recovered_s"] == 0
    assert judge(1000, found(slow_until=3), OVER_SECONDS)["recovered_s"] == 3


def test_requests_without_an_answer_are_counted():
    assert judge(1000, found(silent=7), OVER_SECONDS)["normal"]["unanswered"] == 7


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
BUSY = b"HTTP/1.1 503 X\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n"
BROKEN = b"HTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n"
HANG_UP = b""
REQUEST = b"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n"


@pytest.fixture
def toy():
    """Return a function that starts a server of the given replies, one a request."""
    with ExitStack() as stack:

        def start(*replies):
            listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            thread = threading.Thread(
                target=_serve, args=(listener, itertools.cycle(replies))
            )
            thread.start()
            stack.callback(thread.join)
            stack.callback(listener.shutdown, socket.SHUT_RDWR)
            return listener.getsockname()[1]

        yield start


def _serve(listener, replies):
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        with client, suppress(ConnectionError):
            while client.recv(100):
                reply = next(replies)
                if not reply:
                    break
                client.sendall(reply)


# A 503 that does not say when to come again is no answer, and neither is an end where no
# reply has come before.
@pytest.mark.parametrize(
    ("reply", "status"),
    [(OK, 200), (BUSY, 503), (BROKEN, UNANSWERED), (HANG_UP, UNANSWERED)],
)
def test_the_generator_tells_answers_refusals_and_silence(toy, reply, status):
    _, statuses = Rush(toy(reply), [REQUEST]).run(array("d", [0.0]))
    assert list(statuses) == [status]


def test_a_request_goes_out_again_where_a_kept_connection_ends(toy):
    # The second is due long after the first is answered; the server hangs up on it, once.
    _, statuses = Rush(toy(OK, HANG_UP, BUSY), [REQUEST]).run(array("d", [0.0, 2.0]))
    assert list(statuses) == [200, 503]


def test_a_generator_that_sleeps_in_between_sends_when_due(toy):
    rush = Rush(toy(OK, BUSY), [REQUEST], waits=True)
    _, statuses = rush.run(array("d", [0.0, 2.0]))
    assert list(statuses) == [200, 503]
    assert rush.most_open == 1


def test_one_client_alone_takes_no_refusal_for_an_answer(toy):
    with pytest.raises(ConnectionError, match="503.* expected a 200"):
        closedloop.run(toy(OK, BUSY), [REQUEST], seconds=5)


def test_the_tables_have_every_phase():
    record = judge(1000, found(), OVER_SECONDS)
    record |= {"probes_ms": {"/livez": 1.0}, "failed": 0}
    text = overload.markdown({"item": record})
    assert all(f"item: {name}" in text for name in ("normal", "over", "after"))
    assert "50%" in text
