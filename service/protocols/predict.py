"""The project's own dialect: ``POST /predict``, JSON or raw bytes."""

from collections.abc import Mapping
from itertools import chain
from typing import Any, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
import orjson

from service.errors import RequestError
from service.protocols import (
    PIXELS,
    Headers,
    Images,
    Probabilities,
    Question,
    Reply,
    Request,
    check_count,
    check_ink,
    from_bytes,
)

SIDE = 28
JSON, RAW = "application/json", "application/octet-stream"

Instance = list[int | float | list[int | float]]


class Body(msgspec.Struct, forbid_unknown_fields=True):
    """The JSON body. An instance is 784 numbers, or 28 rows of 28."""

    instances: list[Instance]


class Options(NamedTuple):
    """What the query string asks for: whether to send the images back."""

    echo: bool


_decoder = msgspec.json.Decoder(Body)


def decode(request: Request, max_images: int) -> Question:
    """Read images from JSON or raw bytes, as the Content-Type says.

    Args:
        request: the request; its parameters may have ``version`` and ``echo=frame``.
        max_images: most images to accept.

    Raises:
        RequestError: 400 malformed, 413 too many images, 415 another type, 422 not
            images of digits.
    """
    version, options = _read_parameters(request.parameters)
    content_type = _content_type(request.headers)
    if content_type == JSON:
        images = _decode_json(request.body, max_images)
    else:
        images = _decode_raw(request.body, max_images)
    return Question(images, version, options)


def encode(
    question: Question, probabilities: Probabilities, name: str, version: int
) -> Reply:
    """Write digit, confidence and the ten probabilities of each image.

    orjson writes float32 with the fewest digits that read back as the same float32.
    """
    digits = probabilities.argmax(axis=1)
    predictions: list[dict[str, Any]] = [
        {"digit": digit, "confidence": row[digit], "probabilities": row}
        for digit, row in zip(digits.tolist(), probabilities)
    ]
    if question.options.echo:
        frames = np.rint(question.images * 255).astype(np.uint8)
        for prediction, frame in zip(predictions, frames.reshape(-1, SIDE, SIDE)):
            prediction["frame"] = frame
    reply = {
        "predictions": predictions,
        "model": {"name": name, "version": str(version)},
    }
    return Reply(orjson.dumps(reply, option=orjson.OPT_SERIALIZE_NUMPY))


def _content_type(headers: Headers) -> str:
    found = headers.get("content-type", "")
    media_type, _, parameters = found.lower().partition(";")
    media_type = media_type.strip()
    # JSON is UTF-8 by RFC 8259; a client that announces another charset sends another.
    foreign = "charset" in parameters and "utf-8" not in parameters
    if media_type not in (JSON, RAW) or foreign:
        raise RequestError(
            415, f"Content-Type is {found!r:.100}, expected {JSON} (UTF-8) or {RAW}"
        )
    encoding = headers.get("content-encoding", "identity")
    if encoding.lower() != "identity":
        raise RequestError(
            415, f"Content-Encoding is {encoding!r:.100}, expected none (identity)"
        )
    return media_type


def _read_parameters(parameters: Mapping[str, str]) -> tuple[int | None, Options]:
    for name in parameters:
        if name not in ("version", "echo"):
            raise RequestError(
                400, f"query parameter {name!r:.100} is unknown, expected version or echo"
            )
    version = parameters.get("version")
    # Ten digits: longer than any version, shorter than what int() is slow to read.
    if version is not None and not (
        version.isascii() and version.isdecimal() and len(version) <= 10
    ):
        raise RequestError(400, f"version is {version!r:.100}, expected a whole number")
    echo = parameters.get("echo")
    if echo not in (None, "frame"):
        raise RequestError(400, f"echo is {echo!r:.100}, expected frame")
    return int(version) if version is not None else None, Options(echo == "frame")


def _decode_raw(body: bytes, max_images: int) -> Images:
    if len(body) % PIXELS:
        raise RequestError(
            400,
            f"body has {len(body)} bytes, expected a multiple of {PIXELS} "
            "(28 × 28 unsigned bytes an image)",
        )
    check_count(len(body) // PIXELS, max_images)
    pixels = np.frombuffer(body, np.uint8).reshape(-1, PIXELS)
    check_ink(pixels)
    return from_bytes(pixels)


def _decode_json(body: bytes, max_images: int) -> Images:
    try:
        instances = _decoder.decode(body).instances
    except msgspec.ValidationError as error:
        message = str(error).replace("`", "")
        # What is wrong inside an instance is a matter of that image, not of the request.
        status = 422 if "$.instances[" in message else 400
        raise RequestError(
            status, f'{message}; the request is {{"instances": [image, ...]}}'
        ) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RequestError(
            400, f'body is not JSON ({error}), expected {{"instances": [image, ...]}}'
        ) from None
    check_count(len(instances), max_images)
    try:
        # Nearly every client sends integers from 0 to 255.
        pixels = b"".join(map(_pack, instances))
    except (TypeError, ValueError):
        return _scale(np.stack([_numbers(x, i) for i, x in enumerate(instances)]))
    return _scale(np.frombuffer(pixels, np.uint8).reshape(-1, PIXELS))


def _pack(instance: Instance) -> bytes:
    """Return 784 bytes, or raise TypeError or ValueError where `_numbers` must look.

    bytes() reads integers and checks their range without a Python step for each.
    """
    numbers: Any = instance
    if len(instance) == SIDE and set(map(len, instance)) == {SIDE}:  # type: ignore[arg-type]
        numbers = chain.from_iterable(instance)  # type: ignore[arg-type]
    packed = bytes(numbers)
    if len(packed) != PIXELS:
        raise ValueError
    return packed


def _numbers(instance: Instance, index: int) -> npt.NDArray[np.float64]:
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
    check_ink(pixels)
    ready = pixels.max(axis=1) <= 1
    images = pixels.astype(np.float32)
    if ready.all():
        return images
    return np.where(ready[:, None], images, images / np.float32(255))
