import numpy as np
import pytest

from service.pictures import frame as service
from training.best import pen

LINE = [np.array([[0.0, 0.0], [0.0, 1.0]])]
ANGLE = [np.array([[0.0, 0.0], [0.6, 0.0], [0.2, 1.0]])]


@pytest.fixture
def random():
    return np.random.default_rng(1)


def test_a_frame_is_what_the_service_makes_of_the_ink():
    inked = pen.ink(ANGLE, 0.1)
    picture = np.pad(inked, ((5, 60), (31, 2)))  # anywhere on a larger sheet
    assert np.array_equal(pen.frame(ANGLE, 0.1), service.frame(picture))


@pytest.mark.parametrize("width", [0.05, 0.1, 0.2])
def test_the_pen_is_as_wide_as_said_and_the_whole_as_long_as_the_glyph(width):
    inked = pen.ink(LINE, width)
    rows, columns = np.nonzero(inked)
    assert abs(np.ptp(rows) + 1 - pen.LENGTH) <= 2
    # The line is LENGTH / (1 + width) long without the pen.
    assert abs(np.ptp(columns) + 1 - width * pen.LENGTH / (1 + width)) <= 1.5


def test_an_uneven_pen_never_leaves_the_line_blank(random):
    for _ in range(20):
        rows = pen.ink(LINE, 0.05, random).any(axis=1)
        first, last = np.flatnonzero(rows)[[0, -1]]
        assert rows[first : last + 1].all()


def test_a_hand_moves_strokes_a_little(random):
    for _ in range(20):
        (written,) = pen.by_hand(LINE, random)
        assert np.hypot(*np.diff(written, axis=0).T).max() < 0.05
        assert 0.8 < np.ptp(written[:, 1]) < 1.3


def test_a_smooth_curve_goes_through_its_points():
    points = np.array([[0.0, 0], [1, 0], [1, 1], [0, 2]])
    curve = pen.smooth(points, steps=5)
    assert np.allclose(curve[::5], points)


def test_an_arc_begins_at_the_right_and_goes_clockwise():
    quarter = pen.arc((1, 1), (2, 3), 0, 90)
    assert np.allclose(quarter[[0, -1]], [[3, 1], [1, 4]])
