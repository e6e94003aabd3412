"""The dialects: bytes to images, probabilities to bytes. No Flask, no sockets.

Each module in this package is one dialect, and has the two functions of `Dialect`.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from service.errors import RequestError

PIXELS = 784
Images = npt.NDArray[np.float32]
Pixels = npt.NDArray[np.uint8] | Images
Probabilities = npt.NDArray[np.float32]


class Headers(Protocol):
    """The request's headers, asked for by their names in lower case."""

    def get(self, key: str, default: str, /) -> str:
        """Return a header's value, or the default if there is none."""


class Request(NamedTuple):
    """What a dialect sees of an HTTP request.

    Attributes:
        body: the complete body.
        headers: the request's headers.
        parameters: the query string's parameters.
        files: the pictures of a multipart form, which the server takes apart.
    """

    body: bytes
    headers: Headers
    parameters: Mapping[str, str]
    files: Sequence[bytes] = ()


class Limits(NamedTuple):
    """How much a request may ask for.

    Attributes:
        images: most images in a request.
        pixels: most pixels of one picture, width × height.
    """

    images: int = 1024
    pixels: int = 4 * 1024 * 1024


class Question(NamedTuple):
    """What a request asks for.

    Attributes:
        pixels: ``[n, 784]``, uint8 from 0 to 255, or float32 from 0 to 1.
        options: what the dialect's own `encode` needs to know.
    """

    pixels: Pixels
    options: Any = None

    @property
    def images(self) -> Images:
        """The model's own input: float32 ``[n, 784]``, 0 to 1."""
        return scale(self.pixels)


class Answer(NamedTuple):
    """What the model says.

    Attributes:
        probabilities: float32 ``[n, 10]``.
        digits: of each image, the digit with the highest probability.
    """

    probabilities: Probabilities
    digits: list[int]

    @classmethod
    def of(cls, probabilities: Probabilities) -> "Answer":
        """Take the digits from the probabilities."""
        return cls(probabilities, probabilities.argmax(axis=1).tolist())


class Reply(NamedTuple):
    """A reply of status 200."""

    body: bytes
    content_type: str = "application/json"
    headers: Mapping[str, str] = {}


class Dialect(Protocol):
    """The two functions of a dialect's module."""

    def decode(self, request: Request, limits: Limits) -> Question:
        """Read a request, or raise RequestError."""

    def encode(self, question: Question, answer: Answer, name: str, version: int) -> Reply:
        """Write the reply."""


def check_count(count: int, max_images: int) -> None:
    """Refuse no images (422) and too many (413)."""
    if count == 0:
        raise RequestError(422, f"found 0 images, expected 1 to {max_images}")
    if count > max_images:
        raise RequestError(413, f"found {count} images, expected at most {max_images}")


def blanks(pixels: Pixels) -> npt.NDArray[np.bool_]:
    """Tell of each image whether it has one grey level only, bool ``[n]``."""
    # The ufuncs themselves: the array's methods cost more than the work on one image.
    blank: npt.NDArray[np.bool_]
    blank = np.maximum.reduce(pixels, axis=1) == pixels[:, 0]
    # The corner of a digit is not its brightest pixel, so this is nearly always all.
    if np.count_nonzero(blank):
        blank &= np.minimum.reduce(pixels, axis=1) == pixels[:, 0]
    return blank


def scale(pixels: Pixels) -> Images:
    """Bring pixels to 0 to 1 as training does, to the bit (``training.data.scale``)."""
    images = pixels.astype(np.float32, copy=False)
    if pixels.dtype == np.uint8:
        images /= np.float32(255)
    return images
