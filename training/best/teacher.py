"""The teacher: a convolutional network whose answers are the student's soft targets."""

from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from training import callbacks
from training.best.augment import SIDE, distort
from training.best.styles import Drawn
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
    drawn: Drawn,
    seed: int,
    verbose: int = 0,
) -> keras.Model:
    """Fit a teacher on distorted images and drawings; the same seed, the same weights.

    Args:
        recipe: the hyperparameters.
        images: uint8 ``[n, 784]``, 0 to 255.
        labels: uint8 ``[n]``, 0 to 9.
        drawn: each epoch has those of the next pass among its images.
        seed: of weights, order and distortion.
        verbose: Keras's: 0 for silence, 1 for a bar, 2 for a line per epoch.

    Raises:
        FitError: the loss is not finite.
    """
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()
    steps = (len(images) + drawn.images.shape[1]) // recipe.batch_size
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
        _pipeline(recipe, images, labels, drawn, seed),
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
    drawn: Drawn,
    seed: int,
) -> tf.data.Dataset:
    """Return batches for every epoch: float32 ``[batch, 784]`` and their labels."""
    random = np.random.default_rng(seed)
    passes, added, pixels = drawn.images.shape
    count = len(images)
    every_image = tf.constant(np.concatenate([images, drawn.images.reshape(-1, pixels)]))
    every_label = tf.constant(np.concatenate([labels, drawn.labels.reshape(-1)]))

    def batch(step: tf.Tensor, index: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        chance = tf.stack([seed, tf.cast(step, tf.int32)])
        distorted = distort(tf.gather(every_image, index), chance, recipe.distortion)
        return tf.cast(distorted, tf.float32) / 255, tf.gather(every_label, index)

    def order(epoch: int) -> npt.NDArray[np.int64]:
        index = random.permutation(count + added)
        index[index >= count] += epoch % passes * added
        return index[: len(index) // recipe.batch_size * recipe.batch_size]

    return (
        tf.data.Dataset.from_tensor_slices(
            np.concatenate([order(epoch) for epoch in range(recipe.epochs)])
        )
        .batch(recipe.batch_size)
        .enumerate()
        .map(batch, num_parallel_calls=1, deterministic=True)
        .prefetch(4)
    )
