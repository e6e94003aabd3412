"""The teacher: a convolutional network whose answers are the student's soft targets."""

from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from training import callbacks
from training.best.augment import SIDE, distort
from training.network import DIGITS
from training.recipes import Teacher


def build() -> keras.Model:
    """Build three convolutions and a hidden layer, 497,000 parameters.

    Returns:
        A Keras model, float32 ``[batch, 784]`` (pixels 0 to 1) to logits ``[batch, 10]``.
    """
    layers: list[keras.Layer] = [
        keras.Input((SIDE * SIDE,), name="image"),
        keras.layers.Reshape((SIDE, SIDE, 1)),
        *_convolution(24, "valid"),
        keras.layers.MaxPooling2D(),
        *_convolution(48, "same"),
        keras.layers.MaxPooling2D(),
        *_convolution(96, "same"),
        keras.layers.Flatten(),
        keras.layers.Dropout(0.2),
        keras.layers.Dense(128),
        keras.layers.BatchNormalization(),
        keras.layers.ReLU(),
        keras.layers.Dense(DIGITS, name="logits"),
    ]
    return keras.Sequential(layers, name="teacher")


def _convolution(filters: int, padding: str) -> list[keras.Layer]:
    return [
        keras.layers.Conv2D(filters, 3, padding=padding),
        keras.layers.BatchNormalization(),
        keras.layers.ReLU(),
    ]


def fit(
    recipe: Teacher,
    images: npt.NDArray[np.uint8],
    labels: npt.NDArray[np.uint8],
    seed: int,
    verbose: int = 0,
) -> keras.Model:
    """Fit a teacher on distorted images; the same seed gives the same weights.

    Args:
        recipe: the hyperparameters.
        images: uint8 ``[n, 784]``, 0 to 255.
        labels: uint8 ``[n]``, 0 to 9.
        seed: of weights, order and distortion.
        verbose: Keras's: 0 for silence, 1 for a bar, 2 for a line per epoch.

    Raises:
        FitError: the loss is not finite.
    """
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()
    steps = len(images) // recipe.batch_size
    model = build()
    model.compile(
        optimizer=keras.optimizers.AdamW(
            rise_and_fall(recipe.learning_rate, steps, recipe.epochs),
            weight_decay=recipe.weight_decay,
        ),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    model.fit(
        _pipeline(recipe, images, labels, seed),
        epochs=recipe.epochs,
        steps_per_epoch=steps,
        shuffle=False,  # the pipeline does
        callbacks=callbacks.make(None, recipe.learning_rate, patience=0),
        verbose=verbose,
    )
    return model


def rise_and_fall(peak: float, steps: int, epochs: int) -> Any:
    """Return a rate that rises through one epoch's steps, then falls along a cosine."""
    # Not from 0, which Keras takes for no warm-up.
    return keras.optimizers.schedules.CosineDecay(
        peak / 1000, steps * max(epochs - 1, 1), warmup_target=peak, warmup_steps=steps
    )


def _pipeline(
    recipe: Teacher,
    images: npt.NDArray[np.uint8],
    labels: npt.NDArray[np.uint8],
    seed: int,
) -> tf.data.Dataset:
    """Return batches for every epoch: float32 ``[batch, 784]`` and their labels."""
    random = np.random.default_rng(seed)
    order = [random.permutation(len(images)) for _ in range(recipe.epochs)]
    every_image, every_label = tf.constant(images), tf.constant(labels)

    def batch(step: tf.Tensor, index: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        chance = tf.stack([seed, tf.cast(step, tf.int32)])
        drawn = distort(tf.gather(every_image, index), chance, recipe.distortion)
        return tf.cast(drawn, tf.float32) / 255, tf.gather(every_label, index)

    return (
        tf.data.Dataset.from_tensor_slices(np.concatenate(order))
        .batch(recipe.batch_size, drop_remainder=True)
        .enumerate()
        .map(batch, num_parallel_calls=1, deterministic=True)
        .prefetch(4)
    )
