import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.model import digits
from service.pictures.frame import draw, frame


def difference(first, second):
    return int(np.abs(first.astype(int) - second.astype(int)).max())


def test_frame_gives_mnist_back(mnist):
    """Its images are in the frame already: 99.9 % come back within one grey level."""
    pixels = mnist.x_test.reshape(-1, 28, 28)
    same = [difference(frame(image.astype(np.float32)), image) <= 1 for image in pixels]
    assert np.mean(same) >= 0.999


def test_frame_has_its_strongest_ink_at_255_and_its_centre_in_the_middle():
    for pixels in digits.load().frames.reshape(-1, 28, 28):
        assert pixels.max() == 255
        for axis in (0, 1):
            mass = pixels.sum(axis=axis, dtype=float)
            # int(15 - centre), pixel centres at +0.5: the half-open interval (14, 15].
            # A rounding of the grey levels moves it by less than a hundredth.
            assert 13.99 < mass @ (np.arange(28) + 0.5) / mass.sum() < 15.01


@given(st.integers(0, 40), st.integers(0, 40), st.integers(1, 4))
def test_frame_is_blind_to_place_and_whole_scale(top, left, scale):
    glyph = digits.load().frames[3].reshape(28, 28).astype(np.float32)
    picture = np.zeros((160, 160), np.float32)
    grown = np.kron(glyph, np.ones((scale, scale), np.float32))
    side = len(grown)
    picture[top : top + side, left : left + side] = grown
    assert difference(frame(picture), frame(glyph)) <= 1


def test_frame_of_no_ink_is_empty():
    assert not frame(np.zeros((50, 30), np.float32)).any()


@pytest.mark.parametrize("side", [28, 112, 280])
def test_draw_fills_what_a_round_pen_covers(side):
    drawn = draw([[(0.25, 0.5), (0.75, 0.5)]], side=side, pen=0.2)
    # A bar of 0.5 × 0.2 with half a disc of radius 0.1 at each end.
    assert drawn.mean() == pytest.approx(0.5 * 0.2 + np.pi * 0.1**2, rel=0.01)
    assert (drawn.min(), drawn.max()) == (0, 1)


def test_draw_makes_a_dot_of_a_single_point():
    drawn = draw([[(0.5, 0.5)]], side=200, pen=0.3)
    assert drawn.mean() == pytest.approx(np.pi * 0.15**2, rel=0.01)


def test_draw_does_not_add_up_where_strokes_cross():
    once = draw([[(0.1, 0.1), (0.9, 0.9)]])
    assert np.array_equal(draw([[(0.1, 0.1), (0.9, 0.9)]] * 2), once)


def test_digits_are_three_hands_of_each_label():
    assert np.bincount(digits.load().labels).tolist() == [3] * 10


@pytest.mark.parametrize("path", ["service/model/frames.json", "load/digits.json"])
def test_the_files_have_the_digits_as_they_are_drawn(root, capsys, path):
    digits.main()
    assert capsys.readouterr().out == (root / path).read_text()
