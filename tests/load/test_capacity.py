"""The capacity model against queueing theory, whose formulas are written out here."""

import math
import random
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from load.arrivals import arrivals
from load.capacity import admission
from load.capacity.proxy import LEAST, POLICIES, RANDOM, TURN, TWO
from load.capacity.simulation import Farm, Service, simulate
from load.rush import Phase, schedule
from service.server import admission as real

MANY = 30_000


def poisson(rate, count=MANY, seed=1):
    return list(islice(arrivals("poisson", rate, math.inf, seed), count))


def exponential(mean, count=5000):
    chance = random.Random(1)
    return [chance.expovariate(1 / mean) for _ in range(count)]


def mean(values):
    return sum(values) / len(values)


def erlang_c(servers, offered):
    """The chance that a customer has to wait in M/M/c (Erlang, 1917)."""
    terms = [offered**k / math.factorial(k) for k in range(servers)]
    last = offered**servers / math.factorial(servers) / (1 - offered / servers)
    return last / (sum(terms) + last)


@pytest.mark.parametrize("load", [0.3, 0.6, 0.8])
def test_one_at_a_time_with_random_times_is_m_m_1(load):
    alone = exponential(1.0)
    found = mean(simulate(poisson(load / mean(alone)), Service(alone), Farm()).seconds)
    assert found == pytest.approx(1 / (1 - load), rel=0.1)


@pytest.mark.parametrize("load", [0.3, 0.6, 0.8])
def test_one_at_a_time_with_one_time_is_m_d_1(load):
    found = mean(simulate(poisson(load), Service([1.0]), Farm()).seconds)
    assert found == pytest.approx(1 + load / (2 * (1 - load)), rel=0.05)


def test_a_mix_of_times_waits_as_pollaczek_and_khinchine_say():
    alone, load = [0.5, 0.5, 0.5, 2.5], 0.7
    waits = load / mean(alone) * mean([t * t for t in alone]) / (2 * (1 - load))
    found = mean(simulate(poisson(load / mean(alone)), Service(alone), Farm()).seconds)
    assert found == pytest.approx(mean(alone) + waits, rel=0.05)


@pytest.mark.parametrize(("servers", "load"), [(2, 0.7), (4, 0.8)])
def test_one_queue_for_all_replicas_is_m_m_c(servers, load):
    alone = exponential(1.0)
    rate = servers * load / mean(alone)
    farm = Farm(servers, policy=LEAST, room=1)
    found = mean(simulate(poisson(rate), Service(alone), farm).seconds)
    waits = erlang_c(servers, servers * load) / (servers - rate * mean(alone))
    assert found == pytest.approx(mean(alone) * (1 + waits), rel=0.1)


def test_random_choice_is_as_many_queues_of_one():
    found = mean(simulate(poisson(4 * 0.6), Service([1.0]), Farm(4, policy=RANDOM)).seconds)
    assert found == pytest.approx(1 + 0.6 / (2 * 0.4), rel=0.05)


def test_the_more_a_proxy_knows_the_shorter_the_wait():
    due = poisson(8 * 0.8)
    means = [
        mean(simulate(due, Service([1.0]), Farm(8, policy=policy)).seconds)
        for policy in (RANDOM, TWO, LEAST)
    ]
    assert means == sorted(means, reverse=True)
    assert means[0] > 2 * means[2]


def test_in_turn_each_replica_gets_as_many():
    outcome = simulate(poisson(2, 900), Service([1.0]), Farm(3, policy=TURN))
    assert outcome.replicas == [300, 300, 300]


def test_what_waits_is_answered_together():
    """Three arrive while the first is answered: they share a batch, and end with it."""
    service = Service([1.0], once=0.4, around=0.1, together=10, most=10)
    outcome = simulate([0, 0.1, 0.2, 0.3], service, Farm())
    end = 1.0 + 0.4 + 3 * 0.6
    expected = [1.1, *(end - due + 0.1 for due in (0.1, 0.2, 0.3))]
    assert outcome.seconds == pytest.approx(expected)


def test_a_worker_that_was_idle_has_to_wake_up_and_a_busy_one_has_not():
    outcome = simulate([0, 0.1, 5], Service([1.0], wake=0.3), Farm())
    assert outcome.seconds == pytest.approx([1.0, 1.6, 1.0])


