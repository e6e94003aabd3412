"""The Open Inference Protocol V2, with Triton's binary tensors and classification.

Sources: open-inference-protocol, ``inference_rest.md``; Triton Inference Server,
``extension_binary_data.md`` and ``extension_classification.md``.
"""

import contextlib
import struct
from collections.abc import Iterator, Mapping, Sequence
from math import inf
from typing import Any, NamedTuple

import msgspec
import numpy as np
import orjson

from service.errors import RequestError
from service.http import RAW, Headers
from service.protocols import (
    Batch,
    Decoded,
    Limits,
    Payload,
    Predictions,
    Probabilities,
)
from service.protocols.json_body import decode_json
from service.protocols.tensors import (
    Announcement,
    Input,
    Parameters,
    from_binary,
    only_input,
    read_values,
    to_images,
)

NAME = "oip"
EXPLAINS = False
OUTPUT = "probabilities"
LENGTH = "Inference-Header-Content-Length"
EXPECTED = (
    '{"inputs": [{"name": "image", "datatype": ..., "shape": [n, 784], "data": [...]}]}'
)


class Output(msgspec.Struct):
    """A requested output."""

    name: str
    parameters: Parameters | None = None


class Content(msgspec.Struct):
    """The JSON of a request; other keys are ignored, as in Triton."""

    inputs: list[Input]
    outputs: list[Output] | None = None
    id: str | None = None
    parameters: Parameters | None = None


class ReplyFormat(NamedTuple):
    """How to encode a reply.

    Attributes:
        id: the request's id, or None.
        outputs: for each output, whether it is binary, and k for classification or 0.
    """

    id: str | None
    outputs: list[tuple[bool, int]]


class Timed(msgspec.Struct):
    """What may have a timeout."""

    parameters: Parameters | None = None


class Announced(msgspec.Struct):
    """Whatever announces inputs, to say the most of a request that is none."""

    inputs: list[Announcement]


_decoder = msgspec.json.Decoder(Content)
_timed = msgspec.json.Decoder(Timed)
_announced = msgspec.json.Decoder(Announced)


def read_head(headers: Headers, parameters: Mapping[str, str]) -> str:
    """Return the client's length of the JSON before binary data, unchecked."""
    return headers.get(LENGTH.lower(), "")


def peek_timeout(options: str, body: bytes) -> float:
    """Return the seconds after which an answer comes too late; inf for never.

    Malformed bodies are left to `decode`.
    """
    # From the end: 0.4 µs for an image in JSON, 1 % of what its decoding takes, where the
    # search from the start took 0.8. A match that is no parameter, such as an id, costs
    # 3 µs more and decides nothing.
    if body.rfind(b'"timeout"') < 0:
        return inf
    try:
        text, _ = _split(options, body)
        return _timeout(_timed.decode(text).parameters or {}) or inf
    except (RequestError, ValueError, RecursionError):
        return inf


def decode(options: str, bodies: Sequence[bytes], limits: Limits) -> Batch:
    """Decode the only input from JSON or binary data.

    Refusals: 400 malformed, 413 too many images, 422 not images of digits.
    """
    return Batch.of(lambda body: _decode(options, body, limits), bodies, limits)


def encode(
    batch: Batch, predictions: Predictions, name: str, version: int
) -> list[Payload]:
    """Encode the requested outputs, in JSON or as bytes after it."""
    return [
        _encode(reply_format, predictions.probabilities[span], name, version)
        for reply_format, span in zip(batch.options, batch.spans)
    ]


def _decode(length: str, body: bytes, limits: Limits) -> Decoded:
    text, binary = _split(length, body)
    if not text:  # the raw form: the tensor alone
        images = to_images(from_binary(binary, "FP32"), "FP32", None, limits)
        return Decoded(images, ReplyFormat(None, [(True, 0)]))
    try:
        found = decode_json(_decoder, text, EXPECTED, (".data[",), limits.images)
    except RequestError as error:
        if error.status != 413:
            # What is no numbers may be of a datatype that is not served.
            with contextlib.suppress(ValueError, RecursionError):
                only_input(_announced.decode(text).inputs)
        raise
    reply_format = ReplyFormat(found.id, list(requested(found)))
    _timeout(found.parameters or {})
    found_input = only_input(found.inputs)
    values = read_values(found_input, binary)
    pixels = to_images(values, found_input.datatype, found_input.shape, limits)
    return Decoded(pixels, reply_format)


