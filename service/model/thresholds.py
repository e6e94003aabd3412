"""When an answer is a guess, by what training measured of a version."""

from collections.abc import Sequence
from math import prod
from typing import Self

import numpy as np
import numpy.typing as npt

DIGITS = 10


class Thresholds:
    """Tells which answers are guesses.

    A digit is a guess if its confidence is low, and also if no other digit is ruled out. A
    network that is sure leaves most other digits a millionth or less; of a picture that
    shows no digit, it was trained to leave each a tenth. The geometric mean of the ten
    probabilities tells one from the other, even where one digit leads.

    Args:
        below: confidence below which a digit is a guess.
        above: geometric mean of the ten probabilities above which it is one, too.
    """

    def __init__(self, below: float = 0, above: float = 1) -> None:
        # As ONNX Runtime's float32, so that NumPy and Python compare alike.
        self._below = float(np.float32(below))
        self._product = float(above) ** DIGITS

    @classmethod
    def measured(cls, below: float | None, above: float | None) -> Self | None:
        """Return the thresholds of a manifest; None if it has none."""
        if below is above is None:
            return None
        return cls(0 if below is None else below, 1 if above is None else above)

    def guess(self, row: Sequence[float], confidence: float) -> bool:
        """Return whether an answer, ten probabilities, is a guess."""
        return confidence < self._below or prod(row) > self._product

    def guesses(
        self, probabilities: npt.NDArray[np.float32], confidence: npt.NDArray[np.float32]
    ) -> npt.NDArray[np.bool_]:
        """Return which answers are guesses.

        Args:
            probabilities: float32 ``[n, 10]``.
            confidence: the largest of each, float32 ``[n]``.
        """
        # In float64, where ten probabilities of 1e-30 are still above 0.
        products = probabilities.prod(axis=1, dtype=np.float64)
        return np.asarray((confidence < self._below) | (products > self._product))
