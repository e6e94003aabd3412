"""Images in JSON as /predict and /v1 have them: numbers, rows of numbers, or pictures."""

import binascii
from collections.abc import Sequence
from itertools import chain
from typing import Any, TypeVar

import msgspec
import numpy as np
import numpy.typing as npt

from service import pictures
from service.errors import RequestError
from service.protocols import (
    PIXELS,
    Images,
    Limits,
    Pixels,
    check_count,
    document,
    plain,
    scale,
)

SIDE = 28
# A request may hold many small pictures, or a few of the largest size, but not a thousand
# of these: decoding four takes up to 0.4 s.
LARGEST_PICTURES = 4

T = TypeVar("T")


class Encoded(msgspec.Struct, forbid_unknown_fields=True):
    """A PNG or JPEG in base64, or as a data URL of it."""

    b64: str


Numbers = list[int | float | list[int | float]]
Instance = Numbers | Encoded


def parse(decoder: msgspec.json.Decoder[T], body: bytes, form: str) -> T:
    """Read a body of JSON with the images under ``instances`` or ``inputs``.

    Raises:
        RequestError: as of `document.read`.
    """
    return document.read(decoder, body, form, ("$.instances[", "$.inputs["))


def read_plain(
    bodies: Sequence[bytes], limits: Limits
) -> tuple[npt.NDArray[np.uint8], list[int]] | None:
    """Read bodies as `plain.read` does; an image of zeros and ones is not plain."""
    found = plain.read(bodies, limits.images)
    if found is None or np.maximum.reduce(found[0], axis=1).min() <= 1:
        return None
    return found


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
            reason="pixel_value",
        )
    return pixels


def _scale(pixels: npt.NDArray[Any]) -> Images:
    """Bring images to 0 to 1; one whose largest pixel is at most 1 is there already."""
    ready = np.maximum.reduce(pixels, axis=1) <= 1
    images = pixels.astype(np.float32)
    return np.where(ready[:, None], images, images / np.float32(255))
