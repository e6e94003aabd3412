"""The project's own dialect: ``POST /predict``, JSON, raw bytes or pictures."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec
import numpy as np
import orjson

from service.errors import RequestError
from service.protocols import (
    PIXELS,
    Answer,
    Limits,
    Pixels,
    Question,
    Reply,
    Request,
    check_count,
    instances,
)

SIDE = 28
JSON, RAW = "application/json", "application/octet-stream"
FORM_DATA = "multipart/form-data"
PICTURES = ("image/png", "image/jpeg")
FORM = '{"instances": [image, ...]}'


class Body(msgspec.Struct, forbid_unknown_fields=True):
    """The JSON body. An instance is 784 numbers, 28 rows of 28, or a picture."""

    instances: list[instances.Instance]


class Options(NamedTuple):
    """What is asked for beside the answer.

    Attributes:
        echo: whether to send the images back.
        raw: whether the reply is to be the probabilities' bytes instead of JSON.
    """

    echo: bool
    raw: bool = False


# Those of a request without parameters, by whether its reply is raw.
PLAIN = (Options(echo=False), Options(echo=False, raw=True))

_decoder = msgspec.json.Decoder(Body)


def decode(request: Request, limits: Limits) -> Question:
    """Read images as the Content-Type says.

    Args:
        request: the request; its parameters may have ``echo=frame``.
        limits: how much to accept.

    Raises:
        RequestError: 400 malformed, 413 too much, 415 another type, 422 not images of
            digits.
    """
    # Only where it is named: browsers and most clients accept */*.
    raw = RAW in request.headers.get("accept", "").lower()
    options = PLAIN[raw]
    if request.parameters:
        options = Options(_read_echo(request.parameters), raw)
    content_type = _content_type(request.headers.get("content-type", ""))
    if content_type == JSON:
        pixels = _decode_json(request.body, limits)
    elif content_type == RAW:
        pixels = _decode_raw(request.body, limits.images)
    elif content_type == FORM_DATA:
        pixels = instances.read_pictures(list(request.files), limits)
    else:
        pixels = instances.read_pictures([request.body], limits)
    return Question(pixels, options)


def encode(question: Question, answer: Answer, name: str, version: int) -> Reply:
    """Write digit, confidence and the ten probabilities of each image.

    orjson writes float32 with the fewest digits that read back as the same float32. The raw
    reply is n × 10 float32, little-endian, and nothing else.
    """
    if question.options.raw:
        return Reply(answer.probabilities.astype("<f4", copy=False).tobytes(), RAW)
    predictions: list[dict[str, Any]] = [
        {"digit": digit, "confidence": row[digit], "probabilities": row}
        for digit, row in zip(answer.digits, answer.probabilities)
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


@lru_cache(maxsize=64)
def _content_type(found: str) -> str:
    media_type, _, parameters = found.lower().partition(";")
    media_type = media_type.strip()
    # JSON is UTF-8 by RFC 8259; a client that announces another charset sends another.
    foreign = "charset" in parameters and "utf-8" not in parameters
    if media_type not in (JSON, RAW, FORM_DATA, *PICTURES) or foreign:
        raise RequestError(
            415,
            f"Content-Type is {found!r:.100}, expected {JSON} (UTF-8), {RAW}, "
            f"{', '.join(PICTURES)} or {FORM_DATA}",
        )
    return media_type


def _read_echo(parameters: Mapping[str, str]) -> bool:
    for name in parameters:
        if name not in ("version", "echo"):
            raise RequestError(
                400, f"query parameter {name!r:.100} is unknown, expected version or echo"
            )
    echo = parameters.get("echo")
    if echo not in (None, "frame"):
        raise RequestError(400, f"echo is {echo!r:.100}, expected frame")
    return echo == "frame"


def _decode_raw(body: bytes, max_images: int) -> Pixels:
    if len(body) % PIXELS:
        raise RequestError(
            400,
            f"body has {len(body)} bytes, expected a multiple of {PIXELS} "
            "(28 × 28 unsigned bytes an image)",
        )
    check_count(len(body) // PIXELS, max_images)
    return np.frombuffer(body, np.uint8).reshape(-1, PIXELS)


def _decode_json(body: bytes, limits: Limits) -> Pixels:
    pixels: Pixels | None = instances.read_plain(body, limits)
    if pixels is None:
        pixels = instances.read(instances.parse(_decoder, body, FORM).instances, limits)
    return pixels
