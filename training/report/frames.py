"""The way of a picture through the service, for the report.

This is the one module of ``training`` that knows the service: what a user's picture goes
through before the network sees it is the service's own code, and not a copy of it.
"""

from collections.abc import Iterable, Sequence
from io import BytesIO
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from service import images, pictures
from service.errors import RequestError

PIXELS = 28 * 28  # of the frame

Picture = npt.NDArray[np.uint8]


class Framed(NamedTuple):
    """What the network sees of pictures.

    Attributes:
        frames: uint8 ``[n, 784]``; all zero where the picture was refused.
        refused: whether the service refuses the picture, ``[n]``.
    """

    frames: npt.NDArray[np.uint8]
    refused: npt.NDArray[np.bool_]


def draw(strokes: Iterable[npt.NDArray[np.floating]], pen: float) -> Picture:
    """Draw with the service's pen.

    Args:
        strokes: points (x, y) in the unit square, ``[points, 2]`` each; y down.
        pen: width of the pen as a fraction of the picture.

    Returns:
        uint8 ``[112, 112]``, white on black.
    """
    ink = images.draw((stroke.tolist() for stroke in strokes), pen=pen)
    levels: Picture = np.rint(255 * ink).astype(np.uint8)
    return levels


def through_service(drawn: Sequence[Picture]) -> Framed:
    """Write each picture as a PNG and read that as the service does.

    Args:
        drawn: each uint8 ``[height, width]``.
    """
    frames = np.zeros((len(drawn), PIXELS), np.uint8)
    refused = np.zeros(len(drawn), np.bool_)
    for i, picture in enumerate(drawn):
        try:
            frames[i] = pictures.decode(_png(picture), picture.size)
        except RequestError:
            refused[i] = True
    return Framed(frames, refused)


def _png(picture: Picture) -> bytes:
    file = BytesIO()
    Image.fromarray(picture).save(file, "PNG", compress_level=1)
    return file.getvalue()
