import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from training import distill, network
from training.augment import Distortion
from training.teacher import Schooling

QUICK = distill.Recipe(
    seed=1,
    validation_split=0.25,
    mildest=0,
    teachers=1,
    passes=3,
    clutter=25,
    epochs=2,
    batch_size=12,
    schooling=Schooling(1, 16, 0.01, 0.01, Distortion()),
)


class Master:
    """A teacher whose answer is known: the digit is the number of the lightest pixel."""

    def predict(self, images, batch_size, verbose):
        return 20 * np.eye(10, dtype=np.float32)[images.argmax(axis=1) % 10]


@pytest.fixture(scope="module")
def labels():
    return (np.arange(64) % 10).astype(np.uint8)


@pytest.fixture(scope="module")
def fitted(noise, labels):
    return distill.fit(QUICK, noise, labels)


def weights(fitted):
    return np.concatenate([tensor.ravel() for tensor in fitted.network.get_weights()])


def test_recipe_names_every_number():
    recipe = distill.Recipe()
    assert recipe.name == "best"
    assert recipe.hidden == (128, 64)
    assert all(value != 0 for value in dataclasses.asdict(recipe.distortion).values())


def test_passes_distort_more_and_more_from_the_mildest_on(noise):
    lessons = distill.prepare(QUICK, [Master()], noise)
    passes = lessons.images.reshape(3, 80, 784).astype(int)
    assert np.array_equal(passes[0, :64], noise)
    change = np.abs(passes - passes[0]).mean(axis=(1, 2))
    assert 0 < change[1] < change[2]
    half = distill.prepare(dataclasses.replace(QUICK, mildest=0.5), [Master()], noise)
    # Half as strong as the last, as QUICK's second pass is; its chance is another.
    first = np.abs(half.images.reshape(3, 80, 784)[0] - passes[0]).mean()
    assert 0 < first < change[2]


def test_every_picture_has_the_teachers_answer_and_clutter_none(noise):
    lessons = distill.prepare(QUICK, [Master()], noise)
    logits = lessons.logits.reshape(3, 80, 10)
    assert not logits[:, 64:].any()  # 25 to each hundred of 64
    expected = Master().predict(lessons.images.reshape(3, 80, 784)[2, :64], 1, 0)
    assert np.array_equal(logits[2, :64], expected)


def test_teachers_answer_is_the_mean_of_their_logits(noise):
    class Other(Master):
        def predict(self, images, batch_size, verbose):
            return np.ones((len(images), 10), np.float32)

    alone = distill.prepare(QUICK, [Master()], noise).logits.reshape(3, 80, 10)
    both = distill.prepare(QUICK, [Master(), Other()], noise).logits.reshape(3, 80, 10)
    assert np.array_equal(both[:, :64], (alone[:, :64] + 1) / 2)


def test_accuracy_counts_the_teachers_digit_and_for_clutter_no_digit_above_half():
    wanted = tf.constant([[0.0, 5, 0], [0, 5, 0], [0, 0, 0], [0, 0, 0]])
    logits = tf.constant([[1.0, 2, 0], [2, 1, 0], [1, 1, 1], [5, 0, 0]])
    assert distill.accuracy(wanted, logits).numpy().tolist() == [1, 0, 1, 0]


@pytest.mark.parametrize("temperature", [1, 3])
def test_distance_is_the_cross_entropy_of_softened_probabilities(temperature):
    wanted, logits = np.array([[1.0, 2, 4]]), np.array([[0.5, 0, 1]])
    soft = np.exp(wanted / temperature) / np.exp(wanted / temperature).sum()
    ours = np.exp(logits / temperature) / np.exp(logits / temperature).sum()
    expected = -(temperature**2) * (soft * np.log(ours)).sum()
    found = distill.distance(temperature)(tf.constant(wanted), tf.constant(logits))
    assert float(found[0]) == pytest.approx(expected)


def test_fit_gives_the_lessons_network_calibrated(fitted):
    config = [layer.get_config() for layer in network.build().layers]
    assert [layer.get_config() for layer in fitted.network.layers] == config
    assert sorted(fitted.history) == ["accuracy", "loss", "val_accuracy", "val_loss"]
    assert len(fitted.history["loss"]) == 2
    assert 0.2 < fitted.calibration["temperature"] < 5
    assert 0.1 <= fitted.calibration["unsure_below"] < 1


def test_same_seed_gives_the_same_weights_and_another_seed_others(fitted, noise, labels):
    again, other = (
        weights(distill.fit(dataclasses.replace(QUICK, seed=seed), noise, labels))
        for seed in (1, 2)
    )
    assert np.array_equal(weights(fitted), again)
    assert not np.array_equal(weights(fitted), other)


def test_network_learns_from_teachers_and_stays_unsure_of_clutter(mnist):
    keras.utils.set_random_seed(1)
    recipe = dataclasses.replace(QUICK, epochs=20, batch_size=50)
    images, labels = mnist.x_train[:2000], mnist.y_train[:2000]

    class Knowing(Master):
        def predict(self, pictures, batch_size, verbose):
            return 20 * np.eye(10, dtype=np.float32)[labels]

    lessons = distill.prepare(recipe, [Knowing()], images)
    held = mnist.x_train[2000:3000], mnist.y_train[2000:3000]
    fitted = distill.learn(recipe, lessons, *held)
    assert fitted.history["val_accuracy"][-1] > 0.93
    assert fitted.history["accuracy"][-1] > 0.9
