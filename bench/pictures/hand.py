"""The ink of a digit, at any size: by a hand of MNIST's test set, or a drawing."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from service.model import digits
from service.pictures.frame import draw
from training import data

Ink = npt.NDArray[np.floating]
_DRAWINGS = json.loads(Path(digits.__file__).with_suffix(".json").read_bytes())["digits"]
# Every fourth picture is drawn: 30 drawings, against 10,000 images.
EVERY = 4
BODY = 0.7  # of the side, height of a drawn digit


class Hand(NamedTuple):
    """A digit to show.

    Attributes:
        label: the digit.
        image: grey levels, white on black, uint8 ``[28, 28]``; None for the drawing.
        strokes: a drawing of the digit: polylines in the unit square.
    """

    label: int
    image: npt.NDArray[np.uint8] | None
    strokes: list[list[list[float]]]

    def ink(self, side: int, pen: float = 0.1) -> Ink:
        """Return the ink, 0 to 1, float32 ``[height, width]``, cut to its box.

        Args:
            side: height or width of the box in pixels, whichever is longer.
            pen: width of the drawing's pen, as a fraction of the side; MNIST's pens are
                as they are.
        """
        if self.image is None:
            return self.drawn(side, pen)
        box = self.image[
            np.ix_(_span(self.image.any(axis=1)), _span(self.image.any(axis=0)))
        ]
        # Enlarged smoothly, with edges about a tenth of the pen's width.
        size = [max(1, round(n * side / max(box.shape))) for n in box.shape[::-1]]
        grown = Image.fromarray(box).resize((size[0], size[1]), Image.Resampling.BICUBIC)
        levels = np.asarray(grown, np.float32) / 255
        return _fitted(np.clip((levels - 0.4) * 3 + 0.5, 0, 1), side)

    def drawn(self, side: int, pen: float) -> Ink:
        """Return the ink of the drawing, as `ink` does."""
        return _fitted(draw(self.strokes, side=round(side / BODY), pen=pen * BODY), side)


def hands(count: int, start: int = 0) -> list[Hand]:
    """Return hands of MNIST's test set, a quarter drawings; ``start`` chooses others."""
    test = data.load(download=False)
    drawings: dict[int, list[Any]] = {}
    for each in _DRAWINGS:
        drawings.setdefault(each["label"], []).append(each["strokes"])
    found = []
    for number in range(start, start + count):
        # 2,503 is prime: all the set is gone through before an image comes again.
        place = number * 2503 % len(test.x_test)
        label, image = int(test.y_test[place]), test.x_test[place].reshape(28, 28)
        strokes = drawings[label][number % len(drawings[label])]
        found.append(Hand(label, None if number % EVERY == 0 else image, strokes))
    return found


def _fitted(ink: Ink, side: int) -> Ink:
    """Cut ink to its box, and scale that to a side."""
    inked = ink > 0.1
    box = ink[np.ix_(_span(inked.any(axis=1)), _span(inked.any(axis=0)))]
    size = [max(1, round(n * side / max(box.shape))) for n in box.shape[::-1]]
    fitted = Image.fromarray(box).resize((size[0], size[1]), Image.Resampling.BILINEAR)
    return np.asarray(fitted, np.float32)


def _span(used: Any) -> npt.NDArray[np.intp]:
    places = np.flatnonzero(used)
    return np.arange(places[0], places[-1] + 1)
