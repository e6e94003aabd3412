"""find-max, with servers that are formulas: what it must find is known."""

import pytest

from load.record import Phase, Slice, Tally
from load.search import Judgement, Search, agree, found

CAPACITY = 1000.0
LIMIT_MS = 10.0


class Server:
    """Takes ``1 / (1 - load)`` ms at all percentiles: 10 ms at 90 % of its capacity."""

    def __init__(self, capacity=CAPACITY, generator=float("inf")):
        self.capacity, self.generator = capacity, generator
        self.hiccups = set()
        self.played = []

    def play(self, loads):
        phases = [self._phase(load) for load in loads]
        self.played += loads
        return phases

    def _phase(self, load):
        rate = self.capacity if load.rate is None else load.rate
        busy = min(rate / self.capacity, 0.9999)
        milliseconds = 1 / (1 - busy)
        if len(self.played) in self.hiccups:
            milliseconds += 100
        tally = Tally(due=round(rate * load.seconds), right=round(rate * load.seconds))
        for _ in range(1000):
            tally.latency.add(milliseconds / 1000)
        part = Slice(0.0, load.seconds, tally)
        return Phase(load.name, load.rate, load.seconds, load.counted, [part])

    def judge(self, phase):
        late = (phase.rate or 0) > self.generator
        kept = phase.tally.latency.percentile(99) < LIMIT_MS
        return Judgement(kept, ["the generator was late"] if late else [])

    def search(self):
        return Search(self.play, self.judge, seconds=10.0)


@pytest.mark.parametrize("capacity", [3, 50, 1000, 80_000])
def test_the_highest_rate_is_found_to_a_few_percent(capacity):
    server = Server(capacity)
    windows = server.search().open(users=16)
    assert windows[0].rate == pytest.approx(0.9 * capacity, rel=0.04)
    assert windows[0].rate <= 0.9 * capacity


def test_three_windows_at_that_rate_are_judged_and_nothing_else():
    server = Server()
    windows = server.search().open(users=16)
    assert len(windows) == 3
    assert all(phase.counted for phase in windows)
    assert sum(load.counted for load in server.played) == 3


def test_windows_that_fail_are_tried_again_at_a_lower_rate():
    server = Server()
    search = server.search()
    search.open(users=16)
    trials = len(server.played)
    again = Server()
    again.hiccups = {trials - 4}  # in the first group of windows: where it begins
    search = again.search()
    windows = search.open(users=16)
    assert windows[0].rate < 0.87 * CAPACITY
    assert sum(trial.kept for trial in search.trials[-3:]) == 3


def test_one_hiccup_does_not_end_the_search_too_low():
    server = Server()
    server.hiccups = {1}  # the first trial, at the middle
    assert server.search().open(users=16)[0].rate == pytest.approx(900, rel=0.04)


def test_a_limit_of_the_server_is_not_blamed_on_the_generator():
    search = Server().search()
    windows = search.open(users=16)
    assert search.limited_by_generator(windows[0].rate) == []


def test_a_limit_of_the_generator_is_named():
    search = Server(generator=500).search()
    windows = search.open(users=16)
    assert windows[0].rate == pytest.approx(500, rel=0.04)
    assert search.limited_by_generator(windows[0].rate) == ["the generator was late"]


def test_closed_loop_plays_three_windows_of_the_users_asked_for():
    server = Server()
    windows = server.search().closed(users=7)
    assert [load.users for load in server.played] == [7] * 4
    assert [phase.counted for phase in windows] == [True] * 3


def test_windows_agree_within_a_tenth():
    def window(right):
        return Phase("", None, 10, True, [Slice(0, 10, Tally(due=right, right=right))])

    assert agree([window(1000), window(910), window(950)])
    assert not agree([window(1000), window(890), window(950)])


def test_what_was_found_has_the_mean_of_the_windows():
    search = Server().search()
    windows = search.open(users=16)
    shown = found(search, windows, ["p99<10ms"])
    assert shown["rate"] == pytest.approx(windows[0].rate, rel=1e-3)
    assert len(shown["windows"]) == 3
    assert shown["agree"]
    assert len(shown["trials"]) == len(search.trials)
