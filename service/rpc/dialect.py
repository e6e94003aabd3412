"""The Open Inference Protocol's messages: a request to pixels, predictions to a response.

Tensors are typed (``contents``) or raw (``raw_input_contents``), and so is the answer.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from google.protobuf.message import DecodeError

from service.errors import RequestError
from service.http import Headers
from service.protocols import (
    Batch,
    Decoded,
    Limits,
    Payload,
    Predictions,
    Probabilities,
)
from service.protocols.oip import Content, Output, requested, tensor
from service.protocols.tensors import (
    INPUT,
    Announcement,
    Parameters,
    from_binary,
    only_input,
    to_images,
)
from service.rpc.messages import InferRequest, InferResponse

NAME = "grpc"
EXPLAINS = False
MEDIA_TYPE = "application/grpc"
# Where contents have the values of a datatype, and as what: the field's type is wider than
# some datatypes. FP16 is raw only.
FIELDS: dict[str, tuple[str, Any]] = {
    "FP32": ("fp32_contents", np.float32),
    "FP64": ("fp64_contents", np.float64),
    "INT64": ("int64_contents", np.int64),
    "UINT64": ("uint64_contents", np.uint64),
    **dict.fromkeys(("INT8", "INT16", "INT32"), ("int_contents", np.int32)),
    **dict.fromkeys(("UINT8", "UINT16", "UINT32"), ("uint_contents", np.uint32)),
}


class ReplyFormat(NamedTuple):
    """How to encode a response.

    Attributes:
        id: the request's id, empty for none.
        raw: whether tensors are raw.
        outputs: for each output, k for classification or 0.
    """

    id: str
    raw: bool
    outputs: list[int]


class Parsed(bytes):
    """The bytes of a request that have been parsed.

    Attributes:
        message: what they are.
    """

    message: Any


def parse(body: bytes) -> Parsed:
    """Return a request with its message, or raise RequestError (400)."""
    if isinstance(body, Parsed):
        return body
    try:
        message = InferRequest.FromString(body)
    except DecodeError:
        raise RequestError(
            400, f"found {len(body)} bytes that are no message, expected ModelInferRequest"
        ) from None
    parsed = Parsed(body)
    parsed.message = message
    return parsed


def read_head(headers: Headers, parameters: Mapping[str, str]) -> None:
    """Return nothing: all is in the message."""


def decode(options: None, bodies: Sequence[bytes], limits: Limits) -> Batch:
    """Decode the only input from its contents.

    Refusals: 400 malformed, 413 too many images, 422 not images of digits.
    """
    return Batch.of(lambda body: _decode(body, limits), bodies, limits)


def encode(
    batch: Batch, predictions: Predictions, name: str, version: int
) -> list[Payload]:
    """Encode the requested outputs, in the form of the input."""
    return [
        _encode(reply_format, predictions.probabilities[span], name, version)
        for reply_format, span in zip(batch.options, batch.spans)
    ]


def _decode(body: bytes, limits: Limits) -> Decoded:
    message = parse(body).message
    only_input([Announcement(each.name, each.datatype) for each in message.inputs])
    (found,) = message.inputs
    raw = bool(message.raw_input_contents)
    values = _values(found, message.raw_input_contents)
    pixels = to_images(values, found.datatype, list(found.shape), limits)
    outputs: list[int] = []
    if message.outputs:
        listed = [Output(it.name, _parameters(it.parameters)) for it in message.outputs]
        outputs = [k for _, k in requested(Content([], listed))]
    return Decoded(pixels, ReplyFormat(message.id, raw, outputs or [0]))


def _values(found: Any, raw: Sequence[bytes]) -> npt.NDArray[Any]:
    """Return an input's values, flat, from wherever they are.

    Raises:
        RequestError: 400 in no place, in several, or in the wrong one.
    """
    if "shared_memory_region" in found.parameters:
        raise RequestError(400, "found shared memory, expected contents or raw contents")
    filled = [field.name for field, _ in found.contents.ListFields()]
    if len(raw) + len(filled) != 1:
        raise RequestError(
            400,
            f"input {INPUT} has {len(raw)} raw_input_contents and "
            f"{len(filled)} fields of contents, expected one in all",
        )
    if raw:
        return from_binary(raw[0], found.datatype)
    expected, dtype = FIELDS.get(found.datatype, ("raw_input_contents", None))
    if filled != [expected]:
        raise RequestError(
            400,
            f"{found.datatype} of input {INPUT} is in {filled[0]}, expected {expected}",
        )
    return np.array(getattr(found.contents, expected), dtype)


def _parameters(found: Mapping[str, Any]) -> Parameters:
    """Return parameters as JSON has them."""
    return {
        key: getattr(value, value.WhichOneof("parameter_choice") or "", None)
        for key, value in found.items()
    }


def _encode(
    reply_format: ReplyFormat, probabilities: Probabilities, name: str, version: int
) -> Payload:
    outputs, blobs = [], []
    for k in reply_format.outputs:
        output, blob = tensor(probabilities, k)
        data = output.pop("data")
        if reply_format.raw:
            blobs.append(blob)
        elif k:
            output["contents"] = {"bytes_contents": [text.encode() for text in data]}
        else:
            output["contents"] = {"fp32_contents": data}
        outputs.append(output)
    response = InferResponse(
        model_name=name,
        model_version=str(version),
        id=reply_format.id,
        outputs=outputs,
        raw_output_contents=blobs,
    )
    return Payload(response.SerializeToString(), MEDIA_TYPE)
