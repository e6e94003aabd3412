"""What the charts of a report show."""

import math

import numpy as np

from load.report import charts, points
from tests.load.records import phase, record, spread, tally


def test_latency_by_rate_has_a_point_a_phase(steps):
    assert points.by_rate(steps) == [(1000.0, 1.2, 1.98), (1996.0, 15.19, 29.7)]


def test_latency_by_rate_of_a_search_has_a_point_a_trial_that_is_believed(search):
    assert [(rate, p99) for rate, _, p99 in points.by_rate(search)] == [
        (1000.0, 2.5),
        (2000.0, 40.25),
    ]


def test_one_rate_makes_no_figure_of_rates(closed, steps):
    assert "Throughput and failures" not in charts.figures(closed)
    assert "Throughput and failures" in charts.figures(steps)


def test_the_distribution_is_numpys(closed):
    times = np.round(spread(1000, 0.5, 2), 2)
    found = points.by_percentile(closed.tally.service)
    assert found[0] == (1.0, 0.5)
    assert found[-1] == (1000.0, 2.0)
    for x, y in found[1:-1]:
        # The share that is slower, to a request: it is 1/x.
        assert np.sum(times > y) <= 1000 / x + 1e-6
        assert np.sum(times >= y) >= 1000 / x - 1e-6


def test_the_time_line_puts_phases_one_after_another(steps):
    found, group = points.by_time(steps)
    assert group == 1
    assert [point.at for point in found] == [0.5, 1.5, 2.5, 3.5, 4.5]
    assert [point.right for point in found] == [500, 1000, 1000, 1996, 1996]
    assert [round(point.p99, 1) for point in found] == [9.0, 2.0, 2.0, 29.7, 29.7]
    assert [point.failed for point in found] == [0, 0, 0, 4, 4]


def test_a_long_time_line_still_shows_its_worst_second():
    calm, bad = tally([1.0] * 10), tally([70.0] * 10)
    made = record(phase("soak", 10, *[calm] * 1500, bad, *[calm] * 1499))
    found, _ = points.by_time(made)
    assert len(found) <= points.MOST_POINTS
    assert [point.p99 for point in found if point.p99 > 1] == [70.0]
    assert "minutes" in charts.figures(made)["Time line"].charts[0]


def test_a_second_without_an_answer_is_a_gap():
    made = record(phase("only", 1, tally([1.0]), tally([], due=1), tally([2.0])))
    found, _ = points.by_time(made)
    assert [math.isnan(point.p99) for point in found] == [False, True, False]
