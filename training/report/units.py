"""What the hidden units do."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from training.data import scale
from training.reference import Array, Layer, relu

CHUNK = 10_000  # images at once: 30 MB of pixels


class Activity(NamedTuple):
    """A hidden layer over a set of images.

    Attributes:
        active: for each unit, the fraction of images at which it is above 0.
        dead: the units that are above 0 at none of them.
    """

    active: npt.NDArray[np.floating]
    dead: list[int]


def activity(layers: list[Layer], images: npt.NDArray[np.uint8]) -> list[Activity]:
    """Return the activity of each hidden layer over images (uint8 ``[n, 784]``).

    A ReLU unit that is 0 at every training image has no gradient at any of them, so no more
    training can bring it back: it is dead.
    """
    counts = [np.zeros(len(layer.biases), np.int64) for layer in layers[:-1]]
    for start in range(0, len(images), CHUNK):
        values: Array = scale(images[start : start + CHUNK])
        for layer, count in zip(layers, counts):
            values = relu(values @ layer.weights + layer.biases)
            count += (values > 0).sum(axis=0)
    return [
        Activity(count / len(images), np.flatnonzero(count == 0).tolist())
        for count in counts
    ]
