import dataclasses

import numpy as np
import pytest

from tests.support.lazy import lazy
from training.best import styles
from training.errors import FitError
from training.recipes import Best, Distortion, Teacher

tf = lazy("tensorflow")
network = lazy("training.network")
distill = lazy("training.best.distill")

QUICK = Best(
    seed=1,
    validation_split=0.25,
    first_strength=0,
    teachers=1,
    passes=3,
    styles=5,
    ood=20,
    epochs=2,
    batch_size=12,
    teacher=Teacher(1, 16, 0.01, 0.01, Distortion(rotation=10, elastic=1)),
)


class Known:
    """A teacher whose answer is known: the digit is the number of the lightest pixel."""

    def predict(self, images, batch_size, verbose):
        return 20 * np.eye(10, dtype=np.float32)[images.argmax(axis=1) % 10]


@pytest.fixture(scope="module")
def labels():
    return (np.arange(64) % 10).astype(np.uint8)


@pytest.fixture(scope="module")
def drawn():
    """3 digits for each of 3 passes."""
    return styles.draw(3, 3, seed=1)


@pytest.fixture(scope="module")
def targets(noise, drawn):
    return distill.soft_targets(QUICK, [Known()], noise, drawn)


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    return tmp_path_factory.mktemp("work")


@pytest.fixture(scope="module")
def fitted(noise, labels, work):
    return distill.fit(QUICK, noise, labels, work=work)


def weights(fitted):
    return np.concatenate([tensor.ravel() for tensor in fitted.network.get_weights()])


def test_passes_distort_more_and_more_from_the_first_strength_on(noise, drawn, targets):
    passes = targets.images.reshape(3, 79, 784)[:, :64].astype(int)
    assert np.array_equal(passes[0], noise)
    change = np.abs(passes - passes[0]).mean(axis=(1, 2))
    assert 0 < change[1] < change[2]
    recipe = dataclasses.replace(QUICK, first_strength=0.5)
    half = distill.soft_targets(recipe, [Known()], noise, drawn)
    # Half as strong as the last, as QUICK's second pass is; its chance is another.
    first = np.abs(half.images.reshape(3, 79, 784)[0, :64] - passes[0]).mean()
    assert 0 < first < change[2]


def test_targets_are_the_teachers_logits_and_zeros_out_of_distribution(drawn, targets):
    images, logits = (each.reshape(3, 79, -1) for each in targets)
    assert not logits[:, 67:].any()  # 64 images, 3 drawn digits, 12 others
    assert np.array_equal(images[0, 64:67], drawn.images[0])
    for number in range(3):
        expected = Known().predict(images[number, :67], 1, 0)
        assert np.array_equal(logits[number, :67], expected)


def test_targets_are_the_mean_of_the_teachers_logits(noise, drawn, targets):
    class Other(Known):
        def predict(self, images, batch_size, verbose):
            return np.ones((len(images), 10), np.float32)

    both = distill.soft_targets(QUICK, [Known(), Other()], noise, drawn).logits
    means = (targets.logits.reshape(3, 79, 10)[:, :67] + 1) / 2
    assert np.array_equal(both.reshape(3, 79, 10)[:, :67], means)


def test_accuracy_counts_the_teachers_digit_and_out_of_distribution_no_digit_above_half():
    wanted = tf.constant([[0.0, 5, 0], [0, 5, 0], [0, 0, 0], [0, 0, 0]])
    logits = tf.constant([[1.0, 2, 0], [2, 1, 0], [1, 1, 1], [5, 0, 0]])
    assert distill.accuracy(wanted, logits).numpy().tolist() == [1, 0, 1, 0]


@pytest.mark.parametrize("temperature", [1, 3])
def test_loss_is_the_cross_entropy_of_softened_probabilities(temperature):
    wanted, logits = np.array([[1.0, 2, 4]]), np.array([[0.5, 0, 1]])
    soft = np.exp(wanted / temperature) / np.exp(wanted / temperature).sum()
    ours = np.exp(logits / temperature) / np.exp(logits / temperature).sum()
    expected = -(temperature**2) * (soft * np.log(ours)).sum()
    loss = distill.distillation_loss(temperature)
    assert float(loss(tf.constant(wanted), tf.constant(logits))[0]) == pytest.approx(
        expected
    )


def test_fit_gives_the_lessons_network_calibrated(fitted):
    config = [layer.get_config() for layer in network.build().layers]
    assert [layer.get_config() for layer in fitted.network.layers] == config
    assert sorted(fitted.history) == ["accuracy", "loss", "val_accuracy", "val_loss"]
    assert len(fitted.history["loss"]) == 2
    assert 0.2 < fitted.calibration["temperature"] < 5
    assert 0.1 <= fitted.calibration["unsure_below"] < 1
    assert 0 < fitted.calibration["no_digit_above"] <= 0.1


def test_same_seed_gives_the_same_teacher_and_so_the_same_weights(fitted, noise, labels):
    assert np.array_equal(weights(fitted), weights(distill.fit(QUICK, noise, labels)))


def test_resumed_fit_uses_the_teachers_and_the_student_that_are_kept(
    fitted, noise, labels, work
):
    # Images that would teach otherwise: what is kept is used, and they are not.
    again = distill.fit(QUICK, 255 - noise, labels, work=work)
    expected, found = (each.network.get_weights() for each in (fitted, again))
    # All but the last layer, into which another calibration has been folded.
    assert all(np.array_equal(a, b) for a, b in zip(expected[:-2], found[:-2]))
    assert again.history == fitted.history


def test_data_smaller_than_a_batch_is_refused(noise, labels):
    with pytest.raises(FitError, match="found 59 images to fit on .* batch of 1,000"):
        distill.fit(Best(), noise, labels)


def test_student_learns_from_teachers_and_stays_unsure_out_of_distribution(mnist):
    recipe = dataclasses.replace(QUICK, epochs=10, batch_size=50)
    images, labels = mnist.x_train[:1000], mnist.y_train[:1000]

    drawn = styles.draw(recipe.passes, 100, seed=1)

    class Knowing(Known):
        """Knows the images and the digits of the next pass."""

        def __init__(self):
            self.number = 0

        def predict(self, pictures, batch_size, verbose):
            every = np.concatenate([labels, drawn.labels[self.number]])
            self.number += 1
            return 20 * np.eye(10, dtype=np.float32)[every]

    targets = distill.soft_targets(recipe, [Knowing()], images, drawn)
    held = mnist.x_train[2000:2500], mnist.y_train[2000:2500]
    fitted = distill.fit_student(recipe, targets, *held)
    assert fitted.history["val_accuracy"][-1] > 0.8
    assert fitted.history["accuracy"][-1] > 0.7
