"""The record: what is merged, and what comes back from its file."""

import json
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from load.histogram import Fine, Histogram
from load.record import KEPT, Phase, Slice, Tally, Usage, Verdict, total
from tests.load import records

units = st.dictionaries(st.integers(0, 10**6), st.integers(1, 10**4), max_size=20)
names = st.text(max_size=12)
counts = st.dictionaries(names, st.integers(1, 100), max_size=3)
tallies = st.builds(
    Tally,
    st.integers(0, 10**6),
    st.integers(0, 10**6),
    counts.map(Counter),
    *[units.map(Histogram)] * 3,
    st.dictionaries(names, units.map(Fine), max_size=3),
)
phases = st.builds(
    Phase,
    names,
    st.none() | st.floats(1, 10**5),
    st.floats(0, 100),
    st.booleans(),
    st.lists(st.builds(Slice, st.floats(0, 100), st.floats(0.1, 10), tallies), max_size=3),
)
verdicts = st.builds(
    Verdict,
    st.lists(names, max_size=2),
    st.lists(st.tuples(names, names, st.booleans()), max_size=2),
)


@given(tallies)
def test_a_tally_comes_back_from_a_message(made):
    assert Tally.from_dict(json.loads(json.dumps(made.as_dict()))) == made


@given(st.lists(tallies, max_size=4), st.randoms())
def test_tallies_merge_to_the_same_in_any_order(made, random):
    mixed = random.sample(made, len(made))
    assert total(made) == total(mixed)
    assert total([total(made[:2]), total(made[2:])]) == total(made)


@settings(max_examples=50)
@given(st.lists(phases, max_size=3), verdicts)
def test_a_record_comes_back_from_its_file(made, verdict):
    before = records.record(*made, verdict=verdict, found={"rate": 1.5})
    after = records.through_json(before)
    thinned = records.record(
        *(phase.thin() for phase in made), verdict=verdict, found={"rate": 1.5}
    )
    assert after == thinned
    assert after.tally == before.tally
    assert records.through_json(after) == after


@given(phases)
def test_a_files_slices_keep_their_counts_and_percentiles(made):
    for thin, full in zip(made.thin().slices, made.slices, strict=True):
        assert (thin.at, thin.seconds, thin.tally.due) == (
            full.at,
            full.seconds,
            full.tally.due,
        )
        assert thin.tally.failures == full.tally.failures
        if full.tally.latency:
            expected = full.tally.latency.percentiles(KEPT)
            assert thin.tally.latency.percentiles(KEPT) == expected


def test_a_warm_up_is_not_in_what_is_judged():
    made = records.steps()
    assert [phase.name for phase in made.counted] == ["1,000/s", "2,000/s"]
    assert (made.tally.due, made.seconds) == (6000, 4.0)


def test_the_file_of_half_an_hour_of_seconds_is_small():
    second = records.tally(records.spread(4000, 0.3, 12))  # 1,171 latencies that differ
    made = records.record(records.phase("4,000/s", 4000, *[second] * 1800))
    assert len(json.dumps(second.as_dict())) * 1800 > 20_000_000
    assert len(json.dumps(made.as_dict())) < 1_000_000


@pytest.mark.parametrize(
    ("invalid", "limits", "code"),
    [
        ([], [], 0),
        ([], [("p99<9ms", "1 ms", True)], 0),
        ([], [("p99<9ms", "1 ms", True), ("max<9ms", "10 ms", False)], 1),
        (["late"], [("p99<9ms", "1 ms", True)], 3),
        (["late"], [("p99<9ms", "10 ms", False)], 3),
    ],
)
def test_the_exit_code_says_good_past_a_limit_or_not_to_be_believed(invalid, limits, code):
    assert Verdict(invalid, limits).code == code


def test_usage_of_programs_comes_back():
    usage = [Usage("server", 0.5, 0.25, 100.5, 3)]
    assert records.through_json(records.record(usage=usage)).usage == usage
