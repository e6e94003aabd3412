import numpy as np
import pytest

from service.pictures.digit import Role, find
from service.pictures.frame import draw

SIDE = 120


def strokes(*lines, pen=0.08):
    return draw(lines, side=SIDE, pen=pen) > 0.5


SEVEN = strokes([(0.35, 0.25), (0.65, 0.25), (0.45, 0.75)])
FIVE = strokes(
    [(0.42, 0.35), (0.4, 0.5), (0.6, 0.55), (0.6, 0.7), (0.4, 0.75)],
    [(0.42, 0.2), (0.65, 0.2)],
)


def found(mask):
    return find(mask, mask.astype(np.float32))


def frame(inset):
    mask = np.zeros((SIDE, SIDE), bool)
    mask[inset:-inset, inset:-inset] = True
    mask[inset + 2 : -inset - 2, inset + 2 : -inset - 2] = False
    return mask


def rows(first, last):
    mask = np.zeros((SIDE, SIDE), bool)
    mask[first:last] = True
    return mask


def block(top, left, bottom, right):
    mask = np.zeros((SIDE, SIDE), bool)
    mask[top:bottom, left:right] = True
    return mask


@pytest.mark.parametrize(
    ("extra", "role"),
    [
        (frame(6), Role.FRAME),
        (block(60, 10, 62, 12), Role.SPECK),
        (block(0, 0, SIDE, 20), Role.CUT),
        (block(50, 110, 80, SIDE), Role.CUT),
        (rows(110, 112), Role.LINE),
    ],
    ids=["frame", "dust", "table", "neighbour", "line"],
)
def test_what_is_not_the_digit_is_dropped(extra, role):
    digit = found(SEVEN | extra)
    assert np.array_equal(digit.mask, SEVEN)
    assert {*np.unique(digit.roles[extra & ~SEVEN])} == {role}


def test_a_circle_around_a_digit_is_a_frame():
    y, x = np.mgrid[-1:1:120j, -1:1:120j]
    circle = np.abs(np.hypot(y, x) - 0.85) < 0.03
    assert np.array_equal(found(SEVEN | circle).mask, SEVEN)


def test_a_line_across_the_digit_is_cut_off():
    digit = found(SEVEN | rows(60, 62))
    outside = digit.mask & ~SEVEN
    assert digit.free
    assert np.count_nonzero(outside) < 0.02 * np.count_nonzero(SEVEN)


def test_a_digit_in_two_pieces_is_one():
    digit = found(FIVE)
    assert np.array_equal(digit.mask, FIVE)
    assert not digit.several


def test_a_dot_below_belongs_to_what_is_above_it():
    hook = strokes([(0.35, 0.3), (0.5, 0.2), (0.6, 0.3), (0.5, 0.45), (0.5, 0.6)])
    dot = strokes([(0.5, 0.8), (0.5, 0.81)])
    assert (found(hook | dot).mask == (hook | dot)).all()


def test_a_full_stop_beside_the_digit_is_dropped():
    stop = strokes([(0.85, 0.75), (0.85, 0.76)])
    assert (found(SEVEN | stop).mask == SEVEN).all()


def test_two_digits_are_several():
    right = np.roll(SEVEN, 30, axis=1)
    left = np.roll(SEVEN, -25, axis=1)
    assert found(left | right).several
    small = strokes([(0.35, 0.25), (0.65, 0.25), (0.45, 0.75)], pen=0.05)[::2, ::2]
    stacked = np.zeros((SIDE, SIDE), bool)
    stacked[:60, 30:90] = stacked[60:, 30:90] = small
    assert found(stacked).several


def test_a_digit_that_fills_the_picture_is_kept_whole():
    tight = SEVEN[np.ix_(SEVEN.any(axis=1), SEVEN.any(axis=0))]
    digit = found(tight)
    assert np.array_equal(digit.mask, tight)
    assert not digit.free


def test_in_small_pictures_nothing_is_dropped():
    mask = np.pad(np.random.default_rng(1).random((26, 26)) < 0.2, 1)
    assert np.array_equal(found(mask).mask, mask)


def test_a_pixel_alone_at_the_border_of_a_small_picture_is_no_ink():
    seven = SEVEN[::4, ::4]
    strange = seven.copy()
    strange[-1, 0] = True
    digit = found(strange)
    assert np.array_equal(digit.mask, seven)
    assert digit.roles[-1, 0] == Role.SPECK


def test_an_underline_is_no_piece_of_a_digit():
    line = block(100, 35, 104, 85)
    digit = found(SEVEN | line)
    assert (digit.roles[line] == Role.LINE).all()
    assert np.array_equal(digit.mask, SEVEN)


def test_an_empty_frame_at_the_border_is_no_digit():
    assert not found(frame(0)).mask.any()
