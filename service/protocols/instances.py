"""Images in JSON as /predict and /v1 have them: numbers, rows of numbers, or pictures."""

import binascii
import threading
from collections.abc import Sequence
from itertools import chain
from typing import Any, TypeVar

import msgspec
import numpy as np
import numpy.typing as npt
import simdjson

from service import pictures
from service.errors import RequestError
from service.protocols import PIXELS, Images, Limits, Pixels, check_count, scale

SIDE = 28
# A request may hold many small pictures, or a few of the largest size, but not a thousand
# of these: decoding four takes up to 0.4 s.
LARGEST_PICTURES = 4

T = TypeVar("T")


class Encoded(msgspec.Struct, forbid_unknown_fields=True):
    """A PNG or JPEG in base64, or as a data URL of it."""

    b64: str


class _Parsers(threading.local):
    """simdjson's parser: it keeps its memory from one body to the next, so one a thread."""

    def __init__(self) -> None:
        self.parser = simdjson.Parser()


_parsers = _Parsers()
OPENING = ord("[")

Numbers = list[int | float | list[int | float]]
Instance = Numbers | Encoded


def parse(decoder: msgspec.json.Decoder[T], body: bytes, form: str) -> T:
    """Decode a JSON body, or say what is wrong with it.

    Args:
        decoder: of the body's type, with the images under ``instances`` or ``inputs``.
        body: the request's body.
        form: what a request looks like, for the message.

    Raises:
        RequestError: 400 for no JSON or another object, 422 for what is wrong inside an
            image: that is a matter of the image, not of the request.
    """
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        message = str(error).replace("`", "")
        inside = "$.instances[" in message or "$.inputs[" in message
        raise RequestError(
            422 if inside else 400, f"{message}; the request is {form}"
        ) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RequestError(400, f"body is not JSON ({error}), expected {form}") from None


