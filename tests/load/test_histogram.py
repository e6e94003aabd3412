"""Histograms, against numpy and against the definition in exact arithmetic."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from load.histogram import Fine, Histogram
from tests.support.lazy import lazy

stats = lazy("scipy.stats")

seconds = st.lists(st.floats(0, 2, allow_subnormal=False), min_size=1, max_size=300)
PERCENTS = (0.1, 7, 29, 50, 90, 95, 99, 99.9, 99.99)
# Exact in binary: of others numpy's own rounding takes another rank now and then.
EXACT = (12.5, 25, 50, 75, 87.5, 93.75, 99.21875)


def filled(values, kind=Histogram):
    made = kind()
    for value in values:
        made.add(value)
    return made


def in_units(values):
    return np.round(np.array(values) * 1e5).astype(int)


@given(seconds)
def test_percentiles_are_numpys_of_what_was_counted(values):
    expected = np.percentile(in_units(values), EXACT, method="inverted_cdf") / 100
    assert filled(values).percentiles(EXACT) == expected.tolist()


@given(seconds)
def test_a_percentile_is_the_least_that_so_many_do_not_exceed(values):
    units = sorted(in_units(values).tolist())
    for percent, found in zip(PERCENTS, filled(values).percentiles(PERCENTS)):
        needed = len(units) * Fraction(str(percent)) / 100
        enough = [unit for unit in units if sum(u <= unit for u in units) >= needed]
        assert found == enough[0] / 100


@given(seconds)
def test_mean_and_most_are_those_of_what_was_counted(values):
    made, units = filled(values), in_units(values)
    assert made.mean == pytest.approx(units.mean() / 100)
    assert made.most == units.max() / 100


@given(seconds)
def test_no_latency_is_off_by_more_than_half_a_unit(values):
    assert filled(values).most == pytest.approx(1000 * max(values), abs=0.005 + 1e-9)


@given(st.lists(seconds, max_size=5))
def test_merged_parts_are_the_whole(parts):
    merged = Histogram()
    for part in parts:
        merged.merge(filled(part))
    assert merged == filled([value for part in parts for value in part])


@given(seconds)
def test_a_list_for_json_comes_back_the_same(values):
    made = filled(values)
    assert Histogram.from_list(made.as_list()) == made


@given(seconds)
def test_thinned_it_has_the_same_count_percentiles_and_most(values):
    made = filled(values)
    thinned = made.thin(PERCENTS)
    assert len(thinned) == len(made)
    assert thinned.percentiles(PERCENTS) == made.percentiles(PERCENTS)
    assert thinned.most == made.most
    assert len(thinned.counts) <= len(PERCENTS) + 1
    assert thinned.thin(PERCENTS) == thinned


def test_an_empty_one_has_no_percentile_no_mean_and_no_most():
    empty = Histogram()
    assert all(map(math.isnan, [*empty.percentiles([50, 99]), empty.mean, empty.most]))
    assert empty.thin([50]) == empty


def test_stages_are_exact_to_a_microsecond():
    assert filled([4e-6, 5e-6, 6e-6], Fine).percentiles([33, 66, 99]) == [
        0.004,
        0.005,
        0.006,
    ]


def test_other_units_are_not_added():
    with pytest.raises(ValueError, match="found a histogram of 1000 units .* one of 100"):
        Histogram().merge(Fine({1: 1}))


@pytest.mark.parametrize("percent", [50, 90, 99, 99.9])
@pytest.mark.parametrize("count", [1, 10, 1000, 20_000])
def test_the_interval_has_the_ranks_of_the_binomial_distribution(count, percent):
    made = Histogram({rank: 1 for rank in range(1, count + 1)})  # the n-th is n units
    low, high = stats.binom.ppf([0.025, 0.975], count, percent / 100)
    expected = (low / 100, (high + 1) / 100 if high < count else math.inf)
    assert made.interval(percent) == pytest.approx(expected)


def test_the_interval_of_nothing_is_everything():
    assert Histogram().interval(99) == (0.0, math.inf)
