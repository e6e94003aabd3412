import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.model import digits
from service.pictures.frame import LEAST_INK, draw, frame, ink


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


def test_load_test_has_the_same_digits(root, capsys):
    digits.main()
    assert capsys.readouterr().out == (root / "load" / "digits.json").read_text()


def seven(side=280):
    """Ink 0 to 1 of a seven with paper all around, float [side, side]."""
    drawn = np.zeros((side, side))
    inner = draw([[(0.2, 0.15), (0.8, 0.15), (0.4, 0.85)]], side=side // 2)
    drawn[side // 4 : side // 4 + side // 2, side // 4 : side // 4 + side // 2] = inner
    return drawn


def painted(drawn, paper, pen):
    return np.rint(paper + (pen - paper) * drawn).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    ("paper", "pen"), [(0, 255), (255, 0), (128, 255), (128, 0), (100, 120), (200, 180)]
)
def test_ink_is_what_differs_from_paper_of_any_grey(paper, pen):
    found = ink(painted(seven(), paper, pen))
    # A grey level of the picture is up to 13 of the frame's, where the contrast is 20.
    assert difference(frame(found), frame(seven())) <= 260 / abs(pen - paper)


@given(st.integers(0, 255), st.integers(0, 255), st.booleans())
def test_ink_needs_contrast(paper, pen, lossy):
    found = ink(painted(seven(112), paper, pen), lossy=lossy)
    assert found.any() == (abs(paper - pen) >= LEAST_INK)


def test_ink_keeps_the_faintest_of_clean_paper_and_drops_it_of_a_jpeg():
    grey = np.zeros((28, 28), np.uint8)
    grey[10:20, 10:20], grey[9, 9] = 255, 1
    assert ink(grey)[9, 9] == 1
    assert ink(grey, lossy=True)[9, 9] == 0


@pytest.mark.parametrize(
    ("paper", "sigma"),
    [("white", 2), *((p, s) for p in ("flat", "slope", "bowl") for s in (2, 10, 20))],
)
def test_ink_stands_out_from_uneven_noisy_paper(paper, sigma):
    y, x = np.mgrid[-1:1:280j, -1:1:280j]
    surface = {
        "flat": 170 + 0 * x,
        "white": 255 + 0 * x,  # the noise above is cut off
        "slope": 150 + 50 * x - 30 * y,
        "bowl": 200 - 40 * x * x - 40 * y * y,
    }[paper]
    noise = np.random.default_rng(5).normal(0, sigma, x.shape)
    grey = painted(seven(), surface, surface - 120) + noise
    framed = frame(ink(grey.clip(0, 255).astype(np.uint8)))
    expected = frame(seven())
    # Half the ink's contrast at an edge that moved by a pixel; on average far less.
    assert np.abs(framed.astype(float) - expected).mean() < 6


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (2, 2), (3, 560)])
def test_ink_takes_any_shape_and_noise(shape):
    grey = np.random.default_rng(5).integers(0, 256, shape, dtype=np.uint8)
    assert ink(grey).shape == shape


def test_noise_alone_has_no_ink():
    rng = np.random.default_rng(5)
    for sigma in (1, 5, 20, 60):
        grey = rng.normal(128, sigma, (400, 400)).clip(0, 255).astype(np.uint8)
        assert not ink(grey).any()
