import numpy as np
import pytest

from tests.support.lazy import lazy
from training.recipes import Lesson

fit = lazy("training.fit")
baseline = lazy("training.baselines.network")


def test_with_the_lessons_split_it_is_the_lessons_network_to_the_bit(noise):
    labels = (np.arange(64) % 10).astype(np.uint8)
    pixels = noise.astype(np.float32) / np.float32(255)
    ours = baseline.Network(epochs=2, seed=3, validation_split=0.2).fit(pixels, labels)
    recipe = Lesson(epochs=2, seed=3)
    lesson = fit.fit(recipe, noise, labels).network
    for found, expected in zip(ours.model.get_weights(), lesson.get_weights()):
        assert np.array_equal(found, expected)
    answers = lesson.predict(pixels, verbose=0).argmax(axis=1)
    assert np.array_equal(ours.predict(pixels), answers)


def test_it_has_as_many_inputs_and_outputs_as_the_table():
    rng = np.random.default_rng(1)
    network = baseline.Network(epochs=1, seed=0).fit(
        rng.random((20, 30)), np.arange(20) % 2
    )
    assert network.model.input_shape == (None, 30)
    assert network.model.output_shape == (None, 2)


def test_it_predicts_nothing_before_it_is_fitted():
    with pytest.raises(AssertionError, match="fit comes before"):
        baseline.Network(epochs=1, seed=0).predict(np.zeros((1, 3)))
