import numpy as np
import pytest

from tests.support.lazy import lazy
from training.recipes import Distortion

tf = lazy("tensorflow")
augment = lazy("training.best.augment")

EVERYTHING = Distortion(15, 0.15, 0.1, 0.1, 1, 1, 0.5)


def distorted(images, seed=(1, 2), **strengths):
    most = Distortion(**strengths)
    return augment.distort(images, tf.constant(seed), most).numpy().reshape(-1, 28, 28)


def copies(picture, count=400):
    return np.tile(np.asarray(picture, np.uint8).reshape(1, 784), (count, 1))


def bar(height=20, width=4):
    """A bar in the middle of the frame, upright."""
    picture = np.zeros((28, 28))
    top, left = 14 - height // 2, 14 - width // 2
    picture[top : top + height, left : left + width] = 255
    return picture


def moments(picture):
    """Mean row and column, and their covariances, of the ink."""
    rows, columns = np.indices(picture.shape)
    weights = picture / picture.sum()
    mean = np.array([(weights * rows).sum(), (weights * columns).sum()])
    down, across = rows - mean[0], columns - mean[1]
    return mean, [
        (weights * a).sum() for a in (down * down, down * across, across * across)
    ]


def angle(picture):
    """Degrees between the ink's long axis and the upright, positive towards the right."""
    _, (down, mixed, across) = moments(picture)
    return np.degrees(np.arctan2(2 * mixed, down - across) / 2)


def longer_side(picture, faintest=64):
    rows, columns = np.nonzero(picture > faintest)
    return max(np.ptp(rows), np.ptp(columns)) + 1


def test_no_strength_gives_the_images_back(noise):
    assert np.array_equal(distorted(noise).reshape(-1, 784), noise)


def test_no_ink_gives_no_ink():
    most = Distortion(15, 0.15, 0.1, 0.1, 1, 1, 0.5)
    blank = np.zeros((3, 784), np.uint8)
    assert not augment.distort(blank, tf.constant([1, 2]), most).numpy().any()


def test_shape_and_type_stay(noise):
    found = augment.distort(noise[:5], tf.constant([1, 2]), EVERYTHING)
    assert found.shape == (5, 784)
    assert found.dtype == tf.uint8


def test_same_seed_gives_the_same_images_and_another_seed_others(noise):
    seeds = ([1, 2], [1, 2], [1, 3], [2, 2])
    first, again, *others = (
        augment.distort(noise, tf.constant(s), EVERYTHING) for s in seeds
    )
    assert np.array_equal(first, again)
    assert not any(np.array_equal(first, other) for other in others)


def test_it_runs_in_a_data_pipeline_and_gives_the_same_there(noise):
    def change(images):
        return augment.distort(images, tf.constant([1, 2]), EVERYTHING)

    pipeline = tf.data.Dataset.from_tensors(noise).map(change)
    near = np.abs(next(iter(pipeline)).numpy().astype(int) - change(noise).numpy())
    # One grey level, where a graph adds in another order and the rounding tips over.
    assert near.max() <= 1


def test_every_image_is_distorted_in_its_own_way():
    found = augment.distort(copies(bar(), 20), tf.constant([1, 2]), EVERYTHING).numpy()
    assert len(np.unique(found, axis=0)) == 20


