"""The way of a picture through the service, for the report.

This is the one module of ``training`` that knows the service: what a user's picture goes
through before the network sees it is the service's own code, and not a copy of it.
"""

from io import BytesIO
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from service import pictures
from service.errors import RequestError

SIDE = 28  # pixels


class Framed(NamedTuple):
    """What the network sees of pictures.

    Attributes:
        frames: uint8 ``[n, 784]``; all zero where the picture was refused.
        refused: whether the service refuses the picture, ``[n]``.
    """

    frames: npt.NDArray[np.uint8]
    refused: npt.NDArray[np.bool_]


def through_service(images: npt.NDArray[np.uint8]) -> Framed:
    """Write each image as a PNG of 28 × 28 and read that as the service does."""
    frames = np.zeros_like(images)
    refused = np.zeros(len(images), np.bool_)
    for i, image in enumerate(images):
        try:
            frames[i] = pictures.decode(_png(image), SIDE * SIDE)
        except RequestError:
            refused[i] = True
    return Framed(frames, refused)


def _png(image: npt.NDArray[np.uint8]) -> bytes:
    file = BytesIO()
    Image.fromarray(image.reshape(SIDE, SIDE)).save(file, "PNG", compress_level=1)
    return file.getvalue()
