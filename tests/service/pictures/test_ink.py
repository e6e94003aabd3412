import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.pictures.frame import LEAST_INK, draw, frame
from service.pictures.ink import separate


def ink(grey, lossy=False):
    return separate(grey, lossy).levels


def difference(first, second):
    return int(np.abs(first.astype(int) - second.astype(int)).max())


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
    assert ink(grey).shape == (11, 11)
    assert ink(grey)[0, 0] == 1
    assert ink(grey, lossy=True).shape == (10, 10)


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
    grey = painted(seven(), surface, 0.4 * surface) + noise  # ink, in the same light
    framed = frame(ink(grey.clip(0, 255).astype(np.uint8))).astype(float)
    # Where noise makes the box a pixel larger, all of it may move by a pixel of the frame.
    near = [(y, x) for y in (-1, 0, 1) for x in (-1, 0, 1)]
    moved = [np.roll(frame(seven()), place, (0, 1)) for place in near]
    # Half the ink's contrast at an edge that moved by a pixel; on average far less.
    assert min(np.abs(framed - expected).mean() for expected in moved) < 6


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (2, 2), (3, 560)])
def test_ink_takes_any_shape_and_noise(shape):
    grey = np.random.default_rng(5).integers(0, 256, shape, dtype=np.uint8)
    assert all(n <= most for n, most in zip(ink(grey).shape, shape))


def test_noise_alone_has_no_ink():
    rng = np.random.default_rng(5)
    for sigma in (1, 5, 20, 60):
        grey = rng.normal(128, sigma, (400, 400)).clip(0, 255).astype(np.uint8)
        assert not ink(grey).any()


@pytest.mark.parametrize("period", [4, 8])
def test_dots_for_grey_are_paper(period):
    """Of an ordered dither, whose dots are closer than the strokes are wide."""
    cells = np.random.default_rng(5).permutation(period * period).reshape(period, period)
    limit = np.tile((cells + 0.5) / period**2 * 255, (280 // period,) * 2)
    grey = np.where(painted(seven(), 190, 40) > limit, 255, 0).astype(np.uint8)
    assert np.abs(frame(ink(grey)).astype(float) - frame(seven())).mean() < 15


def test_dark_ink_is_told_from_stripes_of_shade_that_run_through_it():
    y, x = np.mgrid[:280, :280]
    shade = np.where((y + x // 4) % 90 < 45, 1, 0.7)
    grey = painted(seven(), 220 * shade, 50 * shade)
    assert np.abs(frame(ink(grey)).astype(float) - frame(seven())).mean() < 6


@pytest.mark.parametrize("side", [28, 64, 160, 280])
@pytest.mark.parametrize("level", [5, 60, 128, 200])
def test_a_pixel_in_a_corner_changes_nothing(side, level):
    grey = painted(seven(side), 255, 0)
    alone = grey.copy()
    alone[-1, 0] = level
    assert difference(frame(ink(alone)), frame(ink(grey))) <= 1


def test_a_photograph_with_a_rim_on_a_table_is_read_within_the_rim():
    paper = painted(seven(120), 150, 20)
    rim = np.pad(paper, 18, constant_values=240)
    grey = np.pad(rim, 50, constant_values=60)
    rng = np.random.default_rng(1)
    noisy = (grey + rng.normal(0, 3, grey.shape)).clip(0, 255).astype(np.uint8)
    expected = frame(ink(painted(seven(120), 255, 0)))
    assert np.abs(frame(ink(noisy)).astype(int) - expected).mean() < 10
