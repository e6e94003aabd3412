"""Which requests are admitted, and how the others are refused."""

import json
import logging
import os
import signal
from contextlib import ExitStack

import pytest

from service.server import admission
from service.server.admission import (
    CALM_S,
    CONNECT_S,
    LEAST_S,
    OTHER,
    PATIENCE,
    SHORT_S,
    Admission,
)
from tests.support.wire import connect, post, read_reply

KIND, IMAGES = 1, 2
MOST_S = 0.05


@pytest.fixture
def clock(monkeypatch):
    """The time, which tests set."""
    now = [100.0]
    monkeypatch.setattr(admission, "monotonic", lambda: now[0])
    return now


def know(own, kind, seconds, times=200):
    """Let it learn how long a byte of a kind takes."""
    for _ in range(times):
        own.learn(kind, 1, seconds)


@pytest.fixture
def own(clock):
    """An admission that knows a kind: a millisecond per byte."""
    found = Admission(MOST_S, logging.getLogger("test"))
    know(found, KIND, 0.001)
    return found


def admitted(own, count, kind=KIND, size=1):
    return sum(own.admit(kind, size) > 0 for _ in range(count))


def test_requests_are_admitted_up_to_the_longest_wait(own):
    assert admitted(own, 60) == pytest.approx(MOST_S / 0.001, rel=0.15)


def test_the_next_turn_starts_with_an_empty_queue(own):
    before = admitted(own, 40)
    own.end_turn()
    assert before == admitted(own, 40) == 40


def test_the_only_request_is_admitted_however_long_it_takes(own):
    assert own.admit(KIND, 10_000)


def test_a_large_request_may_wait_in_proportion(own):
    takes_s = 10 * MOST_S / PATIENCE
    assert admitted(own, 30, size=round(takes_s * 1000)) == pytest.approx(PATIENCE, abs=1)


def test_kinds_have_rates_of_their_own(own):
    assert admitted(own, 1000, IMAGES) == 1000
    assert 1000 * LEAST_S < MOST_S


def test_a_rate_follows_how_long_requests_take(own):
    know(own, KIND, 0.0001)
    found = admitted(own, 500)
    assert found == pytest.approx(MOST_S / (0.0001 + LEAST_S), rel=0.15)


def test_a_first_or_other_request_that_takes_far_too_long_hardly_counts(own):
    own.learn(IMAGES, 784, 10.0)
    assert admitted(own, 500, IMAGES, 784) == 500
    own.end_turn()
    know(own, KIND, 1000.0, times=3)
    assert admitted(own, 20) == 20


def test_what_the_application_answers_counts_too(own):
    know(own, OTHER, 0.001)
    assert admitted(own, 60, OTHER) == pytest.approx(MOST_S / 0.001, rel=0.15)


def test_during_overload_the_queue_is_short_until_few_are_refused(own, clock):
    admitted(own, 1000)
    own.end_turn()
    assert admitted(own, 5) < 5  # 5 ms of work
    own.end_turn()
    clock[0] += CALM_S + 0.1
    own.sweep()  # most of these were refused
    assert admitted(own, 5) < 5
    for _ in range(100):
        own.end_turn()
        assert own.admit(KIND, 1)
    clock[0] += CALM_S + 0.1
    own.sweep()
    assert admitted(own, 5) == 5


def test_overload_by_large_requests_ends_once_they_arrive_in_twos(own, clock):
    """At 70 % of the capacity, many arrive while another is answered."""
    admitted(own, 1000)
    own.end_turn()
    clock[0] += CALM_S + 0.1
    own.sweep()  # most of these were refused
    for _ in range(100):
        assert admitted(own, 2, size=5) == 2  # 5 ms each
        own.end_turn()
    clock[0] += CALM_S + 0.1
    own.sweep()
    assert admitted(own, 20, size=5) >= 10


def test_during_overload_refusals_leave_time_for_answers(own):
    know(own, IMAGES, 1e-9)  # as quick as can be
    admitted(own, 1000)
    own.end_turn()
    first = SHORT_S / LEAST_S
    many = 100 * round(first)
    assert admitted(own, many, IMAGES) > many / 3


def test_many_clients_waiting_to_be_accepted_are_overload(own):
    few, many = round(0.9 * MOST_S / CONNECT_S), round(1.1 * MOST_S / CONNECT_S)
    assert all(own.admit_new(few) for _ in range(1000))
    own.end_turn()
    count = 0
    for _ in range(100):
        if own.admit_new(many):
            count += 1
        else:
            own.count_refusal()
    assert SHORT_S / CONNECT_S <= count < 60


def test_an_overload_is_logged_once(own, clock, caplog):
    with caplog.at_level(logging.INFO):
        for _ in range(3):
            admitted(own, 1000)
            own.end_turn()
        refused = own.refused
        for _ in range(2):
            clock[0] += CALM_S + 0.1
            own.sweep()
    assert [record.message for record in caplog.records] == [
        "a request would wait for more than 50 ms: refusing what there is no time for, "
        "with 503",
        f"the overload is over: {refused} requests were refused",
    ]


# On the wire.


@pytest.fixture(scope="module", params=["1", "0"], ids=["fast path", "flask"])
def strict(start, request):
    settings = {"MNIST_MAX_WAIT_MS": "1", "MNIST_FAST_PATH": request.param}
    return start(**settings).wait_ready()


def burst(server, requests):
    """Let requests arrive at once; return status, headers and body of each reply."""
    (pid,) = server.worker_pids()
    with ExitStack() as stack:
        clients = [stack.enter_context(connect(server)) for _ in requests]
        for client in clients:  # until all of them are accepted
            client.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
            assert read_reply(client)[0] == 200
        os.kill(pid, signal.SIGSTOP)
        for client, request in zip(clients, requests):
            client.sendall(request)
        os.kill(pid, signal.SIGCONT)
        return [read_reply(client) for client in clients]


def test_overload_gets_503_and_right_answers_and_health(strict, frames):
    paths = "/livez", "/readyz", "/metrics", "/v2/health/ready"
    urgent = [f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode() for path in paths]
    replies = burst(strict, [post(frames[7].tobytes())] * 400 + urgent)
    answered = [json.loads(body) for status, _, body in replies[:400] if status == 200]
    refused = [(headers, body) for status, headers, body in replies[:400] if status == 503]
    assert {answer["predictions"][0]["digit"] for answer in answered} == {7}
    assert len(answered) + len(refused) == 400
    assert refused
    for headers, body in refused:
        assert headers["Retry-After"] == "1"
        assert len(headers["X-Request-ID"]) == 32
        assert list(json.loads(body)) == ["error"]
    assert [status for status, *_ in replies[400:]] == [200] * 4
    strict.wait_until("refusing what there is no time for")
    strict.wait_until(f"the overload is over: {len(refused)} requests were refused")
    text = strict.request("GET", "/metrics").body.decode()
    counted = [
        float(line.split()[-1])
        for line in text.splitlines()
        if line.startswith("http_server_request_duration_seconds_count")
        and 'status_code="503"' in line
    ]
    assert sum(counted) == len(refused)
