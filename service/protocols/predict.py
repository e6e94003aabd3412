"""The project's own dialect: ``POST /predict``, JSON, raw bytes or pictures.

What only some requests need, werkzeug's parsers and Pillow, is imported with the first of
them, here and in `instances`: that takes 50 ms once, and 5 MB.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import orjson

from service.errors import RequestError
from service.http import FORM_DATA, JPEG, JSON, PNG, RAW, Headers
from service.pictures.frame import PIXELS, SIDE
from service.protocols import (
    Batch,
    Decoded,
    Limits,
    Payload,
    Pixels,
    Predictions,
    check_count,
    scale,
)
from service.protocols.instances import (
    Instance,
    decode_instances,
    read_instances,
    read_integer_images,
    read_pictures,
)

NAME = "predict"
EXPLAINS = False
PICTURES = (PNG, JPEG, "image/webp", "image/gif")
MEDIA_TYPES = (JSON, RAW, FORM_DATA, *PICTURES)
ALIASES = {"image/jpg": JPEG, "image/pjpeg": JPEG, "image/x-png": PNG}
UTF_8 = ("", "utf-8", "utf8", "us-ascii", "ascii")  # ASCII is a part of it
EXPECTED = '{"instances": [image, ...]}'


class Content(msgspec.Struct, forbid_unknown_fields=True):
    """The JSON body. An instance is 784 numbers, 28 rows of 28, or a picture."""

    instances: list[Instance]


@dataclass(frozen=True, slots=True)
class Options:
    """Options of a request head.

    Attributes:
        content_type: media type of the body.
        echo: whether to send the images back.
        raw: whether to reply with the probabilities' bytes instead of JSON.
        boundary: of a form. Not compared: clients draw a new one for each request.
    """

    content_type: str
    echo: bool
    raw: bool
    boundary: str = field(default="", compare=False)


_decoder = msgspec.json.Decoder(Content)


def read_head(headers: Headers, parameters: Mapping[str, str]) -> Options:
    """Read the types of body and reply, and ``echo=frame``.

    Raises:
        RequestError: 400 an unknown parameter or a form without a boundary, 415 another
            type of body.
    """
    echo = _read_echo(parameters)
    raw = _accepts_raw(headers.get("accept", ""))
    content_type = headers.get("content-type", "")
    media_type, boundary = _media_type(content_type), ""
    if media_type == FORM_DATA:
        from service.protocols.forms import read_boundary

        boundary = read_boundary(content_type)
    return Options(media_type, echo, raw, boundary)


def decode(
    options: Options,
    bodies: Sequence[bytes],
    limits: Limits,
    max_parts: int | None = None,
) -> Batch:
    """Decode images by the media type of the body.

    Refusals: 400 malformed, 413 too much, 422 not images of digits.

    Args:
        options: returned by `read_head`.
        bodies: complete bodies, not compressed.
        limits: how much to accept.
        max_parts: most parts of a form; by default as many as images.
    """
    if options.content_type == RAW and (count := _same_count(bodies, limits)):
        content = bodies[0] if len(bodies) == 1 else b"".join(bodies)
        pixels = np.frombuffer(content, np.uint8).reshape(-1, PIXELS)
        return Batch(pixels, [count] * len(bodies), [options] * len(bodies))
    if options.content_type == JSON:
        integers = read_integer_images(bodies, limits)
        if integers is not None:
            return Batch(*integers, [options] * len(bodies))

    def decode_one(body: bytes) -> Decoded:
        if options.content_type == JSON:
            return _read_json(body, limits)._replace(options=options)
        if options.content_type == RAW:
            return Decoded(_read_raw(body, limits), options)
        pictures = [body]
        if options.content_type == FORM_DATA:
            from service.protocols.forms import read_files

            pictures = read_files(body, options.boundary, max_parts or limits.images)
        return read_pictures(pictures, limits)._replace(options=options)

    return Batch.of(decode_one, bodies, limits)


def encode(
    batch: Batch, predictions: Predictions, name: str, version: int
) -> list[Payload]:
    """Encode digit, confidence and the ten probabilities of each image.

    A raw reply is n × 10 float32, little-endian, and nothing else.
    """
    options: Options = batch.options[0]
    if options.raw:
        rows = predictions.probabilities.astype("<f4", copy=False)
        if len(batch.counts) == 1:
            return [Payload(rows.tobytes(), RAW)]
        return [Payload(rows[span].tobytes(), RAW) for span in batch.spans]
    entries: list[dict[str, Any]] = [
        {"digit": digit, "confidence": row[digit], "probabilities": row}
        for digit, row in zip(predictions.digits, predictions.probabilities)
    ]
    if predictions.unsure is not None:
        for entry, unsure in zip(entries, predictions.unsure):
            entry["unsure"] = unsure
    for row in batch.several:
        entries[row] |= {"unsure": True, "found": "several digits"}
    if options.echo:
        for entry, frame in zip(entries, _frames(batch.pixels)):
            entry["frame"] = frame
    # orjson writes a float32 with the fewest digits that read back as the same float32.
    model: Any = {"name": name, "version": str(version)}
    if len(batch.counts) == 1:
        content = {"predictions": entries, "model": model}
        return [Payload(orjson.dumps(content, option=orjson.OPT_SERIALIZE_NUMPY))]
    # One call, then split: many small calls take longer.
    text = orjson.dumps(entries, option=orjson.OPT_SERIALIZE_NUMPY)
    images = text[2:-2].split(b"},{")
    model = orjson.dumps(model)
    return [
        Payload(b'{"predictions":[{%b}],"model":%b}' % (b"},{".join(images[span]), model))
        for span in batch.spans
    ]


def _frames(pixels: Pixels) -> npt.NDArray[np.uint8]:
    """Return the images as the model saw them, uint8 ``[n, 28, 28]``."""
    frames: npt.NDArray[np.uint8] = np.rint(scale(pixels) * 255).astype(np.uint8)
    return frames.reshape(-1, SIDE, SIDE)


def _media_type(content_type: str) -> str:
    if content_type in MEDIA_TYPES:
        return content_type
    from werkzeug.http import parse_options_header

    media_type, parameters = parse_options_header(content_type)
    media_type = ALIASES.get(media_type.lower(), media_type.lower())
    # JSON is UTF-8 (RFC 8259); a client that announces another charset sends that one.
    # Of bytes, a charset says nothing.
    foreign = media_type == JSON and parameters.get("charset", "").lower() not in UTF_8
    if media_type not in MEDIA_TYPES or foreign:
        raise RequestError(
            415,
            f"Content-Type is {content_type!r:.100}, expected {JSON} (UTF-8), {RAW}, "
            f"{', '.join(PICTURES)} or {FORM_DATA}",
        )
    return media_type


def _accepts_raw(accept: str) -> bool:
    """Whether raw bytes are named, which ``*/*`` does not, and JSON is not preferred."""
    if accept == RAW:
        return True
    qualities = dict.fromkeys((RAW, JSON), 0.0)
    if RAW in accept.lower():
        from werkzeug.http import parse_accept_header

        for name, quality in parse_accept_header(accept):
            media_type = name.partition(";")[0].strip().lower()
            if media_type in qualities:
                qualities[media_type] = quality
    return qualities[RAW] > 0 and qualities[RAW] >= qualities[JSON]


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


def _same_count(bodies: Sequence[bytes], limits: Limits) -> int:
    """Return the number of images in each body; 0 if it differs or a body has a fault."""
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


def _read_json(body: bytes, limits: Limits) -> Decoded:
    integers = read_integer_images([body], limits)
    if integers is not None:
        return Decoded(integers[0])
    found = decode_instances(_decoder, body, EXPECTED, limits.images)
    return read_instances(found.instances, limits)
