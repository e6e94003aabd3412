import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.model.thresholds import Thresholds

SURE = [1e-6] * 9 + [1 - 9e-6]
# One digit leads, as in an answer that is sure, but every other one is still possible.
LEADS = [0.01] * 9 + [0.91]
EVEN = [0.1] * 10


@pytest.mark.parametrize(
    ("below", "above", "guesses"),
    [
        (0.95, 1, [False, True, True]),
        (0.5, 1, [False, False, True]),
        (0.5, 0.01, [False, True, True]),
        (0, 0.09, [False, False, True]),
        (0, 1, [False, False, False]),
    ],
)
def test_an_answer_is_a_guess_by_its_confidence_or_if_no_digit_is_ruled_out(
    below, above, guesses
):
    measured = Thresholds(below, above)
    assert [measured.guess(row, max(row)) for row in (SURE, LEADS, EVEN)] == guesses


def test_the_second_threshold_is_a_geometric_mean():
    mean = math.exp(sum(map(math.log, LEADS)) / 10)
    assert Thresholds(0, mean * 0.999).guess(LEADS, 0.91)
    assert not Thresholds(0, mean * 1.001).guess(LEADS, 0.91)


def test_what_a_digit_is_ruled_out_with_may_be_too_small_for_float32():
    row = [1.0] + [1e-45] * 9
    assert not Thresholds(0.5, 1e-6).guess(row, 1.0)
    rows = np.array([row], np.float32)
    assert not Thresholds(0.5, 1e-6).guesses(rows, rows.max(axis=1)).any()


def test_a_version_may_have_one_threshold_or_none():
    assert Thresholds.measured(None, None) is None
    assert Thresholds.measured(0.95, None).guess(LEADS, 0.91)
    assert Thresholds.measured(None, 0.01).guess(LEADS, 0.91)


@given(
    st.lists(
        st.lists(st.floats(-80, 0), min_size=10, max_size=10), min_size=1, max_size=70
    ),
    st.floats(0.1, 1),
    st.floats(1e-9, 0.1),
)
def test_many_at_once_are_marked_as_one_by_one(logarithms, below, above):
    powers = np.exp(np.array(logarithms))
    rows = (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)
    confidence = rows.max(axis=1)
    measured = Thresholds(below, above)
    # At a threshold itself too.
    edge = Thresholds(float(confidence[0]), float(np.prod(rows[0], dtype=float)) ** 0.1)
    for each in (measured, edge):
        one_by_one = [each.guess(row, max(row)) for row in rows.tolist()]
        assert each.guesses(rows, confidence).tolist() == one_by_one
