"""Which digits are taken for which."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

DIGITS = 10

Counts = npt.NDArray[np.int64]


class Score(NamedTuple):
    """A digit's scores, each 0 where it is not defined.

    Attributes:
        images: how many images have the digit as their label.
        precision: of the images read as the digit, the fraction that is it.
        recall: of the images of the digit, the fraction read as it; its accuracy.
        f1: the harmonic mean of the two.
    """

    images: int
    precision: float
    recall: float
    f1: float


class Pair(NamedTuple):
    """How many images of one digit were read as another one."""

    label: int
    digit: int
    images: int


def matrix(labels: npt.NDArray[np.integer], digits: npt.NDArray[np.integer]) -> Counts:
    """Count images by label (row) and predicted digit (column): int64 ``[10, 10]``."""
    cells = DIGITS * labels.astype(np.int64) + digits
    return np.bincount(cells, minlength=DIGITS**2).reshape(DIGITS, DIGITS)


def scores(counts: Counts) -> list[Score]:
    """Return each digit's scores from the matrix."""
    found = []
    for digit in range(DIGITS):
        right = int(counts[digit, digit])
        images, read = int(counts[digit].sum()), int(counts[:, digit].sum())
        found.append(
            Score(
                images,
                precision=right / read if read else 0.0,
                recall=right / images if images else 0.0,
                f1=2 * right / (images + read) if images + read else 0.0,
            )
        )
    return found


def most_confused(counts: Counts, most: int = 10) -> list[Pair]:
    """Return the pairs with the most images, most first; pairs of none are left out."""
    pairs = [
        Pair(label, digit, int(counts[label, digit]))
        for label in range(DIGITS)
        for digit in range(DIGITS)
        if label != digit and counts[label, digit]
    ]
    return sorted(pairs, key=lambda pair: -pair.images)[:most]