def _encode(
    reply_format: ReplyFormat, probabilities: Probabilities, name: str, version: int
) -> Payload:
    outputs, blobs = [], []
    for binary, k in reply_format.outputs:
        output, blob = tensor(probabilities, k)
        if binary:
            output["parameters"] = {"binary_data_size": len(blob)}
            del output["data"]
            blobs.append(blob)
        outputs.append(output)
    head: dict[str, Any] = {"model_name": name, "model_version": str(version)}
    if reply_format.id is not None:
        head["id"] = reply_format.id
    text = orjson.dumps({**head, "outputs": outputs}, option=orjson.OPT_SERIALIZE_NUMPY)
    if not blobs:
        return Payload(text)
    return Payload(b"".join([text, *blobs]), RAW, ((LENGTH, str(len(text))),))


def _split(length: str, body: bytes) -> tuple[bytes, bytes]:
    """Split a body into the JSON and the bytes after it."""
    if not length:
        return body or b" ", b""  # an empty body is a JSON error, not the raw form
    if not (length.isascii() and length.isdecimal() and len(length) <= 10) or (
        int(length) > len(body)
    ):
        raise RequestError(
            400,
            f"{LENGTH} is {length!r:.100}, expected the bytes of JSON in a body of "
            f"{len(body)}",
        )
    return body[: int(length)], body[int(length) :]


def requested(body: Content) -> Iterator[tuple[bool, int]]:
    """Yield the format of each requested output, as in `ReplyFormat`.

    Raises:
        RequestError: 400 an output or a parameter that there is not.
    """
    everywhere = _flag(body.parameters or {}, "binary_data_output", False)
    if not body.outputs:
        yield everywhere, 0
        return
    for index, output in enumerate(body.outputs):
        if output.name != OUTPUT or index:
            raise RequestError(
                400, f"output {index} is {output.name!r:.100}, expected only {OUTPUT}"
            )
        parameters = output.parameters or {}
        k = _whole(parameters, "classification", "classes")
        yield _flag(parameters, "binary_data", everywhere), min(k, 10)


def _flag(parameters: Mapping[str, Any], name: str, default: bool) -> bool:
    value = parameters.get(name)
    value = default if value is None else value
    if not isinstance(value, bool):
        raise RequestError(400, f"{name} is {value!r:.100}, expected true or false")
    return value


def _whole(parameters: Mapping[str, Any], name: str, what: str) -> int:
    value = parameters.get(name)
    value = 0 if value is None else value
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise RequestError(
            400, f"{name} is {value!r:.100}, expected a whole number of {what}"
        )
    return value


def _timeout(parameters: Mapping[str, Any]) -> float:
    """Return Triton's parameter ``timeout`` in seconds; 0 without one."""
    return _whole(parameters, "timeout", "microseconds") / 1e6


def tensor(probabilities: Probabilities, k: int) -> tuple[dict[str, Any], bytes]:
    """Return an output with its data, and the same data as bytes.

    Args:
        probabilities: ``[n, 10]``.
        k: how many of the best classes to return; 0 for the probabilities themselves.
    """
    return _classes(probabilities, k) if k else _tensor(probabilities)


def _tensor(probabilities: Probabilities) -> tuple[dict[str, Any], bytes]:
    output = {
        "name": OUTPUT,
        "datatype": "FP32",
        "shape": list(probabilities.shape),
        "data": probabilities.reshape(-1),
    }
    return output, probabilities.astype("<f4", copy=False).tobytes()


def _classes(probabilities: Probabilities, k: int) -> tuple[dict[str, Any], bytes]:
    """Return the k best classes as ``value:index:label``, best first."""
    best = np.argsort(-probabilities, axis=1, kind="stable")[:, :k]
    texts = [
        f"{row[index]:f}:{index}:{index}"
        for row, indices in zip(probabilities.tolist(), best.tolist())
        for index in indices
    ]
    output = {"name": OUTPUT, "datatype": "BYTES", "shape": list(best.shape), "data": texts}
    return output, b"".join(struct.pack("<I", len(t)) + t.encode() for t in texts)
