"""How far confidence can be trusted."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

SMALLEST = 1e-30  # kept finite; a float32 softmax gives down to 1e-45
BINS = 15  # as Guo and others use, whose numbers ours are compared with

Floats = npt.NDArray[np.floating]
Bools = npt.NDArray[np.bool_]


class Bin(NamedTuple):
    """The predictions whose confidence is in (low, high].

    Attributes:
        low: lower end, outside the bin.
        high: upper end, inside the bin.
        images: how many predictions fall in it.
        confidence: their mean confidence; 0 where there are none.
        accuracy: the fraction of them that is right; 0 where there are none.
    """

    low: float
    high: float
    images: int
    confidence: float
    accuracy: float


class Thresholds(NamedTuple):
    """Beyond which answers are guesses, by their names in a manifest.

    Attributes:
        unsure_below: of the confidence.
        no_digit_above: of the geometric mean of the ten probabilities, which is large
            where no digit is ruled out.
    """

    unsure_below: float = 0
    no_digit_above: float = 1

    @classmethod
    def of(cls, manifest: Mapping[str, Any]) -> Self | None:
        """Return those of a manifest; None if it has none."""
        found = {name: manifest[name] for name in cls._fields if name in manifest}
        return cls(**found) if found else None

    def guesses(self, probabilities: Floats) -> Bools:
        """Return which answers are guesses, bool ``[n]``, of probabilities ``[n, 10]``.

        The service marks them in the same way, in its own code.
        """
        logarithms = np.log(np.maximum(probabilities.astype(np.float64), SMALLEST))
        low = probabilities.max(axis=1) < np.float32(self.unsure_below)
        return np.asarray(low | (logarithms.mean(axis=1) > np.log(self.no_digit_above)))


class Kept(NamedTuple):
    """What is left when some predictions are set aside.

    Attributes:
        unsure: the fraction of images that is set aside.
        accuracy: of the others; 1 where there are none.
        mistakes: how many of those are wrong.
        caught: the fraction of all mistakes that is set aside; 1 where there are none.
    """

    unsure: float
    accuracy: float
    mistakes: int
    caught: float


def expected_error(probabilities: Floats, labels: npt.NDArray[np.uint8]) -> float:
    """Return the expected calibration error.

    Answers are put into 15 bins of equal width by their confidence, the largest
    probability; it is the mean over all answers of the difference, in their bin, between
    mean confidence and accuracy.

    Args:
        probabilities: ``[n, 10]``.
        labels: uint8 ``[n]``.
    """
    confidence = probabilities.max(axis=1).astype(np.float64)
    return error(equal_width(confidence, probabilities.argmax(axis=1) == labels))


def equal_width(confidence: Floats, right: Bools, bins: int = BINS) -> list[Bin]:
    """Sort predictions into bins of equal width from 0 to 1.

    Args:
        confidence: the probability of the predicted digit, ``[n]``.
        right: whether the predicted digit is the label, ``[n]``.
        bins: how many.
    """
    return _bins(confidence, right, np.linspace(0, 1, bins + 1))


def equal_mass(confidence: Floats, right: Bools, bins: int = BINS) -> list[Bin]:
    """Sort predictions into bins of equally many, but for ties; fewer where they tie.

    Nguyen and O'Connor, "Posterior calibration and exploratory analysis for natural
    language processing models", EMNLP 2015. Where nearly all confidences are near 1, bins
    of equal width leave nearly all predictions in one of them; these do not.
    """
    ends = np.quantile(confidence, np.linspace(0, 1, bins + 1)[1:])
    return _bins(confidence, right, np.unique([0, *ends]))


def error(bins: Sequence[Bin]) -> float:
    """Return the expected calibration error: the sum of n_b / n · |accuracy - confidence|.

    C. Guo, G. Pleiss, Y. Sun, K. Weinberger: On Calibration of Modern Neural Networks,
    ICML 2017, equation 3.
    """
    images = sum(each.images for each in bins)
    return sum(each.images * abs(each.accuracy - each.confidence) for each in bins) / images


def keep(kept: Bools, right: Bools) -> Kept:
    """Set aside some predictions, and look at the rest.

    Args:
        kept: which are not set aside, ``[n]``.
        right: whether the predicted digit is the label, ``[n]``.
    """
    mistakes = int((~right).sum())
    left = int((~right & kept).sum())
    return Kept(
        unsure=float((~kept).mean()),
        accuracy=1 - left / int(kept.sum()) if kept.any() else 1.0,
        mistakes=left,
        caught=1 - left / mistakes if mistakes else 1.0,
    )


def _bins(confidence: Floats, right: Bools, edges: Floats) -> list[Bin]:
    number = np.digitize(confidence, edges[1:-1], right=True)
    found = []
    for i, (low, high) in enumerate(zip(edges, edges[1:])):
        inside = number == i
        images = int(inside.sum())
        means = (
            (float(confidence[inside].mean()), float(right[inside].mean()))
            if images
            else (0.0, 0.0)
        )
        found.append(Bin(float(low), float(high), images, *means))
    return found