def test_strongest_ink_stays(noise):
    images = (noise.astype(int) // 2).astype(np.uint8)
    found = augment.distort(images, tf.constant([1, 2]), EVERYTHING).numpy()
    assert np.array_equal(found.max(axis=1), images.max(axis=1))


def test_rotation_turns_up_to_its_degrees_both_ways_about_the_centre_of_mass():
    found = distorted(copies(bar()), rotation=30)
    angles = np.array([angle(picture) for picture in found])
    assert -30.5 < angles.min() < -28
    assert 28 < angles.max() < 30.5
    assert abs(angles.mean()) < 3 * 30 / 3**0.5 / 20  # three standard errors
    centres = np.array([moments(picture)[0] for picture in found])
    assert np.abs(centres - 13.5).max() < 0.1


def test_shear_moves_rows_in_proportion_to_their_height():
    found = distorted(copies(bar()), shear=0.3)
    slopes = []
    for picture in found:
        _, (down, mixed, _) = moments(picture)
        slopes.append(mixed / down)
    assert -0.31 < min(slopes) < -0.27
    assert 0.27 < max(slopes) < 0.31


def test_stretch_changes_height_over_width_up_to_its_exponential():
    square = bar(20, 20)
    ratios = []
    for picture in distorted(copies(square), stretch=0.3):
        _, (down, _, across) = moments(picture)
        ratios.append(0.5 * np.log(down / across))
    assert -0.33 < min(ratios) < -0.26
    assert 0.26 < max(ratios) < 0.33


@pytest.mark.parametrize("strengths", [{"rotation": 45}, {"shear": 0.5}, {"stretch": 0.5}])
def test_longer_side_of_the_box_stays(strengths):
    sides = [longer_side(picture) for picture in distorted(copies(bar(20, 8)), **strengths)]
    assert set(sides) <= {19, 20, 21}


def test_scale_changes_the_size_up_to_its_exponential():
    height = moments(bar())[1][0] ** 0.5
    found = distorted(copies(bar()), scale=0.2)
    sizes = [np.log(moments(picture)[1][0] ** 0.5 / height) for picture in found]
    assert min(sizes) == pytest.approx(-0.2, abs=0.02)
    assert max(sizes) == pytest.approx(0.2, abs=0.02)


def test_shift_moves_the_centre_of_mass_up_to_its_pixels():
    found = distorted(copies(bar()), shift=2)
    moves = np.array([moments(picture)[0] for picture in found]) - 13.5
    assert np.abs(moves).max() < 2.01
    assert np.all(moves.max(axis=0) > 1.9)
    assert np.all(moves.min(axis=0) < -1.9)
    assert np.linalg.norm(np.corrcoef(moves.T)[0, 1]) < 0.2  # down and across independent


def test_stroke_lies_between_erosion_and_dilation_by_a_cross(noise):
    # One pixel of 255 in a white cross keeps the strongest ink where it was.
    pictures = noise.reshape(-1, 28, 28).copy()
    pictures[:, 3:6, 3:6] = 255
    found = distorted(pictures.reshape(-1, 784), stroke=1)
    cross = [(0, 0), (-1, 0), (1, 0), (0, -1), (0, 1)]
    for before, after in zip(pictures, found):
        wide = np.pad(before, 1)
        for row in range(28):
            for column in range(28):
                near = [int(wide[row + 1 + dy, column + 1 + dx]) for dy, dx in cross]
                assert min(near) - 1 <= after[row, column] <= max(near) + 1


def test_stroke_makes_strokes_thicker_and_thinner():
    ink = distorted(copies(bar()), stroke=1).sum(axis=(1, 2)) / bar().sum()
    assert ink.max() == pytest.approx(22 * 6 / 80, abs=0.15)  # a cross less the corners
    assert ink.min() == pytest.approx(18 * 2 / 80, abs=0.1)


def test_elastic_displacements_are_smooth_and_of_the_given_strength():
    # On a ramp, a displacement across shows as a difference of grey levels. The block
    # keeps the strongest ink where it was, and full columns the box.
    ramp = np.tile(20 + 4 * np.arange(28), (28, 1))
    ramp[:6, :6] = 255
    found = distorted(copies(ramp), elastic=1.5)
    inside = (slice(None), slice(12, 22), slice(12, 22))
    moves = (found[inside] - ramp[inside[1:]].astype(float)) / 4
    # Normal, times a factor that is uniform from 0 to 1: a mean square of a third.
    assert moves.std() == pytest.approx(1.5 / 3**0.5, rel=0.1)
    steps = np.diff(moves, axis=2)
    assert steps.std() < 0.4 * moves.std()
