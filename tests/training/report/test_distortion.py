import numpy as np
import pytest
from scipy import ndimage

from training.report import distortion

SIDE = 28


@pytest.fixture(scope="module")
def blurs():
    """Smooth images, uint8 [5, 784], black near the border."""
    rng = np.random.default_rng(6)
    images = np.zeros((5, SIDE, SIDE))
    images[:, 9:19, 9:19] = rng.random((5, 10, 10))
    smooth = ndimage.gaussian_filter(images, (0, 1.5, 1.5))
    levels = np.rint(255 * smooth / smooth.max()).astype(np.uint8)
    return levels.reshape(5, -1)


@pytest.fixture(scope="module")
def bar():
    """A vertical stroke of four white pixels, uint8 [1, 784]."""
    image = np.zeros((1, SIDE, SIDE), np.uint8)
    image[0, 4:24, 12:16] = 255
    return image.reshape(1, -1)


@pytest.mark.parametrize(("right", "down"), [(3, 0), (-3, 0), (0, 3), (0, -3), (2, -1)])
def test_shift_moves_whole_pixels(blurs, right, down):
    square = blurs.reshape(-1, SIDE, SIDE)
    expected = np.roll(square, (down, right), axis=(1, 2))  # the border is black
    found = distortion.affine(blurs, right=right, down=down)
    assert np.array_equal(found.reshape(-1, SIDE, SIDE), expected)


def test_a_quarter_turn_is_numpys(blurs):
    expected = np.rot90(blurs.reshape(-1, SIDE, SIDE), axes=(1, 2))
    found = distortion.affine(blurs, turn=90).reshape(-1, SIDE, SIDE).astype(int)
    assert np.abs(found - expected).max() <= 1


def test_a_turn_to_the_left_is_anticlockwise():
    image = np.zeros((1, SIDE, SIDE), np.uint8)
    image[0, 13, 20:26] = 255  # to the right of the middle
    turned = distortion.affine(image.reshape(1, -1), turn=90).reshape(SIDE, SIDE)
    rows, columns = np.nonzero(turned)
    assert rows.max() < SIDE / 2  # now above it
    assert set(columns) == {13}


@pytest.mark.parametrize("scale", [0.75, 1.25])
def test_scale_changes_the_area_about_the_middle(blurs, scale):
    def moments(images):
        square = images.reshape(-1, SIDE, SIDE).astype(float)
        ink, rows = square.sum(axis=(1, 2)), square.sum(axis=2)
        return ink, (rows @ np.arange(SIDE)) / ink - (SIDE - 1) / 2

    (ink, middle), (scaled, moved) = (
        moments(blurs),
        moments(distortion.affine(blurs, scale=scale)),
    )
    assert scaled / ink == pytest.approx(scale**2, rel=0.02)
    assert moved == pytest.approx(scale * middle, abs=0.05)


@pytest.mark.parametrize("pixels", [1, -1])
def test_a_stroke_changes_its_width_by_a_pixel(bar, pixels):
    found = distortion.thicken(bar, pixels).reshape(SIDE, SIDE)
    assert found[14].sum() / 255 == pytest.approx(4 + pixels, abs=0.1)


def test_thick_and_thin_are_monotonic_and_leave_nothing_and_everything_alone(blurs):
    unchanged = distortion.thicken(blurs, 0)
    assert (distortion.thicken(blurs, 1) >= unchanged).all()
    assert (distortion.thicken(blurs, -1) <= unchanged).all()
    empty = np.zeros((2, SIDE * SIDE), np.uint8)
    assert not distortion.thicken(empty, 1).any()
    assert (distortion.thicken(empty + np.uint8(255), 1) == 255).all()


def test_noise_has_the_stated_deviation_and_is_the_same_each_time():
    grey = np.full((200, SIDE * SIDE), 128, np.uint8)
    noisy = distortion.add_noise(grey)
    assert noisy.std() == pytest.approx(25.5, rel=0.01)
    assert noisy.mean() == pytest.approx(128, abs=0.5)
    assert np.array_equal(noisy, distortion.add_noise(grey))


def test_half_contrast_halves(blurs):
    found = distortion.halve_contrast(blurs).astype(float)
    assert np.abs(found - blurs / 2).max() <= 0.5


def test_every_condition_keeps_shape_and_kind(blurs):
    for condition in (distortion.UNTOUCHED, *distortion.CONDITIONS):
        found = condition.apply(blurs)
        assert (found.shape, found.dtype) == (blurs.shape, np.uint8)
    assert len({condition.name for condition in distortion.CONDITIONS}) == 12
