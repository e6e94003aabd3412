"""Fit the lesson's network as well as it can be: on the soft targets of teachers."""

import os
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from training import calibrate, calibration, callbacks, network
from training.best import augment, ood, styles, teacher
from training.data import scale
from training.errors import FitError
from training.fit import SILENT, Fitted
from training.recipes import Best, Distortion

CHUNK = 1000  # images distorted and answered at a time: a few megabytes
CERTAIN = 100  # a logit beside zeros that leaves the other digits nothing in float32
STEPS_AHEAD = 8  # batches prepared while the network learns

METHOD = {
    "activation": "relu",
    "output_activation": "softmax",
    "optimizer": "muon",
    "loss": "categorical_crossentropy with the teachers' answers, both softened",
}


class SoftTargets(NamedTuple):
    """What the student is fitted on.

    Attributes:
        images: distorted images, drawn digits and out-of-distribution pictures, uint8
            ``[n, 784]``.
        logits: of the teachers for each, float32 ``[n, 10]``; zeros for
            out-of-distribution pictures.
    """

    images: npt.NDArray[np.uint8]
    logits: npt.NDArray[np.float32]


def fit(
    recipe: Best,
    images: npt.NDArray[np.uint8],
    labels: npt.NDArray[np.uint8],
    verbose: int = SILENT,
    work: Path | None = None,
) -> Fitted:
    """Fit teachers, let them answer distorted images, fit the student on the answers.

    Seeded, and with deterministic operations: the same recipe on the same data, machine
    and library versions gives the same weights to the bit.

    Args:
        recipe: the hyperparameters.
        images: uint8 ``[n, 784]``, 0 to 255.
        labels: uint8 ``[n]``, 0 to 9.
        verbose: ``BAR``, ``LINES`` or ``SILENT``.
        work: folder for each fitted teacher and for the student's logs and checkpoint,
            from which an interrupted fit continues.

    Raises:
        FitError: a batch is larger than the data, or a loss is not finite.
    """
    start = time.monotonic()
    last = round(len(images) * (1 - recipe.validation_split))
    largest = max(recipe.batch_size, recipe.teacher.batch_size)
    if largest > last or last == len(images):
        raise FitError(
            f"found {last:,} images to fit on and {len(images) - last:,} to validate, "
            f"expected at least a batch of {largest:,} and 1"
        )
    drawn = styles.draw(recipe.passes, last * recipe.styles // 100, recipe.teacher_seed)
    teachers = [
        _teacher(recipe, images[:last], labels[:last], drawn, seed, verbose, work)
        for seed in range(recipe.teacher_seed, recipe.teacher_seed + recipe.teachers)
    ]
    targets = soft_targets(recipe, teachers, images[:last], drawn)
    fitted = fit_student(recipe, targets, images[last:], labels[last:], verbose, work)
    return replace(fitted, seconds=time.monotonic() - start)


def soft_targets(
    recipe: Best,
    teachers: Sequence[keras.Model],
    images: npt.NDArray[np.uint8],
    drawn: styles.Drawn,
) -> SoftTargets:
    """Distort every image once per pass, and let the teachers answer.

    Args:
        recipe: the hyperparameters.
        teachers: float32 ``[n, 784]`` (pixels 0 to 1) to logits ``[n, 10]``.
        images: uint8 ``[n, 784]``.
        drawn: digits that are added to the images of each pass.
    """
    digits = len(images) + drawn.images.shape[1]
    others = len(images) * recipe.ood // 100
    pictures = np.empty((recipe.passes, digits + others, network.PIXELS), np.uint8)
    logits = np.zeros((recipe.passes, digits + others, network.DIGITS), np.float32)
    for number in range(recipe.passes):
        way = number / max(recipe.passes - 1, 1)
        strength = recipe.first_strength + (1 - recipe.first_strength) * way
        most = recipe.distortion.times(strength)
        seed = 1000 * recipe.teacher_seed + 2 * number  # of digits; and 1 more of others
        inked = _distort(np.concatenate([images, drawn.images[number]]), seed, most)
        new = ood.draw(others, [recipe.teacher_seed, number], images)
        pictures[number] = np.concatenate([inked, _distort(new, seed + 1, most)])
        pixels = scale(inked)
        answers = [model.predict(pixels, CHUNK, verbose=0) for model in teachers]
        logits[number, :digits] = np.mean(answers, axis=0)
    return SoftTargets(
        pictures.reshape(-1, network.PIXELS), logits.reshape(-1, network.DIGITS)
    )


def _distort(
    images: npt.NDArray[np.uint8], seed: int, most: Distortion
) -> npt.NDArray[np.uint8]:
    """Distort images, a few megabytes at a time."""
    parts = [
        augment.distort(images[start : start + CHUNK], tf.constant([seed, start]), most)
        for start in range(0, len(images), CHUNK)
    ]
    return np.concatenate([np.empty((0, network.PIXELS), np.uint8), *parts])


def fit_student(
    recipe: Best,
    targets: SoftTargets,
    images: npt.NDArray[np.uint8],
    labels: npt.NDArray[np.uint8],
    verbose: int = SILENT,
    work: Path | None = None,
) -> Fitted:
    """Fit the student on soft targets and calibrate it on labelled images, held out."""
    keras.utils.set_random_seed(recipe.seed)
    tf.config.experimental.enable_op_determinism()
    start = time.monotonic()
    steps = len(targets.images) // recipe.passes // recipe.batch_size
    student = network.build()
    student.layers[-1].activation = keras.activations.linear  # logits
    student.compile(
        optimizer=_optimizer(recipe, steps),
        loss=distillation_loss(recipe.temperature),
        metrics=[accuracy],
        steps_per_execution=steps,  # calls from Python take as long as the steps themselves
    )
    made = callbacks.make(work, recipe.learning_rate, recipe.patience)
    certain = CERTAIN * np.eye(network.DIGITS, dtype=np.float32)[labels]
    history = student.fit(
        _pipeline(recipe, targets, steps),
        epochs=recipe.epochs,
        steps_per_epoch=steps,
        shuffle=False,  # the pipeline does
        validation_data=(scale(images), certain),
        validation_batch_size=len(images),
        callbacks=made,
        verbose=verbose,
    )
    model = network.build()
    model.set_weights(student.get_weights())
    calibrated = _calibrate(recipe, model, images, labels)
    curves, epoch = (
        callbacks.curves(history, work),
        callbacks.epoch_of_weights(history, made),
    )
    return Fitted(model, curves, epoch, time.monotonic() - start, calibrated)


def accuracy(wanted: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """Return which answers are as wanted: the likeliest digit, or none above one half."""
    same = tf.argmax(wanted, axis=1) == tf.argmax(logits, axis=1)
    nothing = tf.reduce_all(wanted == 0, axis=1)
    unsure = tf.reduce_max(tf.nn.softmax(logits), axis=1) < 0.5
    return tf.cast(tf.where(nothing, unsure, same), tf.float32)


def distillation_loss(temperature: float) -> Any:
    """Return the loss of Hinton, Vinyals and Dean (2015): of softened probabilities."""

    def loss(wanted: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
        return temperature**2 * tf.nn.softmax_cross_entropy_with_logits(
            tf.nn.softmax(wanted / temperature), logits / temperature
        )

    return loss


def _teacher(
    recipe: Best,
    images: npt.NDArray[np.uint8],
    labels: npt.NDArray[np.uint8],
    drawn: styles.Drawn,
    seed: int,
    verbose: int,
    work: Path | None,
) -> keras.Model:
    """Fit a teacher, or read the one that was fitted before an interruption."""
    kept = work and work / f"teacher-{seed}.keras"
    if kept and kept.exists():
        return keras.models.load_model(kept, compile=False)
    model = teacher.fit(recipe.teacher, images, labels, drawn, seed, verbose)
    if kept:
        partial = kept.with_stem("partial")
        model.save(partial)
        os.replace(partial, kept)
    return model


def _optimizer(recipe: Best, steps: int) -> keras.optimizers.Optimizer:
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


def _pipeline(recipe: Best, targets: SoftTargets, steps: int) -> tf.data.Dataset:
    """Return batches for every epoch, the targets in a new order each time."""
    random = np.random.default_rng(recipe.seed)
    count = recipe.epochs * steps * recipe.batch_size
    turns = -(-count // len(targets.images))
    order = np.concatenate([random.permutation(len(targets.images)) for _ in range(turns)])
    images, logits = tf.constant(targets.images), tf.constant(targets.logits)

    def batch(index: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return tf.cast(tf.gather(images, index), tf.float32) / 255, tf.gather(logits, index)

    return (
        tf.data.Dataset.from_tensor_slices(order[:count])
        .batch(recipe.batch_size)
        .map(batch)
        .prefetch(STEPS_AHEAD)
    )


def _calibrate(
    recipe: Best,
    model: keras.Model,
    images: npt.NDArray[np.uint8],
    labels: npt.NDArray[np.uint8],
) -> dict[str, float]:
    """Calibrate a network in place; return the temperature, the error and thresholds."""
    answers = model.predict(scale(images), CHUNK, verbose=0)
    divisor = calibrate.temperature(answers, labels)
    calibrate.fold(model, divisor)
    answers = model.predict(scale(images), CHUNK, verbose=0)
    return {
        "temperature": divisor,
        "validation_error": calibration.expected_error(answers, labels),
        **calibrate.thresholds(answers, recipe.unsure),
    }
