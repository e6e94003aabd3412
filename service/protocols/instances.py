"""Images in the JSON of ``/predict`` and ``/v1``: numbers, rows of numbers, or pictures."""

import binascii
from collections.abc import Sequence
from itertools import chain
from typing import Any, TypeVar

import msgspec
import numpy as np
import numpy.typing as npt

from service.errors import RequestError
from service.pictures.frame import LEAST_INK, PIXELS, SIDE
from service.protocols import Decoded, Images, Limits, check_count, scale
from service.protocols.integers import read_integers
from service.protocols.json_body import decode_json

T = TypeVar("T")


class Encoded(msgspec.Struct, forbid_unknown_fields=True):
    """A picture's file in base64, or its data URL."""

    b64: str


Numbers = list[int | float | list[int | float]]
Instance = Numbers | Encoded


# Where msgspec's path to a fault is that of an image.
IMAGES = ("$.instances[", "$.inputs[", "$.inputs.image[", "$.dataframe_split.data[")


def decode_instances(
    decoder: msgspec.json.Decoder[T], body: bytes, expected: str, max_images: int
) -> T:
    """Decode a JSON body with images under ``instances`` or ``inputs``.

    Raises:
        RequestError: as `json_body.decode_json`.
    """
    return decode_json(decoder, body, expected, IMAGES, max_images)


def read_integer_images(
    bodies: Sequence[bytes], limits: Limits
) -> tuple[npt.NDArray[np.uint8], list[int]] | None:
    """Read bodies with `read_integers`; None also for an image of zeros and ones only.

    Such an image may be on the scale of 0 to 1.
    """
    found = read_integers(bodies, limits.images)
    if found is None:
        return None
    highest = np.maximum.reduce(found[0], axis=1)
    return None if highest[highest.argmin()] <= 1 else found


def read_instances(instances: list[Instance], limits: Limits) -> Decoded:
    """Return the pixels of the images, ``[n, 784]``, and which are several digits.

    Raises:
        RequestError: 413 too many images or pixels, 422 not an image of a digit, and as
            `read_pictures`.
    """
    check_count(len(instances), limits.images)
    try:
        # Nearly every client sends integers from 0 to 255.
        pixels = b"".join(map(_pack, instances))
    except (TypeError, ValueError):
        if any(isinstance(instance, Encoded) for instance in instances):
            return _read_mixed(instances, limits)
        numbers = np.stack([_numbers(x, i) for i, x in enumerate(instances)])  # type: ignore[arg-type]
        return Decoded(_scale(numbers))
    return Decoded(_scale(np.frombuffer(pixels, np.uint8).reshape(-1, PIXELS)))


def read_pictures(contents: Sequence[bytes], limits: Limits) -> Decoded:
    """Return the frames of pictures, uint8 ``[n, 784]``, and which are several digits.

    Raises:
        RequestError: 413 too many pictures or pixels, and as `service.pictures.decode`.
    """
    from service.pictures.decode import Budget, decode_digits

    check_count(len(contents), limits.images)
    budget = Budget(limits.pixels)
    found = [
        decode_digits(content, budget, f"image {index}")
        for index, content in enumerate(contents)
    ]
    several = [index for index, each in enumerate(found) if each.several]
    return Decoded(np.stack([each.pixels for each in found]), several=several)


def _read_mixed(instances: list[Instance], limits: Limits) -> Decoded:
    encoded = {i: x for i, x in enumerate(instances) if isinstance(x, Encoded)}
    pictures = read_pictures([_from_base64(x, i) for i, x in encoded.items()], limits)
    images = np.empty((len(instances), PIXELS), np.float32)
    places = list(encoded)
    images[places] = scale(pictures.pixels)
    others = [i for i in range(len(instances)) if i not in encoded]
    if others:
        numbers = np.stack([_numbers(instances[i], i) for i in others])  # type: ignore[arg-type]
        images[others] = _scale(numbers, others)
    return Decoded(images, several=[places[index] for index in pictures.several])


def _from_base64(encoded: Encoded, index: int) -> bytes:
    text = encoded.b64
    if text.startswith("data:"):  # as from a browser's canvas.toDataURL
        text = text.partition(",")[2]
    try:
        # Many encoders break lines, as MIME asks for and base64(1) does.
        content = text.encode("ascii").translate(None, b"\r\n\t ")
        return binascii.a2b_base64(content, strict_mode=True)
    except ValueError:  # from binascii, or because the text is not ASCII
        raise RequestError(
            422, f"image {index} is not base64, expected a picture in base64"
        ) from None


def _pack(instance: Any) -> bytes:
    """Return 784 bytes; raise TypeError or ValueError for all that only `_numbers` reads.

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
    """Return the 784 numbers of an instance, or raise RequestError (422)."""
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


def _scale(pixels: npt.NDArray[Any], places: Sequence[int] = ()) -> Images:
    """Scale the images of a request to 0 to 1: all of them are on one scale.

    Args:
        pixels: of all images, ``[n, 784]``.
        places: their indices in the request, unless these are 0 to n - 1.

    Raises:
        RequestError: 422, an image may be on the other scale.
    """
    highest = np.maximum.reduce(pixels, axis=1)
    if highest.max() <= 1:
        return pixels.astype(np.float32)
    # On the scale of 0 to 255, these have no ink. Float noise and resampling may take a
    # pixel of the other scale above 1, and the two scales may be mixed.
    dark = (highest > 0) & (highest < LEAST_INK)
    for index in np.flatnonzero(dark).tolist():
        if highest[index] <= 1 or (pixels[index] % 1).any():
            raise RequestError(
                422,
                f"largest pixel of image {places[index] if places else index} is "
                f"{highest[index].item()!r}, expected at most 1 in all images (0 to 1), or "
                f"at least {LEAST_INK} (0 to 255)",
                reason="pixel_value",
            )
    return pixels.astype(np.float32) / np.float32(255)
