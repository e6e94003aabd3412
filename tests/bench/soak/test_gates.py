"""The gates of the soak, with samples that are made up."""

import random

import pytest

from bench.soak import gates
from bench.soak.samples import Sample

WARM_UP = 60
KB_PER_MIB_PER_HOUR = 1024 / 3600  # a second


def workers(mib_per_hour, noise_kb=0, generations=5, **others):
    """Return samples of generations of 300 s; each starts higher, and grows at first."""
    chance = random.Random(1)
    made = []
    for pid in range(generations):
        for number in range(30):
            at = 10.0 * number
            grown = mib_per_hour * KB_PER_MIB_PER_HOUR * at + 500 * min(at, WARM_UP)
            rss = 80_000 + 700 * pid + grown + chance.gauss(0, noise_kb)
            sample = Sample(300 * pid + at, pid, round(rss), 0, 14, 30, 1)
            made.append(sample._replace(**others))
    return made


@pytest.mark.parametrize(
    ("mib_per_hour", "noise_kb", "ok"),
    [(0, 0, True), (0, 8, True), (0.7, 0, True), (1.5, 0, False), (20, 50, False)],
)
def test_a_slope_is_found_across_reloads_that_replace_the_workers(
    mib_per_hour, noise_kb, ok
):
    found = gates.memory(workers(mib_per_hour, noise_kb), WARM_UP)
    assert found.ok == ok, found


def test_memory_without_enough_samples_is_no_pass():
    assert not gates.memory(workers(0)[:8], WARM_UP).ok
    assert not gates.memory([], WARM_UP).ok


def test_open_files_must_be_as_many_all_the_time():
    steady = workers(0)
    assert gates.files(steady, WARM_UP).ok
    assert not gates.files([*steady[:-1], steady[-1]._replace(files=15)], WARM_UP).ok
    assert not gates.files([], WARM_UP).ok
    assert not gates.threads([*steady[:-1], steady[-1]._replace(threads=2)], WARM_UP).ok


@pytest.mark.parametrize(
    ("gate", "counts"),
    [
        (gates.wrong, {"right": 9, "wrong": 1}),
        (gates.wrong, {}),
        (gates.unexpected, {"right": 9, "unexpected 500": 1}),
        (gates.unexpected, {"right": 9, "shed": 1}),
        (gates.failed, {"right": 9, "failed": 1}),
    ],
)
def test_one_bad_reply_fails_the_soak(gate, counts):
    assert not gate(gates.Counter(counts)).ok
    assert gate(gates.Counter({"right": 9, "killed": 3, "refused rightly": 4})).ok
