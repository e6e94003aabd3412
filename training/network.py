"""The lesson's network."""

from collections.abc import Sequence

import keras

PIXELS = 784  # 28 × 28, row by row
DIGITS = 10


def build(hidden: Sequence[int] = (128, 64), output: str = "softmax") -> keras.Model:
    """Build the network: ReLU layers of the given widths, then softmax over the digits.

    With the default widths it has 784·128+128 + 128·64+64 + 64·10+10 = 109,386 parameters.

    Args:
        hidden: the widths.
        output: the last layer's activation; with "linear" the network gives the logits
            that softmax turns into probabilities.

    Returns:
        A Keras model, float32 ``[batch, 784]`` (pixels 0 to 1) to ``[batch, 10]``
        (probabilities). Its initial weights follow ``keras.utils.set_random_seed``.
    """
    layers: list[keras.Layer] = [keras.Input((PIXELS,), name="image")]
    # Named, because names that Keras counts up would make the same network's ONNX
    # bytes depend on what the process built before.
    layers += [
        keras.layers.Dense(width, activation="relu", name=f"hidden_{number}")
        for number, width in enumerate(hidden, start=1)
    ]
    layers += [keras.layers.Dense(DIGITS, activation=output, name="probabilities")]
    return keras.Sequential(layers, name="mnist")
