"""The judgement of an overload, on made-up runs."""

import numpy as np
import pytest

from bench import overload
from bench.harness.timed import LEFT, UNANSWERED, Timed
from bench.overload import NORMAL_SECONDS, judge

OVER_SECONDS = 20


def found(answered_s=0.001, refused_s=0.001, slow_until=0, silent=0):
    """Return a made-up run at a capacity of 1,000/s: in the overload, half is refused."""
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
    return Timed(due, took, status, 0.0, 0.0, 1, 0)


def test_goodput_is_what_was_answered_of_what_can_be():
    record = judge(1000, found(), OVER_SECONDS)
    assert record["goodput"] == pytest.approx(0.5)
    assert record["over"]["refused_per_s"] == pytest.approx(500)


def test_latencies_are_those_of_answers_and_of_refusals():
    record = judge(1000, found(answered_s=0.004, refused_s=0.007), OVER_SECONDS)
    assert record["p99_ratio"] == pytest.approx(4)
    assert record["over"]["refused_p99_ms"] == pytest.approx(7)


def test_recovery_is_counted_from_the_end_of_the_overload():
    assert judge(1000, found(), OVER_SECONDS)["recovered_s"] == 0
    assert judge(1000, found(slow_until=3), OVER_SECONDS)["recovered_s"] == 3


def test_requests_without_an_answer_are_counted():
    assert judge(1000, found(silent=7), OVER_SECONDS)["normal"]["unanswered"] == 7


def test_who_left_and_what_came_too_late_is_counted_apart():
    run = found()
    run.status[:5] = [LEFT, LEFT, 504, 500, UNANSWERED]
    normal = judge(1000, run, OVER_SECONDS)["normal"]
    assert [normal[key] for key in ("left", "late", "unanswered")] == [2, 1, 2]


def test_the_service_counts_in_requests():
    before = {'mnist_predictions_total{digit="1"}': 64.0}
    after = {
        'mnist_predictions_total{digit="1"}': 192.0,
        'mnist_predictions_total{digit="2"}': 64.0,
        'mnist_refused_total{reason="client_gone"}': 5.0,
        'mnist_refused_total{reason="overloaded"}': 9.0,
    }
    expected = {"computed": 3, "client_gone": 5, "too_late": 0}
    assert overload.count(before, after, 64) == expected


def test_every_other_request_says_for_how_long_its_client_waits():
    plain = [b"POST / HTTP/1.1\r\nHost: x\r\n\r\n" + body for body in (b"\r\n", b"2")]
    (_, hurry) = overload.hurries([], [20])
    sent = overload.hurried(plain, hurry.header)
    assert sent[::2] == plain
    line = b"Request-Timeout-Ms: 20\r\n"
    assert [one.replace(line, b"") for one in sent[1::2]] == plain
    assert all(one.count(line) == 1 for one in sent[1::2])


def test_the_tables_have_every_phase():
    record = judge(1000, found(), OVER_SECONDS)
    counted = overload.count({}, {}, 64) | {"for_nobody": 0}
    record |= {"probes_ms": {"/livez": 1.0}, "failed": 0, "counted": counted}
    text = overload.markdown({"item": record})
    assert all(f"item: {name}" in text for name in ("normal", "over", "after"))
    assert "50%" in text