def test_no_more_are_answered_together_than_go_into_a_batch():
    outcome = simulate([0, 0.1, 0.2, 0.3], Service([1.0], most=2), Farm())
    assert outcome.seconds == pytest.approx([1, 2.9, 2.8, 3.7])


def test_batches_raise_the_most_that_comes_out():
    """At a load that one at a time could not bear, batches keep up."""
    service = Service([1.0], once=0.8, together=1000, most=1000)
    outcome = simulate(poisson(2.5), service, Farm())
    assert mean(outcome.seconds[-1000:]) < 5
    assert service.each == pytest.approx(0.2, rel=0.01)


def test_more_together_than_was_measured_save_no_more():
    service = Service([1.0], once=0.4, together=2, most=10)
    assert service.each == pytest.approx(0.8)
    outcome = simulate([0, 0.1, 0.2, 0.3, 0.4], service, Farm())
    assert max(outcome.seconds) == pytest.approx(1.0 + 4 * 0.8 - 0.1)


@pytest.mark.parametrize("policy", POLICIES)
def test_a_request_alone_takes_what_it_takes(policy):
    outcome = simulate([5.0], Service([0.3], around=0.2), Farm(3, 2, policy))
    assert outcome.seconds == pytest.approx([0.5])


@pytest.mark.parametrize(
    "name", ["SHORT_S", "PATIENCE", "OVERLOAD_PATIENCE", "CALM_S", "CALM_SHARE", "EARNED_S"]
)
def test_the_models_admission_has_the_services_numbers(name):
    assert getattr(admission, name) == getattr(real, name)


def test_twice_the_capacity_is_refused_in_half():
    """As `make overload` finds: 90 % of the capacity is answered, and quickly."""
    service = Service([0.0005], most=17)
    due = poisson(4000)
    outcome = simulate(due, service, Farm(most_wait_s=0.05))
    answered = outcome.answered()
    assert 0.85 < len(answered) / due[-1] / 2000 <= 1
    assert answered[len(answered) // 2] < 0.01


@pytest.mark.parametrize("each", [0.0005, 0.002, 0.005])
def test_after_an_overload_nobody_is_refused_any_more(each):
    due = schedule([Phase(3 / each, 1), Phase(0.7 / each, 10)], seed=1)
    outcome = simulate(due, Service([each], most=1000), Farm(most_wait_s=0.05))
    assert any(outcome.refused)
    late = [refused for time, refused in zip(due, outcome.refused) if time > 6]
    assert not any(late)


def test_below_capacity_nobody_is_refused():
    outcome = simulate(poisson(1400), Service([0.0005], most=17), Farm(most_wait_s=0.05))
    assert not any(outcome.refused)


@settings(max_examples=60, deadline=None)
@given(
    gaps=st.lists(st.floats(0, 3), min_size=1, max_size=60),
    replicas=st.integers(1, 4),
    workers=st.integers(1, 2),
    policy=st.sampled_from(POLICIES),
    room=st.none() | st.integers(1, 3),
    once=st.floats(0, 0.9),
    together=st.floats(1, 5),
    most=st.integers(1, 5),
    most_wait=st.none() | st.floats(0.01, 2),
)
def test_every_request_ends_once_and_none_sooner_than_alone(
    gaps, replicas, workers, policy, room, once, together, most, most_wait
):
    due = [sum(gaps[: n + 1]) for n in range(len(gaps))]
    service = Service([1.0], once, 0.25, together, most)
    farm = Farm(replicas, workers, policy, room, most_wait)
    outcome = simulate(due, service, farm)
    assert sum(outcome.replicas) == len(due)
    assert len(outcome.seconds) == len(outcome.refused) == len(due)
    assert all(seconds >= 1.25 - 1e-9 for seconds in outcome.answered())
    assert all(seconds > 0 for seconds in outcome.seconds)
    # The last one waits at most for the work of all others, one after the other.
    assert max(outcome.seconds) <= len(due) * 1.25 + 0.25 + 1e-9
    assert simulate(due, service, farm) == outcome
