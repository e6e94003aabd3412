"""The project's own dialect: ``POST /predict``, JSON, raw bytes or pictures."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, cast

import msgspec
import numpy as np
import numpy.typing as npt
import orjson

from service.errors import RequestError
from service.protocols import (
    PIXELS,
    RAW_HEADERS,
    Answer,
    Body,
    Headers,
    Limits,
    Pixels,
    Question,
    Questions,
    Reply,
    check_count,
    instances,
    scale,
)

NAME = "predict"
SIDE = 28
JSON, RAW = "application/json", "application/octet-stream"
FORM_DATA = "multipart/form-data"
PICTURES = ("image/png", "image/jpeg")
FORM = '{"instances": [image, ...]}'


class Content(msgspec.Struct, forbid_unknown_fields=True):
    """The JSON body. An instance is 784 numbers, 28 rows of 28, or a picture."""

    instances: list[instances.Instance]


class Options(NamedTuple):
    """What a head asks for.

    Attributes:
        content_type: of the body.
        echo: whether to send the images back.
        raw: whether the reply is to be the probabilities' bytes instead of JSON.
    """

    content_type: str
    echo: bool
    raw: bool


_decoder = msgspec.json.Decoder(Content)


def read_head(headers: Headers, parameters: Mapping[str, str]) -> Options:
    """Read the types of body and reply, and ``echo=frame``.

    Raises:
        RequestError: 400 an unknown parameter, 415 another type of body.
    """
    echo = _read_echo(parameters)
    # Only where it is named: browsers and most clients accept */*.
    raw = RAW in headers.get("accept", "").lower()
    return Options(_content_type(headers.get("content-type", "")), echo, raw)


def decode(asked: Options, bodies: Sequence[Body], limits: Limits) -> Questions:
    """Read images as the Content-Type says.

    Refused are: 400 malformed, 413 too much, 422 not images of digits.
    """
    if asked.content_type == RAW and (count := _same_count(bodies, limits)):
        content = bodies[0] if len(bodies) == 1 else b"".join(cast(list[bytes], bodies))
        pixels = np.frombuffer(cast(bytes, content), np.uint8).reshape(-1, PIXELS)
        return Questions(pixels, [count] * len(bodies), [asked] * len(bodies))
    if asked.content_type == JSON:
        plain = instances.read_plain(cast(Sequence[bytes], bodies), limits)
        if plain is not None:
            return Questions(*plain, [asked] * len(bodies))
    read = READ.get(asked.content_type, _read_picture)
    return Questions.of(lambda body: Question(read(body, limits), asked), bodies)


def encode(questions: Questions, answer: Answer, name: str, version: int) -> list[Reply]:
    """Write digit, confidence and the ten probabilities of each image.

    The raw reply is n × 10 float32, little-endian, and nothing else.
    """
    options: Options = questions.options[0]
    if options.raw:
        rows = answer.probabilities.astype("<f4", copy=False)
        return [Reply(rows[span].tobytes(), RAW_HEADERS) for span in questions.spans]
    predictions: list[dict[str, Any]] = [
        {"digit": digit, "confidence": row[digit], "probabilities": row}
        for digit, row in zip(answer.digits, answer.probabilities)
    ]
    if answer.unsure is not None:
        for prediction, unsure in zip(predictions, answer.unsure):
            prediction["unsure"] = unsure
    if options.echo:
        for prediction, frame in zip(predictions, _frames(questions.pixels)):
            prediction["frame"] = frame
    # All at once, and cut up: many small calls take longer. What orjson writes of a
    # float32 has the fewest digits that read back as the same float32.
    text = orjson.dumps(predictions, option=orjson.OPT_SERIALIZE_NUMPY)
    images = text[2:-2].split(b"},{") if len(questions.counts) > 1 else [text[2:-2]]
    model = orjson.dumps({"name": name, "version": str(version)})
    return [
        Reply(b'{"predictions":[{%b}],"model":%b}' % (b"},{".join(images[span]), model))
        for span in questions.spans
    ]


def _frames(pixels: Pixels) -> npt.NDArray[np.uint8]:
    """Return the images as the model saw them, uint8 ``[n, 28, 28]``."""
    frames: npt.NDArray[np.uint8] = np.rint(scale(pixels) * 255).astype(np.uint8)
    return frames.reshape(-1, SIDE, SIDE)


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


def _same_count(bodies: Sequence[Body], limits: Limits) -> int:
    """Return how many images each body has, if all have as many and no fault; else 0."""
    sizes = set(map(len, bodies))
    count, rest = divmod(sizes.pop(), PIXELS)
    return count if not (sizes or rest) and count <= limits.images else 0


def _read_raw(body: bytes, limits: Limits) -> Pixels:
    if len(body) % PIXELS:
        raise RequestError(
            400,
            f"body has {len(body)} bytes, expected a multiple of {PIXELS} "
            "(28 × 28 unsigned bytes an image)",
        )
    check_count(len(body) // PIXELS, limits.images)
    return np.frombuffer(body, np.uint8).reshape(-1, PIXELS)


def _read_json(body: bytes, limits: Limits) -> Pixels:
    plain = instances.read_plain([body], limits)
    if plain is not None:
        return plain[0]
    return instances.read(instances.parse(_decoder, body, FORM).instances, limits)


def _read_picture(body: bytes, limits: Limits) -> Pixels:
    return instances.read_pictures([body], limits)


def _read_files(files: Sequence[bytes], limits: Limits) -> Pixels:
    return instances.read_pictures(list(files), limits)


READ: Mapping[str, Any] = {JSON: _read_json, RAW: _read_raw, FORM_DATA: _read_files}
