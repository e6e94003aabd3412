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
        images: float32 ``[n, 784]``, pixels 0 to 1.
        options: what the dialect's own `encode` needs to know.
    """

    images: Images
    options: Any = None


class Reply(NamedTuple):
    """A reply of status 200."""

    body: bytes
    content_type: str = "application/json"
    headers: Mapping[str, str] = {}


class Dialect(Protocol):
    """The two functions of a dialect's module."""

    def decode(self, request: Request, limits: Limits) -> Question:
        """Read a request, or raise RequestError."""

    def encode(
        self, question: Question, probabilities: Probabilities, name: str, version: int
    ) -> Reply:
        """Write the reply for probabilities float32 ``[n, 10]``."""


def check_count(count: int, max_images: int) -> None:
    """Refuse no images (422) and too many (413)."""
    if count == 0:
        raise RequestError(422, f"found 0 images, expected 1 to {max_images}")
    if count > max_images:
        raise RequestError(413, f"found {count} images, expected at most {max_images}")


def check_ink(pixels: npt.NDArray[Any]) -> None:
    """Refuse an image of one grey level (422): a blank is not a digit."""
    blank = pixels.max(axis=1) == pixels.min(axis=1)
    if blank.any():
        index = int(blank.argmax())
        raise RequestError(
            422,
            f"image {index} has no ink: every pixel is {pixels[index, 0]:g}, expected a "
            "digit, white on black",
        )


def from_bytes(pixels: npt.NDArray[np.uint8]) -> Images:
    """Scale bytes 0 to 255 as training does, to the bit (``training.data.scale``)."""
    return pixels.astype(np.float32) / np.float32(255)
