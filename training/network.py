"""The lesson's network."""

import keras

PIXELS = 784  # 28 × 28, row by row
DIGITS = 10


def build() -> keras.Sequential:
    """Build the network: 784·128+128 + 128·64+64 + 64·10+10 = 109,386 parameters.

    Returns:
        A Keras model, float32 ``[batch, 784]`` (pixels 0 to 1) to ``[batch, 10]``
        (probabilities). Its initial weights follow ``keras.utils.set_random_seed``.
    """
    # Named, because names that Keras numbers would make the same network's ONNX bytes
    # depend on what the process built before.
    return keras.Sequential(
        [
            keras.Input((PIXELS,), name="image"),
            keras.layers.Dense(128, activation="relu", name="hidden_1"),
            keras.layers.Dense(64, activation="relu", name="hidden_2"),
            keras.layers.Dense(DIGITS, activation="softmax", name="probabilities"),
        ],
        name="mnist",
    )
