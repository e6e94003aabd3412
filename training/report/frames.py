"""Pass pictures through the service's decoder, for the report.

So it measures the preprocessing that users' pictures go through, and not a copy of it.
"""

from collections.abc import Iterable, Sequence
from io import BytesIO
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from service.errors import RequestError
from service.pictures import frame
from service.pictures.decode import decode_digits

Picture = npt.NDArray[np.uint8]
LENGTH = 0.7  # of the picture's width, without the pen: a digit as large as most draw one


class Framed(NamedTuple):
    """Pictures as the network sees them.

    Attributes:
        frames: uint8 ``[n, 784]``; all zero where the service refused the picture.
        refused: whether the service refused the picture, bool ``[n]``.
        several: whether it found several digits, and so is unsure, bool ``[n]``.
    """

    frames: npt.NDArray[np.uint8]
    refused: npt.NDArray[np.bool_]
    several: npt.NDArray[np.bool_]


def draw(strokes: Iterable[npt.NDArray[np.floating]], pen: float) -> Picture:
    """Draw with the service's pen.

    Args:
        strokes: points (x, y) in the unit square, y down, each ``[points, 2]``.
        pen: pen width as a fraction of the picture's side.

    Returns:
        uint8 ``[112, 112]``, white on black.
    """
    ink = frame.draw((stroke.tolist() for stroke in strokes), pen=pen)
    levels: Picture = np.rint(255 * ink).astype(np.uint8)
    return levels


def picture(strokes: Sequence[npt.NDArray[np.floating]], pen: float) -> Picture:
    """Draw strokes with the service's pen, in the middle of a picture of 112 × 112."""
    points = np.concatenate(strokes)
    low, high = points.min(axis=0), points.max(axis=0)
    factor = LENGTH / (high - low).max()
    placed = [(line - (low + high) / 2) * factor + 0.5 for line in strokes]
    return draw(placed, pen)


def through_service(drawn: Sequence[Picture]) -> Framed:
    """Encode each picture as PNG and decode it as the service does.

    Args:
        drawn: each uint8 ``[height, width]``.
    """
    frames = np.zeros((len(drawn), frame.PIXELS), np.uint8)
    refused, several = np.zeros((2, len(drawn)), np.bool_)
    for i, picture in enumerate(drawn):
        try:
            frames[i], several[i] = decode_digits(_png(picture), picture.size)
        except RequestError:
            refused[i] = True
    return Framed(frames, refused, several)


def _png(picture: Picture) -> bytes:
    file = BytesIO()
    Image.fromarray(picture).save(file, "PNG", compress_level=1)
    return file.getvalue()
