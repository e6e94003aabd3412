"""The judgement of an overload, on made-up runs."""

import numpy as np
import pytest

from bench import overload
from bench.harness.timed import UNANSWERED, Timed
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


def test_the_tables_have_every_phase():
    record = judge(1000, found(), OVER_SECONDS)
    record |= {"probes_ms": {"/livez": 1.0}, "failed": 0}
    text = overload.markdown({"item": record})
    assert all(f"item: {name}" in text for name in ("normal", "over", "after"))
    assert "50%" in text
