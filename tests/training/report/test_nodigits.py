import numpy as np
import pytest

from training.report import nodigits
from training.report.nodigits import Found
from training.report.sections import nodigits as section

LINE = [np.array([[3.0, 5.0], [3.0, 9.0]])]
FOUND = Found("scribbles", "coil", 1, np.array([0.5, 0.9, 1.0], np.float32))


@pytest.fixture(scope="module")
def drawn():
    return {kind: (group, pictures) for group, kind, pictures in nodigits.kinds()}


class Measured:
    """What the section reads of what was measured; four test images, one below 0.8."""

    probabilities = np.array([[0.9, 0.1], [0.3, 0.7], [1, 0], [0.8, 0.2]], np.float64)
    labels = np.zeros(4, np.uint8)
    no_digits = [
        Found("letters", "letters", 0, np.array([0.5, 0.6, 0.7, 0.9], np.float32)),
        Found("noise", "specks", 2, np.array([], np.float32)),
        Found("noise", "clouds", 1, np.array([0.9], np.float32)),
        Found("shapes", "box", 0, np.array([1.0], np.float32)),
    ]


def rows(own):
    return {
        row[0].strip("*"): row[1:] for row in section.nothing(Measured, own).blocks[-1].rows
    }


def text(own):
    return " ".join(block.text for block in section.nothing(Measured, own).blocks[:-1])


def test_about_600_pictures_of_each_group_are_drawn(drawn):
    groups = {}
    for group, pictures in drawn.values():
        groups[group] = groups.get(group, 0) + len(pictures)
    assert set(groups) == {"letters", "scribbles", "noise", "shapes"}
    assert all(550 <= count <= 650 for count in groups.values())


def test_pictures_are_the_same_each_time(drawn):
    for _, kind, pictures in nodigits.kinds():
        for picture, again in zip(drawn[kind][1], pictures, strict=True):
            assert np.array_equal(picture, again)


def test_every_drawn_picture_shows_something_else(drawn):
    strokes = [
        p for group, pictures in drawn.values() if group != "noise" for p in pictures
    ]
    assert len({picture.tobytes() for picture in strokes}) == len(strokes)


def test_strokes_are_whole_and_in_the_middle(drawn):
    for group, pictures in drawn.values():
        for picture in pictures if group != "noise" else ():
            assert picture.shape == (112, 112)
            rows, columns = np.nonzero(picture)
            # 78 pixels long without the pen, which adds 7 to 13, with an edge of one.
            assert 84 <= max(np.ptp(rows), np.ptp(columns)) + 1 <= 94
            assert abs(rows.min() + rows.max() - 111) <= 2
            assert abs(columns.min() + columns.max() - 111) <= 2


def test_uniform_noise_has_every_grey_and_each_size(drawn):
    _, pictures = drawn["uniform noise"]
    sides = [picture.shape for picture in pictures]
    assert [sides.count((n, n)) for n in (28, 56, 112)] == [100, 100, 100]
    assert len(np.unique(pictures[2])) == 256


@pytest.mark.parametrize("pen", [0.06, 0.12])
def test_pen_is_as_wide_as_said(pen):
    picture = nodigits.picture(LINE, pen)
    across = picture[56].sum() / 255  # ink of a row through the middle of the line
    assert across == pytest.approx(112 * pen, abs=0.1)


def test_refused_and_unsure_pictures_are_set_aside():
    # One refused, one below 0.9 and one at it, of four.
    assert FOUND.pictures == 4
    assert FOUND.mean == pytest.approx(0.8)
    assert FOUND.set_aside(0.9) == 0.5
    assert FOUND.set_aside(0) == 0.25


def test_kinds_together_count_each_picture_once():
    other = Found("scribbles", "zigzag", 2, np.array([0.1, 0.2], np.float32))
    both = nodigits.together([FOUND, other], "both")
    assert (both.group, both.kind, both.pictures, both.refused) == (
        "scribbles",
        "both",
        8,
        3,
    )
    assert both.mean == pytest.approx(2.7 / 5)


def test_a_version_is_asked_about_every_kind_and_answers_what_is_not_refused(version_1):
    found = nodigits.measure((version_1 / "model.onnx").read_bytes())
    assert {each.kind for each in found} > {"letters", "tangle", "uniform noise", "heart"}
    for each in found:
        assert each.refused == 0 or each.group == "noise"
        assert np.all((each.confidence > 0.1) & (each.confidence <= 1))


def test_section_has_a_row_a_kind_and_one_for_a_group_of_several():
    assert rows(0.8) == {
        "letters": ["4", "0", "67.5 %", "75.0 %"],
        "specks": ["2", "2", "–", "100.0 %"],
        "clouds": ["2", "1", "90.0 %", "50.0 %"],
        "noise, all": ["4", "3", "90.0 %", "75.0 %"],
        "box": ["1", "0", "100.0 %", "0.0 %"],
    }


def test_section_says_what_is_set_aside_without_shapes_and_of_the_test_images():
    # Of the letters three of four, of the noise three of four; shapes do not count.
    assert "**75.0 %** are unsure or refused" in text(0.8)
    assert "of the 4 test images, fed straight, **25.00 %** are unsure" in text(0.8)


def test_section_of_a_version_without_a_threshold_has_only_the_confidence():
    assert "has no threshold" in text(None)
    assert {row[-1] for row in rows(None).values()} == {"–"}
    assert rows(None)["letters"][2] == "67.5 %"
