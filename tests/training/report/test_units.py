import numpy as np
import pytest

from training.reference import Layer
from training.report import units


@pytest.fixture
def layers():
    """Two hidden layers of three units; unit 1 of the first never wakes."""
    rng = np.random.default_rng(8)
    first = Layer(rng.normal(0, 1, (784, 3)), np.array([0.0, -1e6, 20.0]))
    second = Layer(rng.normal(0, 1, (3, 3)), np.array([0.1, 0.1, -1e6]))
    return [first, second, Layer(rng.normal(0, 1, (3, 10)), np.zeros(10))]


def test_activity_counts_one_image_at_a_time(layers, noise):
    counts = np.zeros((2, 3))
    for image in noise:
        values = image / 255
        for number, layer in enumerate(layers[:2]):
            values = [
                max(0.0, sum(values * layer.weights[:, unit]) + layer.biases[unit])
                for unit in range(3)
            ]
            counts[number] += [value > 0 for value in values]
    found = units.activity(layers, noise)
    assert [each.dead for each in found] == [[1], [2]]
    for each, count in zip(found, counts):
        assert each.active == pytest.approx(count / len(noise))


def test_activity_does_not_depend_on_the_number_of_images_at_once(
    layers, noise, monkeypatch
):
    whole = units.activity(layers, noise)
    monkeypatch.setattr(units, "CHUNK", 10)
    for first, again in zip(whole, units.activity(layers, noise)):
        assert np.array_equal(first.active, again.active)
