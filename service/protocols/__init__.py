"""Dialects: request bodies to pixels, predictions to reply bodies.

Only bytes and arrays go in and out: nothing here knows a server, the model or metrics.
Requests whose heads ask for the same are decoded and encoded as one batch, and a fault in
one body refuses only that request. A dialect is a module with the members of `Dialect`.

    predict, explain, tfserving, oip, invocations    the dialects
    instances, tensors               images in JSON, input tensors: values to pixels
    integers                         fast path for JSON of integers
    json_body, forms, compression    JSON, multipart forms and compressed bodies
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from math import inf
from time import perf_counter
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from service.errors import RequestError
from service.http import JSON, Headers
from service.pictures.frame import LEAST_INK, PIXELS

# The largest range of an image without ink, by any way that it may come: as bytes, and half
# a grey level more on the scale of 0 to 1. Thresholded digits of 0 and 1 where 255 is white
# are as dark, and often floats read in the wrong byte order.
BLANK = LEAST_INK - 1
BLANK_FLOAT = np.float32((LEAST_INK - 0.5) / 255)
Images = npt.NDArray[np.float32]
Pixels = npt.NDArray[np.uint8] | Images
Probabilities = npt.NDArray[np.float32]


class Limits(NamedTuple):
    """Limits of a request.

    Attributes:
        images: most images in a request.
        pixels: most pixels of one picture, width × height.
        until: when to stop decoding, by ``time.perf_counter``; the first body of a batch
            is always decoded.
    """

    images: int = 1024
    pixels: int = 50 * 1024 * 1024
    until: float = inf


class Decoded(NamedTuple):
    """One decoded request.

    Attributes:
        pixels: ``[n, 784]``, uint8 from 0 to 255 or float32 from 0 to 1.
        options: what the dialect's `encode` needs to know.
        several: places of the images that are pictures of several digits.
    """

    pixels: Pixels
    options: Any = None
    several: Sequence[int] = ()


class Batch(NamedTuple):
    """Decoded requests with the same options of the head.

    Attributes:
        pixels: rows of all accepted requests, in order, as in `Decoded`.
        counts: number of images of each accepted request.
        options: of each accepted request, as in `Decoded`.
        refused: errors of the other requests, by index among all requests.
        left: number of requests at the end for which there was no time.
        several: rows of ``pixels`` that are of pictures of several digits.
    """

    pixels: Pixels
    counts: list[int]
    options: list[Any]
    refused: dict[int, RequestError] = {}
    left: int = 0
    several: Sequence[int] = ()

    @classmethod
    def of(
        cls, decode: Callable[[bytes], Decoded], bodies: Sequence[bytes], limits: Limits
    ) -> "Batch":
        """Decode bodies one by one; an error refuses only its own request."""
        accepted, refused, left = [], {}, 0
        for index, body in enumerate(bodies):
            if index and perf_counter() > limits.until:
                left = len(bodies) - index
                break
            try:
                accepted.append(decode(body))
            except RequestError as error:
                refused[index] = error.without_frames()
        pixels = [request.pixels for request in accepted]
        counts = [len(images) for images in pixels]
        options = [request.options for request in accepted]
        starts = accumulate(counts, initial=0)
        several = [start + k for start, each in zip(starts, accepted) for k in each.several]
        return cls(join(pixels), counts, options, refused, left, several)

    @property
    def spans(self) -> list[slice]:
        """The rows of ``pixels`` that belong to each accepted request."""
        ends = list(accumulate(self.counts))
        return [slice(end - count, end) for end, count in zip(ends, self.counts)]


class LayerActivity(Protocol):
    """Output of one layer for the images of a batch.

    Attributes:
        activation: name of the activation function.
        sums: weighted sums plus biases, float32 ``[n, units]``.
        activations: the sums after the activation function, float32 ``[n, units]``.
    """

    @property
    def activation(self) -> str: ...  # noqa: D102
    @property
    def sums(self) -> Images: ...  # noqa: D102
    @property
    def activations(self) -> Images: ...  # noqa: D102


class Contributions(Protocol):
    """What makes each image's digit likelier than the runner-up; logits and their parts.

    Attributes:
        runners_up: the second most probable digit of each image.
        leads: distance between the two logits, float ``[n]``.
        biases: what the biases add to it, float ``[n]``.
        pixels: what each pixel adds to it, float ``[n, 784]``.
    """

    @property
    def runners_up(self) -> list[int]: ...  # noqa: D102
    @property
    def leads(self) -> npt.NDArray[np.floating]: ...  # noqa: D102
    @property
    def biases(self) -> npt.NDArray[np.floating]: ...  # noqa: D102
    @property
    def pixels(self) -> npt.NDArray[np.floating]: ...  # noqa: D102


class Explanation(NamedTuple):
    """How the model came to its output for a batch.

    Attributes:
        layers: the layers from input to output.
        contributions: see `Contributions`; None if they cannot be told.
    """

    layers: Sequence[LayerActivity]
    contributions: Contributions | None


class Predictions(NamedTuple):
    """The model's output for a batch.

    Attributes:
        probabilities: float32 ``[n, 10]``.
        digits: the most probable digit of each image.
        unsure: whether each digit is a guess; None if the model has no threshold.
        explanation: None unless the dialect explains.
    """

    probabilities: Probabilities
    digits: list[int]
    unsure: list[bool] | None = None
    explanation: Explanation | None = None

    @classmethod
    def of(cls, probabilities: Probabilities) -> "Predictions":
        """Take the digits from the probabilities."""
        return cls(probabilities, probabilities.argmax(axis=1).tolist())


class Payload(NamedTuple):
    """Body and headers of a reply of status 200."""

    body: bytes
    content_type: str = JSON
    headers: tuple[tuple[str, str], ...] = ()


class Dialect(Protocol):
    """The members of a dialect's module.

    Attributes:
        NAME: the dialect's name in the metrics.
        EXPLAINS: whether `encode` needs `Predictions.explanation`.
    """

    NAME: str
    EXPLAINS: bool

    def read_head(self, headers: Headers, parameters: Mapping[str, str]) -> Any:
        """Return the options of a request head.

        Options are hashable, and equal for heads that ask for the same. If the body is a
        multipart form they have a non-empty ``boundary``, which equality ignores: only
        bodies of one and the same head may be decoded together then.

        Args:
            headers: the request's headers.
            parameters: those of the query string.

        Raises:
            RequestError: no request with this head can be answered.
        """

    def decode(self, options: Any, bodies: Sequence[bytes], limits: Limits) -> Batch:
        """Decode the bodies of one batch.

        Args:
            options: returned by `read_head` for each of them.
            bodies: complete bodies, not compressed.
            limits: how much to accept.
        """

    def encode(
        self, batch: Batch, predictions: Predictions, name: str, version: int
    ) -> list[Payload]:
        """Encode the reply to each accepted request.

        Args:
            batch: returned by `decode`.
            predictions: for all images of the batch, row by row.
            name: the model's name.
            version: the model's version.
        """


def check_count(count: int, max_images: int) -> None:
    """Refuse no images (422) and too many (413)."""
    if count == 0:
        raise RequestError(422, f"found 0 images, expected 1 to {max_images}")
    if count > max_images:
        raise RequestError(413, f"found {count} images, expected at most {max_images}")


def blanks(pixels: Pixels) -> npt.NDArray[np.bool_] | None:
    """Return whether each image is without ink, bool ``[n]``; None if none is."""
    step = BLANK if pixels.dtype == np.uint8 else BLANK_FLOAT
    # The ufuncs themselves: the array's methods cost more than the work on one image.
    above = np.maximum.reduce(pixels, axis=1) - pixels[:, 0]
    # The corner of a digit is not its brightest pixel, so this nearly always settles it.
    if not len(above) or above[above.argmin()] > step:
        return None
    below = pixels[:, 0] - np.minimum.reduce(pixels, axis=1)
    blank: npt.NDArray[np.bool_] = (above <= step) & (below <= step)
    return blank if blank.any() else None


def no_ink(pixels: Pixels, index: int) -> RequestError:
    """Return the error for one of a request's images that `blanks` has found."""
    image = pixels[index]
    low, high = image.min(), image.max()
    found = f"every pixel is {low:g}"
    if low < high:
        most = 255 if image.dtype == np.uint8 else 1
        found = f"its pixels are {low:g} to {high:g} on the scale of 0 to {most}"
    return RequestError(
        422,
        f"image {index} has no ink: {found}, expected a digit, white on black, at least "
        f"{LEAST_INK} of 255 grey levels above its paper",
        reason="no_ink",
    )


def scale(pixels: Pixels) -> Images:
    """Scale pixels to 0 to 1, bit by bit as in training (``training.data.scale``)."""
    images = pixels.astype(np.float32, copy=False)
    if pixels.dtype == np.uint8:
        images /= np.float32(255)
    return images


def join(parts: Sequence[Pixels]) -> Pixels:
    """Concatenate images, ``[n, 784]`` each; mixed dtypes become float32."""
    if len(parts) == 1:
        return parts[0]
    if not parts:
        return np.zeros((0, PIXELS), np.uint8)
    if len({images.dtype for images in parts}) > 1:
        parts = [scale(images) for images in parts]
    return np.concatenate(parts)  # type: ignore[return-value]
