"""Fit the lesson's network as well as it can be: by teachers' answers."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from training import augment, calibrate, calibration, clutter, network, teacher
from training.data import scale
from training.fit import SILENT, Fitted

CHUNK = 1000  # images distorted and answered at a time: a few megabytes
CERTAIN = 100  # a logit beside zeros that leaves the other digits nothing in float32
STEPS_AHEAD = 8  # batches prepared while the network learns

METHOD = {
    "activation": "relu",
    "output_activation": "softmax",
    "optimizer": "muon",
    "loss": "categorical_crossentropy with the teachers' answers, both softened",
}


@dataclass(frozen=True)
class Recipe:
    """Every number of a training.

    Attributes:
        name: of the recipe.
        hidden: ReLU units.
        validation_split: fraction of the images, the last, held out.
        distortion: of the images in the last pass.
        mildest: strength of the first pass as a fraction of the last's; it rises evenly.
        teachers: how many there are; the mean of their logits is their answer.
        passes: times that every image is distorted, and answered by the teachers.
        clutter: pictures of no digit to each hundred images, for which every digit is
            equally right.
        temperature: what logits are divided by before the network's probabilities are
            compared with the teachers'.
        epochs: times as many images as there are to fit on, out of all the passes.
        batch_size: images a step.
        learning_rate: Muon's peak, for the hidden layers' weights.
        adam_ratio: Adam's rate over Muon's, for the last layer and the biases.
        weight_decay: of weights, times the rate of each step.
        unsure: share of the validation images that is to lie below the threshold.
        schooling: of the teachers.
        seed: of weights and order.
        teacher_seed: the same of the first teacher, and of the passes' distortion and
            clutter; the next teacher has the next number.
    """

    name: str = "best"
    hidden: tuple[int, ...] = (128, 64)
    validation_split: float = 1 / 12
    distortion: augment.Distortion = augment.Distortion(22, 0.25, 0.18, 0.06, 0.7, 1.4, 0.7)
    mildest: float = 0.3
    teachers: int = 2
    passes: int = 28
    clutter: int = 6
    temperature: float = 1.5
    epochs: int = 300
    batch_size: int = 1000
    learning_rate: float = 0.02
    adam_ratio: float = 0.1
    weight_decay: float = 0.2
    unsure: float = 0.008
    schooling: teacher.Schooling = teacher.Schooling(
        24, 250, 0.003, 0.02, augment.Distortion(16, 0.2, 0.14, 0.05, 0.6, 1.1, 0.5)
    )
    seed: int = 2  # of 1 to 3 the best on the validation images
    teacher_seed: int = 1


class Lessons(NamedTuple):
    """What the network is taught.

    Distorted images and clutter, uint8 ``[n, 784]``, and the logits that are right for
    each, float32 ``[n, 10]``.
    """

    images: npt.NDArray[np.uint8]
    logits: npt.NDArray[np.float32]


def prepare(
    recipe: Recipe, masters: Sequence[keras.Model], images: npt.NDArray[np.uint8]
) -> Lessons:
    """Distort every image once a pass, and let the teachers answer.

    Args:
        recipe: the hyperparameters.
        masters: the teachers.
        images: uint8 ``[n, 784]``.
    """
    count = len(images)
    extra = count * recipe.clutter // 100
    size = count + extra
    drawn = np.empty((recipe.passes, size, network.PIXELS), np.uint8)
    logits = np.zeros((recipe.passes, size, network.DIGITS), np.float32)
    for number in range(recipe.passes):
        new = clutter.draw(extra, [recipe.teacher_seed, number])
        every = np.concatenate([images, new])
        way = number / max(recipe.passes - 1, 1)
        most = recipe.distortion.times(recipe.mildest + (1 - recipe.mildest) * way)
        for start in range(0, size, CHUNK):
            part = slice(start, start + CHUNK)
            seed = tf.constant([recipe.teacher_seed, number * size + start])
            drawn[number, part] = augment.distort(tf.constant(every[part]), seed, most)
        pixels = scale(drawn[number, :count])
        answers = [master.predict(pixels, CHUNK, verbose=0) for master in masters]
        logits[number, :count] = np.mean(answers, axis=0)
    return Lessons(drawn.reshape(-1, network.PIXELS), logits.reshape(-1, network.DIGITS))


def fit(
    recipe: Recipe,
    images: npt.NDArray[np.uint8],
    labels: npt.NDArray[np.uint8],
    verbose: int = SILENT,
) -> Fitted:
    """Fit teachers, let them answer distorted images, fit the network on the answers.

    Seeded, and with deterministic operations: the same recipe on the same data, machine
    and library versions gives the same weights to the bit.

    Args:
        recipe: the hyperparameters.
        images: uint8 ``[n, 784]``, 0 to 255.
        labels: uint8 ``[n]``, 0 to 9.
        verbose: ``BAR``, ``LINES`` or ``SILENT``.
    """
    start = time.monotonic()
    last = round(len(images) * (1 - recipe.validation_split))
    masters = [
        teacher.fit(recipe.schooling, images[:last], labels[:last], seed, verbose)
        for seed in range(recipe.teacher_seed, recipe.teacher_seed + recipe.teachers)
    ]
    lessons = prepare(recipe, masters, images[:last])
    fitted = learn(recipe, lessons, images[last:], labels[last:], verbose)
    return replace(fitted, seconds=time.monotonic() - start)


def learn(
    recipe: Recipe,
    lessons: Lessons,
    images: npt.NDArray[np.uint8],
    labels: npt.NDArray[np.uint8],
    verbose: int = SILENT,
) -> Fitted:
    """Fit the network on the lessons and calibrate it on labelled images, held out."""
    keras.utils.set_random_seed(recipe.seed)
    tf.config.experimental.enable_op_determinism()
    start = time.monotonic()
    steps = len(lessons.images) // recipe.passes // recipe.batch_size
    pupil = network.build(recipe.hidden, output="linear")
    pupil.compile(
        optimizer=_optimizer(recipe, steps),
        loss=distance(recipe.temperature),
        metrics=[accuracy],
        steps_per_execution=steps,  # calls from Python take as long as the steps themselves
    )
    certain = CERTAIN * np.eye(network.DIGITS, dtype=np.float32)[labels]
    history = pupil.fit(
        _pipeline(recipe, lessons, steps),
        epochs=recipe.epochs,
        steps_per_epoch=steps,
        shuffle=False,  # the pipeline does
        validation_data=(scale(images), certain),
        validation_batch_size=len(images),
        verbose=verbose,
    )
    model = network.build(recipe.hidden)
    model.set_weights(pupil.get_weights())
    calibrated = _calibrate(recipe, model, images, labels)
    curves = {name: [float(v) for v in values] for name, values in history.history.items()}
    return Fitted(model, curves, time.monotonic() - start, calibrated)


def accuracy(wanted: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """Say which answers are as wanted: the likeliest digit, or none above one half."""
    same = tf.argmax(wanted, axis=1) == tf.argmax(logits, axis=1)
    nothing = tf.reduce_all(wanted == 0, axis=1)
    unsure = tf.reduce_max(tf.nn.softmax(logits), axis=1) < 0.5
    return tf.cast(tf.where(nothing, unsure, same), tf.float32)


def distance(temperature: float) -> Any:
    """Return the loss of Hinton, Vinyals and Dean (2015): of softened probabilities."""

    def loss(wanted: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
        return temperature**2 * tf.nn.softmax_cross_entropy_with_logits(
            tf.nn.softmax(wanted / temperature), logits / temperature
        )

    return loss


def _optimizer(recipe: Recipe, steps: int) -> keras.optimizers.Optimizer:
    optimizer = keras.optimizers.Muon(
        teacher.rise_and_fall(recipe.learning_rate, steps, recipe.epochs),
        weight_decay=recipe.weight_decay,
        # Keras multiplies it with the rate, but not with the ratio.
        adam_weight_decay=recipe.weight_decay * recipe.adam_ratio,
        adam_lr_ratio=recipe.adam_ratio,
        exclude_layers=["probabilities"],
    )
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    return optimizer


def _pipeline(recipe: Recipe, lessons: Lessons, steps: int) -> tf.data.Dataset:
    """Give batches for every epoch, the lessons in a new order each time."""
    random = np.random.default_rng(recipe.seed)
    count = recipe.epochs * steps * recipe.batch_size
    turns = -(-count // len(lessons.images))
    order = np.concatenate([random.permutation(len(lessons.images)) for _ in range(turns)])
    images, logits = tf.constant(lessons.images), tf.constant(lessons.logits)

    def batch(index: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return tf.cast(tf.gather(images, index), tf.float32) / 255, tf.gather(logits, index)

    return (
        tf.data.Dataset.from_tensor_slices(order[:count])
        .batch(recipe.batch_size)
        .map(batch)
        .prefetch(STEPS_AHEAD)
    )


def _calibrate(
    recipe: Recipe,
    model: keras.Model,
    images: npt.NDArray[np.uint8],
    labels: npt.NDArray[np.uint8],
) -> dict[str, float]:
    """Calibrate a network in place; return what it was divided by and the threshold."""
    answers = model.predict(scale(images), CHUNK, verbose=0)
    divisor = calibrate.temperature(answers, labels)
    calibrate.fold(model, divisor)
    answers = model.predict(scale(images), CHUNK, verbose=0)
    return {
        "temperature": divisor,
        "validation_error": calibration.expected_error(answers, labels),
        "unsure_below": calibrate.threshold(answers, recipe.unsure),
    }
