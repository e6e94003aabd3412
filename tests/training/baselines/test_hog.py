import math

import numpy as np
import pytest

from training.baselines import hog


@pytest.fixture(scope="module")
def images():
    """Smooth and sharp: float32 [3, 784], 0 to 1."""
    rng = np.random.default_rng(9)
    bars = np.zeros((28, 28))
    bars[5:23, 10:14] = 1
    wave = np.fromfunction(lambda y, x: 0.5 + 0.5 * np.sin(x / 3 + y / 5), (28, 28))
    return np.stack([rng.random((28, 28)), bars, wave]).reshape(3, -1).astype(np.float32)


def slow(image):
    """The definition, pixel by pixel."""
    picture = image.reshape(28, 28).astype(float).tolist()

    def at(y, x):
        return picture[min(max(y, 0), 27)][min(max(x, 0), 27)]

    cells = [[[0.0] * 9 for _ in range(7)] for _ in range(7)]
    for y in range(28):
        for x in range(28):
            right, down = at(y, x + 1) - at(y, x - 1), at(y + 1, x) - at(y - 1, x)
            angle = math.degrees(math.atan2(down, right)) % 180 / 20
            low, share = int(angle) % 9, angle - int(angle)
            cell = cells[y // 4][x // 4]
            cell[low] += (1 - share) * math.hypot(right, down)
            cell[(low + 1) % 9] += share * math.hypot(right, down)

    def unit(block):
        length = math.sqrt(sum(v * v for v in block) + 1e-6)
        return [v / length for v in block]

    features = []
    for y in range(6):
        for x in range(6):
            pairs = [(y, x), (y, x + 1), (y + 1, x), (y + 1, x + 1)]
            block = unit([cells[a][b][k] for k in range(9) for a, b in pairs])
            features += unit([min(v, 0.2) for v in block])
    return features


def test_hog_is_the_definition(images):
    found = hog.hog(images)
    assert found.shape == (3, 1296)
    assert found.dtype == np.float32
    for image, features in zip(images, found):
        assert features == pytest.approx(slow(image), abs=1e-4)


def test_a_blank_image_has_no_features():
    assert not hog.hog(np.zeros((1, 784), np.float32)).any()


def test_features_do_not_depend_on_brightness_much(images):
    bright, dim = hog.hog(images), hog.hog(images * np.float32(0.5))
    assert np.abs(bright - dim).max() < 0.01


def test_features_do_not_depend_on_the_number_of_images(images, monkeypatch):
    whole = hog.hog(images)
    monkeypatch.setattr(hog, "CHUNK", 2)
    assert np.array_equal(hog.hog(images), whole)
