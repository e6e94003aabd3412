"""The lesson's network with scikit-learn's interface, for pixels and for tables."""

import pickle

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from training.recipes import Lesson

# Steps between two returns to Python: the same weights to the bit, in less than half the
# time.
STEPS = 32


class Network:
    """Dense(128, relu), Dense(64, relu), softmax; fitted as ``training.fit`` does.

    Args:
        epochs: passes over the training set.
        seed: of the weights and of the order of the images.
        validation_split: the fraction at the end that is held out, and not fitted on.
    """

    def __init__(self, epochs: int, seed: int, validation_split: float = 0.0) -> None:
        self.recipe = Lesson(epochs=epochs, seed=seed, validation_split=validation_split)
        self.model: keras.Model | None = None

    def fit(self, x: npt.NDArray[np.floating], y: npt.NDArray[np.integer]) -> "Network":
        """Fit on ``[n, features]`` and labels ``[n]`` from 0 up, all of which occur."""
        # It warns that each new network is traced anew, which is what is wanted here.
        tf.get_logger().setLevel("ERROR")
        recipe = self.recipe
        keras.utils.set_random_seed(recipe.seed)
        tf.config.experimental.enable_op_determinism()
        layers = [keras.Input((x.shape[1],))]
        layers += [keras.layers.Dense(width, activation="relu") for width in (128, 64)]
        layers += [keras.layers.Dense(int(y.max()) + 1, activation="softmax")]
        self.model = keras.Sequential(layers)
        self.model.compile(
            optimizer=keras.optimizers.Adam(recipe.learning_rate),
            loss="sparse_categorical_crossentropy",
            metrics=["accuracy"],
            steps_per_execution=STEPS,
        )
        self.model.fit(
            x,
            y,
            epochs=recipe.epochs,
            batch_size=recipe.batch_size,
            validation_split=recipe.validation_split,
            verbose=0,
        )
        return self

    def predict(self, x: npt.NDArray[np.floating]) -> npt.NDArray[np.integer]:
        """Return the most probable label of each row."""
        assert self.model is not None, "fit comes before predict"
        labels: npt.NDArray[np.integer] = self.model.predict(
            x, batch_size=1000, verbose=0
        ).argmax(1)
        return labels

    def __getstate__(self) -> bytes:
        """Keep the weights: what it takes to predict."""
        return pickle.dumps(self.model.get_weights() if self.model else None)
