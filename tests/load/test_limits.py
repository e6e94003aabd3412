"""Limits: how they are read, and how a record is judged by them."""

import math

import numpy as np
import pytest

from load import limits
from tests.load import records
from tests.load.records import phase, record, spread, tally

GOOD = {
    "p99<10ms": ("p", 99, "<", 10),
    "p99.9<=0.5s": ("p", 99.9, "<=", 500),
    "p50 < 800 us": ("p", 50, "<", 0.8),
    "p50<800µs": ("p", 50, "<", 0.8),  # the micro sign
    "p50<800μs": ("p", 50, "<", 0.8),  # the Greek letter
    " max\t< 100ms ": ("max", None, "<", 100),
    "mean<5ms": ("mean", None, "<", 5),
    "errors<0.1%": ("errors", None, "<", 0.1),
    "errors <= 1 %": ("errors", None, "<=", 1),
    "errors<=0": ("errors", None, "<=", 0),
    "rate>=950/s": ("rate", None, ">=", 950),
    "rate > 950 /s": ("rate", None, ">", 950),
}
BAD = {
    "": "found the limit ''",
    "fast": "found the limit 'fast'",
    "p99<10ms or so": "found the limit 'p99<10ms or so'",
    "p99=10ms": "found the limit",
    "rate>=1,000/s": "found the limit",
    "p99<-1ms": "found the limit",
    "latency<10ms": "found the limit 'latency<10ms'",
    "p<10ms": "found p in the limit .* expected p with a percentage",
    "p100<10ms": "found p100 in the limit .* below 100",
    "p0<10ms": "found p0 in the limit .* above 0",
    "max5<10ms": "found max5 in the limit",
    "p99>10ms": "found > in the limit .* expected < or <= for p",
    "errors>=1%": "found >= in the limit .* expected < or <= for errors",
    "rate<=5/s": "found <= in the limit .* expected > or >= for rate",
    "p99<10": "found no unit in the limit .* expected µs, μs, us, ms, s for p",
    "p99<10min": "found the unit min in the limit",
    "p99<10%": "found the unit % in the limit",
    "errors<5": "found no unit in the limit .* expected % for errors",
    "errors<5ms": "found the unit ms in the limit",
    "rate>=5": "found no unit in the limit .* expected /s for rate",
}


@pytest.mark.parametrize("text", GOOD)
def test_a_limit_is_read(text):
    what, percent, sign, bound = GOOD[text]
    found = limits.parse(text)
    assert (found.what, found.percent, found.sign) == (what, percent, sign)
    assert found.bound == pytest.approx(bound)
    assert found.text == text.strip()


@pytest.mark.parametrize("text", BAD)
def test_what_is_no_limit_is_told_what_was_found_and_what_is_expected(text):
    with pytest.raises(limits.LimitError, match=BAD[text]) as caught:
        limits.parse(text)
    assert "such as p99<10ms" in str(caught.value)


def judge(made, *texts):
    return limits.judge(made, [limits.parse(text) for text in texts])


def test_latencies_are_those_of_numpy():
    times = np.round(np.random.default_rng(1).lognormal(0, 1, 5000), 2)
    made = record(phase("only", 5000, tally(times[:2000]), tally(times[2000:])))
    p87 = np.percentile(times, 87.5, method="inverted_cdf")
    assert judge(made, "p87.5<1s", "max<1s", "mean<1s") == [
        ("p87.5<1s", f"{p87:.2f} ms", True),
        ("max<1s", f"{times.max():.2f} ms", True),
        ("mean<1s", f"{times.mean():.2f} ms", True),
    ]


@pytest.mark.parametrize(
    ("limit", "kept"),
    [
        ("p99<10ms", False),
        ("p99<=10ms", True),
        ("p99<10.01ms", True),
        ("p99<9.99ms", False),
    ],
)
def test_a_bound_is_exact_to_ten_microseconds(limit, kept):
    made = record(phase("only", 100, tally([10.0] * 100)))
    assert judge(made, limit) == [(limit, "10.00 ms", kept)]


def test_a_limit_has_to_hold_in_each_phase_and_names_the_worst():
    made = records.steps()
    p99 = np.percentile(spread(2000, 0.4, 30), 99, method="inverted_cdf")
    assert judge(made, "p99<20ms", "errors<1%", "rate>=990/s") == [
        ("p99<20ms", f"{p99:.2f} ms in 2,000/s", False),
        ("errors<1%", "0.2 % (8 of 4,000) in 2,000/s", True),
        ("rate>=990/s", "1,000.0/s in 1,000/s", True),
    ]


def test_a_short_phase_is_not_hidden_by_a_long_one():
    fast, slow = tally([1.0] * 1000), tally([50.0] * 5)
    made = record(phase("long", 1000, *[fast] * 9), phase("short", 5, slow))
    assert made.tally.latency.percentile(99) == 1.0
    assert judge(made, "p99<10ms") == [("p99<10ms", "50.00 ms in short", False)]


def test_the_rate_counts_right_answers():
    made = record(phase("only", 1000, tally([1.0] * 1000, failures={"status 503": 100})))
    assert judge(made, "rate>=950/s", "errors<=0") == [
        ("rate>=950/s", "900.0/s", False),
        ("errors<=0", "10 % (100 of 1,000)", False),
    ]


@pytest.mark.parametrize("limit", ["p99<10ms", "max<10ms", "mean<10ms", "errors<=0"])
def test_a_limit_of_what_was_not_seen_is_not_kept(limit):
    silent = record(phase("busy", 1, tally([1.0])), phase("silent", 1, tally([])))
    assert judge(silent, limit) == [(limit, "nothing in silent", False)]
    assert judge(record(), limit) == [(limit, "nothing was judged", False)]


def test_a_warm_up_is_not_judged():
    made = record(
        phase("warm-up", 10, tally([500.0] * 10), counted=False),
        phase("steady", 10, tally([1.0] * 10)),
    )
    assert judge(made, "max<10ms") == [("max<10ms", "1.00 ms", True)]


def test_the_limits_of_who_names_none_are_limits():
    errors, p99 = map(limits.parse, limits.DEFAULT)
    assert [errors.keeps(share) for share in (0, 0.001)] == [True, False]
    assert [p99.keeps(ms) for ms in (99.99, 100, math.nan)] == [True, False, False]


@pytest.mark.parametrize(
    ("asked", "judged"),
    [
        ([], ["errors<=0", "p99<100ms"]),
        (["p99<9ms"], ["p99<9ms", "errors<=0"]),
        (["p99<9ms", "errors<1%"], ["p99<9ms", "errors<1%"]),
    ],
)
def test_failures_are_judged_unless_a_limit_says_how_many_are_good(asked, judged):
    assert limits.complete(asked) == judged
