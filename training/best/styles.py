"""Draw digits in styles that MNIST has not, or seldom: as other countries write them."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from training.best import skeletons
from training.best.pen import SIDE, Random, Strokes, by_hand, frame

# Width of the pen, as a fraction of the digit's longer side: MNIST's are 0.1 to 0.15.
PEN = 0.1
THINNEST, THICKEST = 0.045, 0.18


class Drawn(NamedTuple):
    """Drawn digits for each pass over the images of a data set.

    Attributes:
        images: uint8 ``[passes, n, 784]``, framed as the service frames them.
        labels: uint8 ``[passes, n]``.
    """

    images: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.uint8]


def draw(passes: int, count: int, seed: int) -> Drawn:
    """Draw digits of every style, so many for each pass; the same for the same seed."""
    images = np.empty((passes, count, SIDE * SIDE), np.uint8)
    labels = np.empty((passes, count), np.uint8)
    shares = np.array([share for _, share, _ in STYLES.values()])
    for number in range(passes):
        random = np.random.default_rng([seed, number])
        chosen = random.choice(list(STYLES), count, p=shares / shares.sum())
        for place, name in enumerate(chosen):
            images[number, place] = write(name, random).reshape(-1)
            labels[number, place] = STYLES[name][0]
    return Drawn(images, labels)


def write(name: str, random: Random) -> npt.NDArray[np.uint8]:
    """Draw one digit of a style, uint8 ``[28, 28]``."""
    strokes = by_hand(STYLES[name][2](random), random)
    width = np.clip(PEN * np.exp(random.normal(0, 0.35)), THINNEST, THICKEST)
    return frame(strokes, float(width), random)


Style = Callable[[Random], Strokes]
# The digit of each style, and how often it is drawn: oftener where MNIST has none.
STYLES: dict[str, tuple[int, float, Style]] = {
    "1 with a short flag": (1, 4, lambda r: skeletons.one(r, (0.15, 0.45), (0, 0))),
    "1 with a long flag": (1, 6, lambda r: skeletons.one(r, (0.45, 0.95), (0, 0))),
    "1 with flag and foot": (1, 6, lambda r: skeletons.one(r, (0.12, 0.7), (0.2, 0.8))),
    "7 with a bar": (7, 6, lambda r: skeletons.seven(r, True, 0.35)),
    "7 with a serif": (7, 4, lambda r: skeletons.seven(r, False, 1)),
    "9, straight": (9, 3, lambda r: skeletons.nine(r, "straight")),
    "9, hooked": (9, 5, lambda r: skeletons.nine(r, "hooked")),
    "9, S-shaped": (9, 4, lambda r: skeletons.nine(r, "S")),
    "9 like a g": (9, 2.5, lambda r: skeletons.nine(r, "looped")),
    "4, lightning": (4, 5, skeletons.lightning),
    "4, open": (4, 3, skeletons.open_four),
    "4, closed": (4, 3, skeletons.closed_four),
    "2, looped": (2, 3, skeletons.looped_two),
    "2, Z-like": (2, 3, skeletons.zed_two),
    "0, slashed": (0, 3, lambda r: skeletons.zero(r, "slash")),
    "0, dotted": (0, 1, lambda r: skeletons.zero(r, "dot")),
    "0, open": (0, 1.5, lambda r: skeletons.zero(r, "open")),
    "0, looped": (0, 1, lambda r: skeletons.zero(r, "loop")),
    "3, flat": (3, 2.5, lambda r: skeletons.three(r, True)),
    "3, round": (3, 1.5, lambda r: skeletons.three(r, False)),
    "5, hat apart": (5, 2, lambda r: skeletons.five(r, "apart")),
    "5, of one stroke": (5, 1.5, lambda r: skeletons.five(r, "one")),
    "6": (6, 2.5, skeletons.six),
    "8, two rings": (8, 2, lambda r: skeletons.eight(r, True)),
    "8, of one stroke": (8, 1.5, lambda r: skeletons.eight(r, False)),
}
