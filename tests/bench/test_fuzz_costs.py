"""The fuzz of costs finds what is costly, and nothing in the service."""

import pytest

from bench.fuzz import costs as fuzz_costs
from bench.fuzz.costs import measure, search, table, worst
from bench.fuzz.families import FAMILIES, INFLATED, SENT, Request

TEXT = bytes(200_000)


def linear(text):
    return sum(text)


def quadratic(text):
    """Copy the rest of the text at every tenth byte."""
    return sum(len(text[at:] + b"x") for at in range(0, len(text), 10))


def family(decode):
    return lambda random: Request(TEXT[:SENT], len(TEXT) / 1e3, lambda: decode(TEXT))


def test_a_cost_is_the_least_cpu_time_of_a_few_tries(monkeypatch):
    clock = iter([0.0, 3.0, 10.0, 11.0, 20.0, 22.0, 30.0, 32.0, 40.0, 42.0])
    monkeypatch.setattr(fuzz_costs.time, "process_time", lambda: next(clock))
    cost = measure("slow", 0, family(len))
    assert (cost.ms, cost.ms_a_kb) == (1000, 5)


def test_what_is_too_much_fails_the_command(monkeypatch, capsys):
    monkeypatch.setattr(fuzz_costs, "FAMILIES", {"planted": family(quadratic)})
    monkeypatch.setattr(fuzz_costs, "MOST_MS_A_KB", 0.01)
    assert fuzz_costs.main(["--seconds", "0"]) == 1
    assert "| planted |" in capsys.readouterr().out


def test_a_search_takes_each_family_in_turn_and_keeps_the_worst():
    found = list(search(0.2, {"a": family(linear), "b": family(quadratic)}, seed=5))
    assert [cost.family for cost in found[:2]] == ["a", "b"]
    assert found[0].seed == 5
    kept = worst(found)
    assert {cost.family for cost in kept} == {"a", "b"}
    assert max(cost.ms for cost in found) == max(cost.ms for cost in kept)
    assert len(table(kept).splitlines()) == 2 + len(kept)


@pytest.mark.parametrize("name", FAMILIES)
def test_no_family_finds_a_costly_request(monkeypatch, name):
    # CPU time itself is longer where cores are shared; what stops a worker takes 30 s.
    monkeypatch.setattr(fuzz_costs, "MOST_MS", 4 * fuzz_costs.MOST_MS)
    monkeypatch.setattr(fuzz_costs, "MOST_MS_A_KB", 4 * fuzz_costs.MOST_MS_A_KB)
    for seed in range(3):
        cost = measure(name, seed, FAMILIES[name])
        assert cost.sent <= SENT
        assert not cost.is_too_much, cost


def test_bodies_are_within_what_the_service_inflates():
    assert INFLATED == 4 * 1024 * 1024
