import numpy as np
import pytest

from tests.support.lazy import lazy
from training import calibration
from training.calibration import Thresholds

keras = lazy("keras")
calibrate = lazy("training.calibrate")
network = lazy("training.network")


def softmax(logits):
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture
def answers():
    """Logits, and labels drawn from the very probabilities that they stand for."""
    random = np.random.default_rng(3)
    logits = random.normal(0, 2, (20_000, 10))
    chances = softmax(logits).astype(float).cumsum(axis=1)
    labels = (random.random((20_000, 1)) * chances[:, -1:] > chances).sum(axis=1)
    return logits, labels.astype(np.uint8)


@pytest.mark.parametrize("wrong_by", [0.5, 1, 3])
def test_temperature_finds_what_the_logits_were_multiplied_by(answers, wrong_by):
    logits, labels = answers
    found = calibrate.temperature(softmax(logits * wrong_by), labels)
    assert found == pytest.approx(wrong_by, rel=0.03)


def test_fold_divides_the_logits_and_leaves_the_graph(noise):
    keras.utils.set_random_seed(1)
    model = network.build()
    images = noise.astype(np.float32) / 255
    before = np.log(model.predict(images, verbose=0).astype(float))
    calibrate.fold(model, 2.5)
    after = model.predict(images, verbose=0)
    assert after == pytest.approx(softmax(before / 2.5), abs=1e-6)
    assert model.count_params() == 109_386


def test_calibration_error_by_hand():
    # Four answers at 0.8 of which three are right, two at 0.45 of which one is right.
    probabilities = np.zeros((6, 10), np.float32)
    probabilities[:4, 0], probabilities[:4, 1] = 0.8, 0.2
    probabilities[4:, 0], probabilities[4:, 1:] = 0.45, 0.55 / 9
    labels = np.array([0, 0, 0, 1, 0, 1], np.uint8)
    expected = 4 / 6 * abs(0.8 - 0.75) + 2 / 6 * abs(0.45 - 0.5)
    assert calibration.expected_error(probabilities, labels) == pytest.approx(expected)


def test_calibration_error_is_small_where_labels_follow_the_probabilities(answers):
    logits, labels = answers
    assert calibration.expected_error(softmax(logits), labels) < 0.01
    assert calibration.expected_error(softmax(logits * 3), labels) > 0.05


def test_each_threshold_marks_the_share(answers):
    probabilities = softmax(answers[0]).astype(np.float32)
    found = calibrate.thresholds(probabilities, 0.1)
    for measured in (
        Thresholds(unsure_below=found["unsure_below"]),
        Thresholds(no_digit_above=found["no_digit_above"]),
    ):
        assert measured.guesses(probabilities).mean() == pytest.approx(0.1, 0.05)
    assert found["unsure_below"] == round(found["unsure_below"], 3)
