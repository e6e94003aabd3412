"""What the scenarios ask for, and when requests are due."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

from load.arrivals import arrivals
from load.scenarios import SCENARIOS, SECONDS, USUAL_RATE, USUAL_SECONDS
from load.validity import STANDARD_ERRORS, needed


def loads(scenario, loop="open", **options):
    usual = {"rate": 100.0, "users": 10, "seconds": 30.0, "warm_up": 5.0, "peak": 5.0}
    usual["stages"] = "10s:50,0.5m:120" if scenario == "stages" else ""
    return SCENARIOS[scenario](SimpleNamespace(loop=loop, **{**usual, **options}))


@pytest.mark.parametrize("loop", ["open", "closed"])
@pytest.mark.parametrize("scenario", sorted(set(SCENARIOS) - {"spike", "stages"}))
def test_what_is_judged_takes_the_seconds_asked_for(scenario, loop):
    judged = [load for load in loads(scenario, loop) if load.counted]
    assert sum(load.seconds for load in judged) == pytest.approx(30)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_load_has_a_rate_in_the_open_and_users_in_the_closed_loop(scenario):
    assert all(each.rate and each.users is None for each in loads(scenario, "open"))
    assert all(each.users and each.rate is None for each in loads(scenario, "closed"))


@pytest.mark.parametrize("scenario", [name for name in SCENARIOS if name != "smoke"])
def test_a_warm_up_comes_first_and_is_not_judged(scenario):
    first, *rest = loads(scenario)
    assert (first.name, first.seconds, first.counted) == ("warm-up", 5.0, False)
    assert loads(scenario, warm_up=0.0) == rest


def test_steps_rise_to_the_rate():
    rates = [load.rate for load in loads("steps") if load.counted]
    assert rates == pytest.approx([20, 40, 60, 80, 100])


def test_a_rush_is_not_judged_but_what_is_before_and_after_it():
    found = [(load.name, load.rate, load.counted) for load in loads("spike")[1:]]
    assert found == [("before", 100, True), ("rush", 500, False), ("after", 100, True)]


def test_stages_are_what_was_asked_for_and_each_is_judged():
    warm_up, *found = loads("stages")
    assert not warm_up.counted
    assert [(each.name, each.seconds, each.rate, each.counted) for each in found] == [
        ("10s:50", 10, 50, True),
        ("0.5m:120", 30, 120, True),
    ]


def test_stages_of_a_closed_loop_are_users():
    assert [each.users for each in loads("stages", "closed")[1:]] == [50, 120]


@pytest.mark.parametrize("text", ["30:100", "30s", "30s:0", "0s:5", "1s:1;1m:5", "", ","])
def test_stages_that_are_none_are_an_error(text):
    with pytest.raises(ValueError, match="expected times and loads such as 30s:100,1m:500"):
        loads("stages", stages=text)


def test_in_the_closed_loop_all_users_rush():
    found = [(load.name, load.users) for load in loads("spike", "closed")[1:]]
    assert found == [("before", 2), ("rush", 10), ("after", 2)]


@pytest.mark.parametrize("scenario", sorted(set(SCENARIOS) - {"stages"}))
def test_what_is_asked_by_default_has_requests_enough_for_the_default_limit(scenario):
    seconds = SECONDS.get(scenario, USUAL_SECONDS)
    judged = [
        each for each in loads(scenario, rate=USUAL_RATE, seconds=seconds) if each.counted
    ]
    least = min(each.rate * each.seconds for each in judged)
    assert least - STANDARD_ERRORS * math.sqrt(least) > needed(99)


def test_constant_arrivals_have_equal_distances():
    times = list(arrivals("constant", 50, 2, seed=1))
    assert times == pytest.approx(np.arange(100) / 50)


@pytest.mark.parametrize("shares", [2, 3, 7])
def test_shares_of_constant_arrivals_are_all_of_them(shares):
    parts = [list(arrivals("constant", 50, 2, 1, n, shares)) for n in range(shares)]
    assert sorted(sum(parts, [])) == list(arrivals("constant", 50, 2, 1))


@pytest.mark.parametrize("shares", [1, 4])
def test_poisson_arrivals_are_as_many_and_as_scattered_as_they_should_be(shares):
    rate, seconds = 1000, 100
    parts = [list(arrivals("poisson", rate, seconds, 1, n, shares)) for n in range(shares)]
    times = np.sort(np.concatenate(parts))
    assert all(part == sorted(part) for part in parts)
    assert len(times) == pytest.approx(rate * seconds, abs=5 * math.sqrt(rate * seconds))
    gaps = np.diff(times)
    # Of an exponential distribution the mean is the standard deviation.
    assert gaps.std() == pytest.approx(1 / rate, rel=0.03)
    in_seconds = np.bincount(times.astype(int))
    assert in_seconds.var() == pytest.approx(rate, rel=0.5)


def test_a_seed_gives_the_same_arrivals_and_another_gives_others():
    first, again, other = (list(arrivals("poisson", 100, 1, seed)) for seed in (1, 1, 2))
    assert first == again != other
