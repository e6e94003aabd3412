"""Fit the network by a recipe."""

import time
from dataclasses import dataclass, field

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from training import network
from training.data import scale

# Progress bar on a terminal, one line an epoch elsewhere (Keras's own numbers).
BAR, LINES, SILENT = 1, 2, 0

METHOD = {
    "activation": "relu",
    "output_activation": "softmax",
    "optimizer": "adam",
    "loss": "sparse_categorical_crossentropy",
}


@dataclass(frozen=True)
class Recipe:
    """Every number of a training. The defaults are the lesson's.

    Adam's rate is Keras's default, 0.001 (Kingma and Ba, 2014), as the lesson compiles
    with ``optimizer="adam"``.
    """

    name: str = "lesson"
    hidden: tuple[int, ...] = (128, 64)
    epochs: int = 10
    batch_size: int = 32
    validation_split: float = 0.2
    learning_rate: float = 0.001
    seed: int = 1


@dataclass(frozen=True)
class Fitted:
    """A fitted network, its learning curves (a value an epoch) and the time it took.

    ``calibration`` says what was done to its confidence, if anything.
    """

    network: keras.Model
    history: dict[str, list[float]]
    seconds: float
    calibration: dict[str, float] = field(default_factory=dict)


def fit(
    recipe: Recipe,
    images: npt.NDArray[np.uint8],
    labels: npt.NDArray[np.uint8],
    verbose: int = SILENT,
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
    """
    keras.utils.set_random_seed(recipe.seed)
    tf.config.experimental.enable_op_determinism()
    model = network.build(recipe.hidden)
    model.compile(
        optimizer=keras.optimizers.Adam(recipe.learning_rate),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    start = time.monotonic()
    history = model.fit(
        scale(images),
        labels,
        epochs=recipe.epochs,
        batch_size=recipe.batch_size,
        validation_split=recipe.validation_split,
        verbose=verbose,
    )
    curves = {name: [float(v) for v in values] for name, values in history.history.items()}
    return Fitted(model, curves, time.monotonic() - start)
