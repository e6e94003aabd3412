import socket
import threading
from array import array

import numpy as np
import pytest

from load import overload
from load.capacity import alone
from load.overload import NORMAL_SECONDS, judge
from load.rush import UNANSWERED, Phase, Rush, schedule

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


REPLIES = [
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    b"HTTP/1.1 503 X\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n",
    b"",
]


@pytest.fixture
def toy():
    """A server that gives one reply after the other; the last is to hang up."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        number = 0
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            with client:
                while client.recv(100):
                    reply = REPLIES[number % len(REPLIES)]
                    number += 1
                    if not reply:
                        break
                    client.sendall(reply)

    thread = threading.Thread(target=serve)
    thread.start()
    yield listener.getsockname()[1]
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


def test_the_generator_tells_answers_refusals_and_silence(toy):
    request = b"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n"
    times = schedule([Phase(20, 1)], seed=3)[:8]
    _, statuses = Rush(toy, [request]).run(times)
    # A 503 that does not say when to come again is no answer, and neither is an end where
    # no reply has come before; after one, the request goes out again.
    assert set(statuses) == {200, 503, UNANSWERED}
    assert list(statuses[:3]) == [200, 503, UNANSWERED]


def test_a_generator_that_sleeps_in_between_sends_when_due(toy):
    request = b"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n"
    rush = Rush(toy, [request], waits=True)
    seconds, statuses = rush.run(array("d", [0.0, 0.4]))
    assert list(statuses) == [200, 503]
    assert rush.most_open == 1


def test_one_client_alone_takes_no_refusal_for_an_answer(toy):
    request = b"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n"
    with pytest.raises(ConnectionError, match="503.* expected a 200"):
        alone.run(toy, [request], seconds=5)


def test_the_tables_have_every_phase():
    record = judge(1000, found(), OVER_SECONDS)
    record |= {"probes_ms": {"/livez": 1.0}, "failed": 0}
    text = overload.markdown({"item": record})
    assert all(f"item: {name}" in text for name in ("normal", "over", "after"))
    assert "50%" in text