def read_plain(
    bodies: Sequence[bytes], limits: Limits
) -> tuple[npt.NDArray[np.uint8], list[int]] | None:
    """Read ``{"instances": [[784 integers, 0 to 255], ...]}``.

    Nearly every request is of this form, and simdjson reads it into one array of numbers
    without a Python object for each: one image in 5 µs, where orjson and `bytes` take 11
    and msgspec 12, and 64 images in 0.41 ms (0.78, 0.85). Anything else in any of the
    bodies, faults included, gives None: that is for `parse` and `read`, which take every
    form and say what is wrong.

    Returns:
        The pixels of all the images, ``[n, 784]``, and the number of images of each body.
    """
    try:
        parts = [_integers(body, limits.images) for body in bodies]
    except (TypeError, ValueError, LookupError, AttributeError, RuntimeError):
        return None
    integers = parts[0] if len(parts) == 1 else np.concatenate(parts)
    pixels = integers.reshape(-1, PIXELS)
    largest = np.maximum.reduce(pixels, axis=1).tolist()
    # An image of zeros and ones is one from 0 to 1.
    if max(largest) > 255 or min(largest) <= 1:
        return None
    return pixels.astype(np.uint8), [part.size // PIXELS for part in parts]


def _integers(body: bytes, max_images: int) -> npt.NDArray[np.uint64]:
    """Return all the integers, or raise where the form is another."""
    if not body.startswith(b"{"):  # simdjson would skip a byte order mark
        raise ValueError
    document: Any = _parsers.parser.parse(body)
    images: Any = document["instances"] if len(document) == 1 else ()
    if not 0 < len(images) <= max_images or any([len(x) != PIXELS for x in images]):
        raise ValueError
    # as_buffer flattens lists in lists, which no image may have.
    if np.count_nonzero(np.frombuffer(body, np.uint8) == OPENING) != len(images) + 1:
        raise ValueError
    return np.frombuffer(images.as_buffer(of_type="u"), np.uint64)


def read(instances: list[Instance], limits: Limits) -> Pixels:
    """Return the images' pixels, ``[n, 784]``.

    Raises:
        RequestError: 413 for too many images or pixels, 422 for what is no image of a
            digit, and what `pictures.decode` raises.
    """
    check_count(len(instances), limits.images)
    try:
        # Nearly every client sends integers from 0 to 255.
        pixels = b"".join(map(_pack, instances))
    except (TypeError, ValueError):
        if any(isinstance(instance, Encoded) for instance in instances):
            return _read_mixed(instances, limits)
        return _scale(np.stack([_numbers(x, i) for i, x in enumerate(instances)]))  # type: ignore[arg-type]
    return _scale(np.frombuffer(pixels, np.uint8).reshape(-1, PIXELS))


def read_pictures(contents: list[bytes], limits: Limits) -> npt.NDArray[np.uint8]:
    """Return the frames of PNG and JPEG files, uint8 ``[n, 784]``.

    Raises:
        RequestError: 413 for too many pictures or pixels, and what `pictures.decode`
            raises.
    """
    check_count(len(contents), limits.images)
    left = LARGEST_PICTURES * limits.pixels
    frames = []
    for index, content in enumerate(contents):
        width, height = pictures.size(content)
        left -= width * height
        if left < 0 and width * height <= limits.pixels:
            raise RequestError(
                413,
                f"pictures 0 to {index} have more than {LARGEST_PICTURES * limits.pixels} "
                "pixels in all, expected at most that in a request",
            )
        frames.append(pictures.decode(content, limits.pixels, f"image {index}"))
    return np.stack(frames)


def _read_mixed(instances: list[Instance], limits: Limits) -> Images:
    encoded = {i: x for i, x in enumerate(instances) if isinstance(x, Encoded)}
    frames = read_pictures([_from_base64(x, i) for i, x in encoded.items()], limits)
    drawn = dict(zip(encoded, scale(frames)))
    return np.stack(
        [
            drawn[i] if i in drawn else _scale(_numbers(x, i)[None])[0]  # type: ignore[arg-type]
            for i, x in enumerate(instances)
        ]
    )


def _from_base64(encoded: Encoded, index: int) -> bytes:
    text = encoded.b64
    if text.startswith("data:"):  # as a browser's canvas.toDataURL gives it
        text = text.partition(",")[2]
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except ValueError:  # binascii's own, and text that is not ASCII
        raise RequestError(
            422, f"image {index} is not base64, expected a PNG or JPEG in base64"
        ) from None


def _pack(instance: Any) -> bytes:
    """Return 784 bytes, or raise TypeError or ValueError where `_numbers` must look.

    bytes() reads integers and checks their range without a Python step for each.
    """
    numbers: Any = instance
    if len(instance) == SIDE and set(map(len, instance)) == {SIDE}:
        numbers = chain.from_iterable(instance)
    packed = bytes(numbers)
    if len(packed) != PIXELS:
        raise ValueError
    return packed


def _numbers(instance: Numbers, index: int) -> npt.NDArray[np.float64]:
    """Return the 784 numbers of an instance, or say what is wrong with it."""
    lengths = {len(row) if isinstance(row, list) else None for row in instance}
    if len(instance) == SIDE and lengths == {SIDE}:
        row: Any = list(chain.from_iterable(instance))  # type: ignore[arg-type]
    elif len(instance) == PIXELS and lengths == {None}:
        row = instance
    else:
        found = f"{len(instance)} numbers"
        if lengths - {None}:
            kinds = sorted("single numbers" if n is None else f"{n}" for n in lengths)
            found = f"{len(instance)} rows, of {' and '.join(kinds)}"
        raise RequestError(
            422, f"image {index} has {found:.100}, expected 784 numbers or 28 rows of 28"
        )
    try:
        pixels = np.array(row, dtype=np.float64)
    except OverflowError:  # an integer beyond float64
        pixels = np.array([pixel if pixel <= 255 else np.inf for pixel in row])
    outside = ~((pixels >= 0) & (pixels <= 255))
    if outside.any():
        position = int(outside.argmax())
        raise RequestError(
            422,
            f"pixel {position} of image {index} is {str(row[position])[:30]}, expected a "
            "number from 0 to 255",
        )
    return pixels


def _scale(pixels: npt.NDArray[Any]) -> Images:
    """Bring images to 0 to 1; one whose largest pixel is at most 1 is there already."""
    ready = np.maximum.reduce(pixels, axis=1) <= 1
    images = pixels.astype(np.float32)
    return np.where(ready[:, None], images, images / np.float32(255))
