"""Fit the lesson's network by the lesson's recipe."""

import time
from dataclasses import dataclass, field
from pathlib import Path

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from training import callbacks, network
from training.data import scale
from training.recipes import Lesson

# Progress bar on a terminal, one line per epoch elsewhere (Keras's own numbers).
BAR, LINES, SILENT = 1, 2, 0

METHOD = {
    "activation": "relu",
    "output_activation": "softmax",
    "optimizer": "adam",
    "loss": "sparse_categorical_crossentropy",
}


@dataclass(frozen=True)
class Fitted:
    """A fitted network.

    Attributes:
        network: the Keras model.
        history: its learning curves, a value per epoch.
        epoch: whose weights these are, counted from 1.
        seconds: how long it took.
        calibration: what was done to its confidence, if anything.
    """

    network: keras.Model
    history: dict[str, list[float]]
    epoch: int
    seconds: float
    calibration: dict[str, float] = field(default_factory=dict)


def fit(
    recipe: Lesson,
    images: npt.NDArray[np.uint8],
    labels: npt.NDArray[np.uint8],
    verbose: int = SILENT,
    work: Path | None = None,
) -> Fitted:
    """Fit the network: Adam, sparse categorical cross-entropy, accuracy.

    Seeded, and with deterministic operations: the same recipe on the same data, machine
    and library versions gives the same weights to the bit. Keras holds out the last
    ``validation_split`` of the images before it shuffles.

    Args:
        recipe: the hyperparameters.
        images: uint8 ``[n, 784]``, 0 to 255.
        labels: uint8 ``[n]``, 0 to 9.
        verbose: ``BAR``, ``LINES`` or ``SILENT``.
        work: folder for the logs and the checkpoint, from which an interrupted fit
            continues: from the same weights, but in another order of the images.

    Raises:
        FitError: the loss is not finite.
    """
    keras.utils.set_random_seed(recipe.seed)
    tf.config.experimental.enable_op_determinism()
    model = network.build()
    model.compile(
        optimizer=keras.optimizers.Adam(recipe.learning_rate),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    made = callbacks.make(work, recipe.learning_rate, recipe.patience)
    start = time.monotonic()
    history = model.fit(
        scale(images),
        labels,
        epochs=recipe.epochs,
        batch_size=recipe.batch_size,
        validation_split=recipe.validation_split,
        callbacks=made,
        verbose=verbose,
    )
    curves, epoch = (
        callbacks.curves(history, work),
        callbacks.epoch_of_weights(history, made),
    )
    return Fitted(model, curves, epoch, time.monotonic() - start)
