"""Which requests there is time for, and what the others are told."""

import json
import logging
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from service import admission
from service.admission import CALM_S, LEAST_S, PATIENCE, SHORT_S, Admission

RAW = "application/octet-stream"
KIND, OTHER = 1, 2
MOST_S = 0.05


@pytest.fixture
def clock(monkeypatch):
    """The time, to be set."""
    now = [100.0]
    monkeypatch.setattr(admission, "monotonic", lambda: now[0])
    return now


@pytest.fixture
def own(clock):
    """One that knows that a byte of a kind takes a millisecond."""
    found = Admission(MOST_S, logging.getLogger("test"))
    found.learn(KIND, 1000, 1.0)
    return found


def admitted(own, count, kind=KIND, size=1):
    return sum(own.admit(kind, size) for _ in range(count))


def test_what_waits_is_let_in_up_to_the_most_that_may_be_before_it(own):
    assert admitted(own, 1000) == pytest.approx(MOST_S / 0.001, abs=2)


def test_the_next_turn_begins_anew(own):
    before = admitted(own, 40)
    own.end_turn()
    assert before == admitted(own, 40) == 40


def test_a_request_that_finds_nobody_is_let_in_however_long_it_takes(own):
    assert own.admit(KIND, 10_000)


def test_a_large_request_may_wait_in_proportion(own):
    takes_s = 10 * MOST_S / PATIENCE
    assert admitted(own, 100, size=round(takes_s * 1000)) == pytest.approx(PATIENCE, abs=1)


def test_kinds_have_rates_of_their_own(own):
    assert admitted(own, 1000, OTHER) == 1000
    assert 1000 * LEAST_S < MOST_S


def test_a_rate_follows_what_requests_take(own):
    for _ in range(100):
        own.learn(KIND, 1, 0.0001)
    assert admitted(own, 500) == pytest.approx(MOST_S / (0.0001 + LEAST_S), rel=0.05)


def test_time_that_was_spent_counts(own):
    own.spend(2 * MOST_S)
    assert not own.admit(KIND, 1)


def test_in_a_rush_the_queue_is_short_until_it_is_calm(own, clock):
    admitted(own, 1000)
    own.end_turn()
    assert admitted(own, 5) < 5  # 5 ms of work
    own.end_turn()
    clock[0] += CALM_S + 0.1
    own.sweep()
    assert admitted(own, 5) == 5


def test_in_a_rush_refusals_leave_time_for_answers(own):
    own.learn(OTHER, 1, 1e-9)  # as quick as can be
    admitted(own, 1000)
    own.end_turn()
    first = SHORT_S / LEAST_S
    many = 100 * round(first)
    assert admitted(own, many, OTHER) > many / 3


def test_a_rush_is_told_once(own, clock, caplog):
    with caplog.at_level(logging.INFO):
        for _ in range(3):
            admitted(own, 1000)
            own.end_turn()
        refused = own.refused
        clock[0] += CALM_S + 0.1
        own.sweep()
        own.sweep()
    assert [record.message for record in caplog.records] == [
        "a request would wait for more than 50 ms: refusing what there is no time for, "
        "with 503",
        f"the rush is over: {refused} requests were refused",
    ]


# On the wire.


@pytest.fixture(scope="module", params=["1", "0"], ids=["short way", "flask"])
def strict(start, request):
    settings = {"MNIST_MAX_WAIT_MS": "1", "MNIST_SHORT_WAY": request.param}
    return start(WEB_CONCURRENCY="1", **settings).wait_ready()


def test_a_rush_gets_503_and_right_answers_and_health(strict, frames):
    body = json.dumps({"instances": frames[[7] * 1000].tolist()})
    health = []
    end = threading.Event()

    def watch():
        while not end.is_set():
            paths = "/livez", "/readyz", "/metrics", "/v2/health/ready"
            health.extend(strict.request("GET", path).status for path in paths)

    watching = threading.Thread(target=watch)
    watching.start()
    with ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(lambda _: strict.post(body), range(128)))
    end.set()
    watching.join()
    refused = [answer for answer in answers if answer.status == 503]
    for answer in answers:
        if answer.status == 200:
            assert {p["digit"] for p in answer.json["predictions"]} == {7}
    assert set(health) == {200}
    assert {answer.status for answer in answers} == {200, 503}
    for answer in refused:
        assert answer.headers["Retry-After"] == "1"
        assert len(answer.headers["X-Request-ID"]) == 32
        assert list(answer.json) == ["error"]
    strict.wait_until("refusing what there is no time for")
    strict.wait_until(f"the rush is over: {len(refused)} requests were refused")
    text = strict.request("GET", "/metrics").body.decode()
    counted = [
        float(line.split()[-1])
        for line in text.splitlines()
        if line.startswith("http_server_request_duration_seconds_count")
        and 'status_code="503"' in line
    ]
    assert sum(counted) == len(refused)
