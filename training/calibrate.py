"""Calibrate a network's confidence, and choose the threshold of unsure answers."""

import keras
import numpy as np
import numpy.typing as npt

from training.calibration import SMALLEST

Probabilities = npt.NDArray[np.float32]
Labels = npt.NDArray[np.uint8]


def temperature(probabilities: Probabilities, labels: Labels) -> float:
    """Find what the logits must be divided by to fit the labels best.

    The temperature that gives the least cross-entropy (Guo and others, "On calibration of
    modern neural networks", 2017), by golden-section search between 0.2 and 5. Logits are
    the logarithms of the probabilities, up to a constant that softmax takes out again.

    Args:
        probabilities: float32 ``[n, 10]``, of images that were not fitted on.
        labels: uint8 ``[n]``.
    """
    logits = np.log(np.maximum(probabilities.astype(np.float64), SMALLEST))

    def loss(logarithm: float) -> float:
        scaled = logits / np.exp(logarithm)
        scaled -= scaled.max(axis=1, keepdims=True)
        of_label = scaled[np.arange(len(labels)), labels]
        return float((np.log(np.exp(scaled).sum(axis=1)) - of_label).mean())

    low, high, part = np.log(0.2), np.log(5), (5**0.5 - 1) / 2
    while high - low > 1e-4:
        left, right = high - part * (high - low), low + part * (high - low)
        low, high = (low, right) if loss(left) < loss(right) else (left, high)
    return float(np.exp((low + high) / 2))


def fold(network: keras.Model, divisor: float) -> None:
    """Divide the logits of a network by a number, in its last layer's weights and bias."""
    last = network.layers[-1]
    last.set_weights([weights / np.float32(divisor) for weights in last.get_weights()])


def thresholds(probabilities: Probabilities, share: float) -> dict[str, float]:
    """Find where answers begin to be guesses, as `service.model.thresholds` marks them.

    Args:
        probabilities: float32 ``[n, 10]``, of images that were not fitted on.
        share: of them that each of the two thresholds is to mark.

    Returns:
        By their names in a manifest, a confidence and a geometric mean, to three digits.
    """
    confidence = probabilities.max(axis=1).astype(np.float64)
    logarithms = np.log(np.maximum(probabilities.astype(np.float64), SMALLEST))
    spread = np.exp(logarithms.mean(axis=1))
    return {
        "unsure_below": float(np.floor(1000 * np.quantile(confidence, share)) / 1000),
        "no_digit_above": float(f"{np.quantile(spread, 1 - share):.3g}"),
    }
