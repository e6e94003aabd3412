import numpy as np
import pytest

from training import calibration

# Of four bins two are in use: 0.55 and 0.65, one right; 0.85 and 0.95, both right.
CONFIDENCE = np.array([0.55, 0.65, 0.85, 0.95])
RIGHT = np.array([True, False, True, True])


def test_error_is_the_one_computed_by_hand():
    bins = calibration.equal_width(CONFIDENCE, RIGHT, bins=4)
    # |0.5 - 0.6| · 2/4 + |1 - 0.9| · 2/4
    assert calibration.error(bins) == pytest.approx(0.1)
    assert [each.images for each in bins] == [0, 0, 2, 2]
    assert bins[2].confidence == pytest.approx(0.6)
    assert bins[2].accuracy == pytest.approx(0.5)


def test_the_upper_end_belongs_to_a_bin_and_the_lower_one_does_not():
    bins = calibration.equal_width(np.array([0.5, 0.5, 1.0]), np.ones(3, bool), bins=2)
    assert [each.images for each in bins] == [2, 1]


def test_error_of_a_sure_and_wrong_network_is_one_and_of_a_right_one_is_nothing():
    sure = np.ones(5)
    for right, error in ((np.zeros(5, bool), 1), (np.ones(5, bool), 0)):
        assert calibration.error(calibration.equal_width(sure, right)) == error


@pytest.mark.parametrize("bins_of", [calibration.equal_width, calibration.equal_mass])
def test_error_counts_every_prediction_once(bins_of):
    rng = np.random.default_rng(2)
    confidence, right = rng.uniform(0.1, 1, 500), rng.random(500) < 0.7
    bins = bins_of(confidence, right)
    slow = 0.0
    for each in bins:
        inside = [i for i in range(500) if each.low < confidence[i] <= each.high]
        assert len(inside) == each.images
        if inside:
            accuracy = sum(right[i] for i in inside) / len(inside)
            mean = sum(confidence[i] for i in inside) / len(inside)
            slow += len(inside) / 500 * abs(accuracy - mean)
    assert sum(each.images for each in bins) == 500
    assert calibration.error(bins) == pytest.approx(slow)


def test_bins_of_equal_mass_hold_equally_many_and_join_where_values_tie():
    confidence = np.arange(1, 31) / 30
    bins = calibration.equal_mass(confidence, np.ones(30, bool), bins=15)
    assert [each.images for each in bins] == [2] * 15
    tied = calibration.equal_mass(np.ones(30), np.ones(30, bool), bins=15)
    assert [each.images for each in tied] == [30]


def test_what_is_set_aside_is_no_longer_counted():
    kept = calibration.keep(CONFIDENCE >= 0.65, RIGHT)
    assert (kept.unsure, kept.mistakes, kept.caught) == (0.25, 1, 0)
    assert kept.accuracy == pytest.approx(2 / 3)
    above = calibration.keep(CONFIDENCE >= 0.7, RIGHT)
    assert (above.unsure, above.mistakes, above.caught, above.accuracy) == (0.5, 0, 1, 1)
    assert calibration.keep(CONFIDENCE >= 0.99, RIGHT).accuracy == 1
