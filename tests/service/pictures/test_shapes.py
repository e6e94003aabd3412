import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from service.pictures.frame import draw
from service.pictures.grey import close
from service.pictures.shapes import grow, hollow, parts, shrink

SQUARE = np.ones((3, 3))


@st.composite
def masks(draw):
    height, width = draw(st.integers(1, 40)), draw(st.integers(1, 40))
    seed, share = draw(st.integers(0, 1000)), draw(st.floats(0, 1))
    return np.random.default_rng(seed).random((height, width)) < share


@given(masks())
def test_parts_are_those_of_scipy(mask):
    numbers, count = ndimage.label(mask, SQUARE)
    found = parts(mask)
    assert found.count == count
    assert len({*zip(numbers[mask].tolist(), found.numbers[mask].tolist())}) == count
    assert not found.numbers[~mask].any()


@given(masks())
def test_parts_have_their_boxes_and_areas(mask):
    found = parts(mask)
    for k, (rows, columns) in enumerate(ndimage.find_objects(found.numbers)):
        assert (found.top[k], found.bottom[k]) == (rows.start, rows.stop - 1)
        assert (found.left[k], found.right[k]) == (columns.start, columns.stop - 1)
        assert found.area[k] == np.count_nonzero(found.numbers == k + 1)


@given(masks(), st.integers(1, 3))
def test_grow_and_shrink_are_morphology(mask, by):
    grown = ndimage.binary_dilation(mask, SQUARE, by)
    shrunk = ndimage.binary_erosion(mask, SQUARE, by, border_value=1)
    assert np.array_equal(grow(mask, by), grown)
    assert np.array_equal(shrink(mask, by), shrunk)


@given(st.integers(0, 1000), st.sampled_from([3, 5, 17]))
def test_close_is_morphology(seed, window):
    levels = np.random.default_rng(seed).random((30, 20)).astype(np.float32)
    high = ndimage.grey_dilation(levels, (window, window), mode="constant", cval=-1)
    low = ndimage.grey_erosion(high, (window, window), mode="constant", cval=2)
    assert np.array_equal(close(levels, window), low)


def test_width_is_the_side_of_the_largest_square():
    mask = np.zeros((40, 40), bool)
    mask[2:30, 2:5] = mask[10:19, 20:31] = True
    assert parts(mask).width(mask, 42).tolist() == [3, 9]


def test_a_hollow_seven_is_filled_and_a_loop_is_not():
    seven = draw([[(0.2, 0.15), (0.8, 0.15), (0.4, 0.85)]], side=128, pen=0.15) > 0.5
    outline = seven & ~shrink(seven, 3)
    filled = hollow(outline)
    assert np.array_equal(filled | outline, seven)
    around = np.linspace(0, 2 * np.pi, 60)
    zero = [[(0.5 + 0.2 * np.sin(t), 0.5 + 0.35 * np.cos(t)) for t in around]]
    assert hollow(draw(zero, side=128, pen=0.05) > 0.5) is None


def test_a_cell_that_a_digit_crosses_is_not_filled():
    line = [[(0.1, 0.1), (0.9, 0.1), (0.9, 0.7), (0.1, 0.7), (0.1, 0.1)]]
    crossing = [[(0.6, 0.25), (0.45, 0.25), (0.45, 0.45), (0.6, 0.6), (0.5, 0.85)]]
    assert hollow(draw(line + crossing, side=128, pen=0.02) > 0.5) is None
