import numpy as np
import pytest

from training.calibration import Thresholds
from training.report import frames, nodigits
from training.report.nodigits import Found

LINE = [np.array([[3.0, 5.0], [3.0, 9.0]])]
# Not drawn with the pen into the middle of a square.
OTHERS = {"noise as in training", "uniform noise", "filled", "clothing", "two digits"}


def answered(*confidences):
    """Answers whose other digits are equally likely."""
    rows = [[each, *[(1 - each) / 9] * 9] for each in confidences]
    return np.array(rows, np.float32)


FOUND = Found("scribbles", "coil", 1, answered(0.5, 0.9, 1.0))


def few():
    """A few pictures of each kind, by its name, with its group."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nodigits, "LETTERS", 4)
        for name in ("SCRIBBLES", "FIGURES", "SHAPES", "NOISE"):
            patch.setattr(nodigits, name, 12)
        return {kind: (group, pictures) for group, kind, pictures in nodigits.kinds()}


@pytest.fixture(scope="module")
def drawn():
    return few()


def test_pictures_are_the_same_each_time(drawn):
    for kind, (_, pictures) in few().items():
        assert all(map(np.array_equal, pictures, drawn[kind][1]))


def test_every_drawn_picture_shows_something_else(drawn):
    strokes = [p for kind in drawn.keys() - OTHERS for p in drawn[kind][1]]
    assert len({picture.tobytes() for picture in strokes}) == len(strokes)


def test_strokes_are_whole_and_in_the_middle(drawn):
    for kind in drawn.keys() - OTHERS:
        for picture in drawn[kind][1]:
            assert picture.shape == (112, 112)
            rows, columns = np.nonzero(picture)
            # 78 pixels long without the pen, which adds 7 to 13, with an edge of one.
            assert 84 <= max(np.ptp(rows), np.ptp(columns)) + 1 <= 94
            assert abs(rows.min() + rows.max() - 111) <= 2
            assert abs(columns.min() + columns.max() - 111) <= 2


def test_uniform_noise_has_every_grey_and_each_size(drawn):
    _, pictures = drawn["uniform noise"]
    sides = [picture.shape for picture in pictures]
    assert [sides.count((n, n)) for n in (28, 56, 112)] == [4, 4, 4]
    assert len(np.unique(pictures[2])) == 256


@pytest.mark.parametrize("pen", [0.06, 0.12])
def test_pen_is_as_wide_as_said(pen):
    picture = frames.picture(LINE, pen)
    across = picture[56].sum() / 255  # ink of a row through the middle of the line
    assert across == pytest.approx(112 * pen, abs=0.1)


def test_refused_and_unsure_pictures_are_set_aside():
    # One refused, one below 0.9 and one at it, of four.
    assert FOUND.pictures == 4
    assert FOUND.mean == pytest.approx(0.8)
    assert FOUND.set_aside(Thresholds(0.9)) == 0.5
    assert FOUND.set_aside(Thresholds()) == 0.25


def test_kinds_together_count_each_picture_once():
    other = Found("scribbles", "zigzag", 2, answered(0.1, 0.2))
    both = nodigits.together([FOUND, other], "both")
    assert (both.group, both.kind, both.pictures, both.refused) == (
        "scribbles",
        "both",
        8,
        3,
    )
    assert both.mean == pytest.approx(2.7 / 5)
