"""The dialects: bytes to images, probabilities to bytes. No Flask, no sockets.

Each module in this package is one dialect, and has the three functions of `Dialect`.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from service.errors import RequestError
from service.layers import Layer

PIXELS = 784
# On the scale of 0 to 1, half a grey level: with less, an image has no ink. Bytes in the
# wrong order are often read as such numbers.
LEAST_INK = np.float32(0.5 / 255)
Images = npt.NDArray[np.float32]
Pixels = npt.NDArray[np.uint8] | Images
Probabilities = npt.NDArray[np.float32]
# Of a multipart form, the files in it: the server takes it apart.
Body = bytes | Sequence[bytes]

JSON_HEADERS: Mapping[str, str] = {"Content-Type": "application/json"}
RAW_HEADERS: Mapping[str, str] = {"Content-Type": "application/octet-stream"}


class Headers(Protocol):
    """The request's headers, asked for by their names in lower case."""

    def get(self, key: str, default: str, /) -> str:
        """Return a header's value, or the default if there is none."""


class Limits(NamedTuple):
    """How much a request may ask for.

    Attributes:
        images: most images in a request.
        pixels: most pixels of one picture, width × height.
    """

    images: int = 1024
    pixels: int = 4 * 1024 * 1024


class Question(NamedTuple):
    """What one request asks for.

    Attributes:
        pixels: ``[n, 784]``, uint8 from 0 to 255, or float32 from 0 to 1.
        options: what the dialect's own `encode` needs to know.
    """

    pixels: Pixels
    options: Any = None


class Questions(NamedTuple):
    """What requests with the same head ask for.

    Attributes:
        pixels: of all that can be answered, one request's after another's, as above.
        counts: of each of these, the number of images.
        options: of each of these, as above.
        refused: why the others cannot be answered, by their place among all.
    """

    pixels: Pixels
    counts: list[int]
    options: list[Any]
    refused: dict[int, RequestError] = {}

    @classmethod
    def of(cls, decode: Callable[[Body], Question], bodies: Sequence[Body]) -> "Questions":
        """Decode bodies one by one; a fault in one is no other's."""
        found, refused = [], {}
        for place, body in enumerate(bodies):
            try:
                found.append(decode(body))
            except RequestError as error:
                refused[place] = error
        pixels = [question.pixels for question in found]
        counts = [len(images) for images in pixels]
        return cls(join(pixels), counts, [options for _, options in found], refused)

    @property
    def spans(self) -> list[slice]:
        """The rows of ``pixels`` that belong to each request."""
        ends = list(accumulate(self.counts))
        return [slice(end - count, end) for end, count in zip(ends, self.counts)]


class Answer(NamedTuple):
    """What the model says.

    Attributes:
        probabilities: float32 ``[n, 10]``.
        digits: of each image, the digit with the highest probability.
        unsure: of each image, whether that is a guess; None if the model cannot tell.
        layers: the model's own; None if it has layers that are not dense.
    """

    probabilities: Probabilities
    digits: list[int]
    unsure: list[bool] | None = None
    layers: Sequence[Layer] | None = None

    @classmethod
    def of(cls, probabilities: Probabilities) -> "Answer":
        """Take the digits from the probabilities."""
        return cls(probabilities, probabilities.argmax(axis=1).tolist())


class Reply(NamedTuple):
    """A reply of status 200; replies with the same headers may share one mapping."""

    body: bytes
    headers: Mapping[str, str] = JSON_HEADERS


class Dialect(Protocol):
    """The three functions of a dialect's module, and its name in the metrics."""

    NAME: str

    def read_head(self, headers: Headers, parameters: Mapping[str, str]) -> Any:
        """Return what a head asks for, which any request with that head shares.

        Args:
            headers: the request's headers.
            parameters: those of the query string.
        """

    def decode(self, asked: Any, bodies: Sequence[Body], limits: Limits) -> Questions:
        """Read the bodies of requests that are answered together.

        Args:
            asked: what `read_head` returned for all of them.
            bodies: the complete bodies.
            limits: how much to accept.
        """

    def encode(
        self, questions: Questions, answer: Answer, name: str, version: int
    ) -> list[Reply]:
        """Write the replies.

        Args:
            questions: what `decode` returned.
            answer: to all of them, row by row.
            name: the model's.
            version: the model's.
        """


def check_count(count: int, max_images: int) -> None:
    """Refuse no images (422) and too many (413)."""
    if count == 0:
        raise RequestError(422, f"found 0 images, expected 1 to {max_images}")
    if count > max_images:
        raise RequestError(413, f"found {count} images, expected at most {max_images}")


def blanks(pixels: Pixels) -> npt.NDArray[np.bool_]:
    """Tell of each image whether it has one grey level only, bool ``[n]``."""
    step = 0 if pixels.dtype == np.uint8 else LEAST_INK
    # The ufuncs themselves: the array's methods cost more than the work on one image.
    blank: npt.NDArray[np.bool_]
    blank = np.maximum.reduce(pixels, axis=1) - pixels[:, 0] <= step
    # The corner of a digit is not its brightest pixel, so this is nearly always all.
    if np.count_nonzero(blank):
        blank &= pixels[:, 0] - np.minimum.reduce(pixels, axis=1) <= step
    return blank


def scale(pixels: Pixels) -> Images:
    """Bring pixels to 0 to 1 as training does, to the bit (``training.data.scale``)."""
    images = pixels.astype(np.float32, copy=False)
    if pixels.dtype == np.uint8:
        images /= np.float32(255)
    return images


def join(parts: Sequence[Pixels]) -> Pixels:
    """Put images, ``[n, 784]`` each, below one another; mixed ones become float32."""
    if len(parts) == 1:
        return parts[0]
    if not parts:
        return np.zeros((0, PIXELS), np.uint8)
    if len({images.dtype for images in parts}) > 1:
        parts = [scale(images) for images in parts]
    return np.concatenate(parts)  # type: ignore[return-value]
