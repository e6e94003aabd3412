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
from service.pictures.decode import decode

Picture = npt.NDArray[np.uint8]


class Framed(NamedTuple):
    """Pictures as the network sees them.

    Attributes:
        frames: uint8 ``[n, 784]``; all zero where the service refused the picture.
        refused: whether the service refused the picture, bool ``[n]``.
    """

    frames: npt.NDArray[np.uint8]
    refused: npt.NDArray[np.bool_]


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


def through_service(drawn: Sequence[Picture]) -> Framed:
    """Encode each picture as PNG and decode it as the service does.

    Args:
        drawn: each uint8 ``[height, width]``.
    """
    frames = np.zeros((len(drawn), frame.PIXELS), np.uint8)
    refused = np.zeros(len(drawn), np.bool_)
    for i, picture in enumerate(drawn):
        try:
            frames[i] = decode(_png(picture), picture.size)
        except RequestError:
            refused[i] = True
    return Framed(frames, refused)


def _png(picture: Picture) -> bytes:
    file = BytesIO()
    Image.fromarray(picture).save(file, "PNG", compress_level=1)
    return file.getvalue()
