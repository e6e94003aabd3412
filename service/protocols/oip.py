"""The Open Inference Protocol V2, with Triton's binary tensors and classification.

Sources: open-inference-protocol, ``inference_rest.md``; Triton Inference Server,
``extension_binary_data.md`` and ``extension_classification.md``.
"""

import struct
from collections.abc import Iterator, Mapping, Sequence
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
    Probabilities,
    Question,
    Questions,
    Reply,
    check_count,
)

INPUT, OUTPUT = "image", "probabilities"
LENGTH = "Inference-Header-Content-Length"
FORM = '{"inputs": [{"name": "image", "datatype": ..., "shape": [n, 784], "data": [...]}]}'

# Floating point is 0 to 1, the model's own input; integers are 0 to 255. Little-endian.
DATATYPES = {
    "FP16": "<f2",
    "FP32": "<f4",
    "FP64": "<f8",
    "UINT8": "<u1",
    "UINT16": "<u2",
    "UINT32": "<u4",
    "UINT64": "<u8",
    "INT8": "<i1",
    "INT16": "<i2",
    "INT32": "<i4",
    "INT64": "<i8",
}

Number = int | float
Parameters = dict[str, str | int | float | bool | None]


class Input(msgspec.Struct):
    """An input tensor; its data is here, or in the bytes that follow the JSON."""

    name: str
    datatype: str
    shape: list[int]
    data: list[Number | list[Number]] | None = None
    parameters: Parameters = {}


class Output(msgspec.Struct):
    """An output that the client asks for."""

    name: str
    parameters: Parameters = {}


class Content(msgspec.Struct):
    """The JSON of a request; other keys are ignored, as Triton does."""

    inputs: list[Input]
    outputs: list[Output] | None = None
    id: str | None = None
    parameters: Parameters = {}


class Options(NamedTuple):
    """What the reply is to look like.

    Attributes:
        id: the request's, None if it has none.
        outputs: of each output, whether it is binary, and k for classification or 0.
    """

    id: str | None
    outputs: list[tuple[bool, int]]


_decoder = msgspec.json.Decoder(Content)


def read_head(headers: Headers, parameters: Mapping[str, str]) -> str:
    """Return how long the JSON before binary tensors is, as the client says."""
    return headers.get(LENGTH.lower(), "")


def decode(asked: str, bodies: Sequence[Body], limits: Limits) -> Questions:
    """Read the one input from JSON or from binary.

    Refused are: 400 malformed, 413 too many images, 422 not images of digits.
    """
    return Questions.of(lambda body: _read(asked, cast(bytes, body), limits), bodies)


def encode(questions: Questions, answer: Answer, name: str, version: int) -> list[Reply]:
    """Write the outputs asked for, in JSON or as bytes after it."""
    return [
        _reply(options, answer.probabilities[span], name, version)
        for options, span in zip(questions.options, questions.spans)
    ]


def _read(length: str, body: bytes, limits: Limits) -> Question:
    text, binary = _split(length, body)
    if not text:  # the raw form: nothing but the tensor
        images = _images(_from_binary(binary, "FP32"), "FP32", None, limits)
        return Question(images, Options(None, [(True, 0)]))
    try:
        found = _decoder.decode(text)
    except msgspec.ValidationError as error:
        message = str(error).replace("`", "")
        status = 422 if ".data[" in message else 400
        raise RequestError(status, f"{message}; the request is {FORM}") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RequestError(400, f"request is not JSON ({error}), expected {FORM}") from None
    options = Options(found.id, list(_outputs(found)))
    tensor = _only_input(found.inputs)
    values = _values(tensor, binary)
    return Question(_images(values, tensor.datatype, tensor.shape, limits), options)


def _reply(options: Options, found: Probabilities, name: str, version: int) -> Reply:
    outputs, blobs = [], []
    for binary, k in options.outputs:
        output, blob = _output(found, k)
        if binary:
            output["parameters"] = {"binary_data_size": len(blob)}
            del output["data"]
            blobs.append(blob)
        outputs.append(output)
    head: dict[str, Any] = {"model_name": name, "model_version": str(version)}
    if options.id is not None:
        head["id"] = options.id
    text = orjson.dumps({**head, "outputs": outputs}, option=orjson.OPT_SERIALIZE_NUMPY)
    if not blobs:
        return Reply(text)
    return Reply(b"".join([text, *blobs]), {**RAW_HEADERS, LENGTH: str(len(text))})


def _split(length: str, body: bytes) -> tuple[bytes, bytes]:
    """Return the JSON and the bytes after it."""
    if not length:
        return body or b" ", b""  # no JSON is an error, not the raw form
    if not (length.isascii() and length.isdecimal() and len(length) <= 10) or (
        int(length) > len(body)
    ):
        raise RequestError(
            400,
            f"{LENGTH} is {length!r:.100}, expected the bytes of JSON in a body of "
            f"{len(body)}",
        )
    return body[: int(length)], body[int(length) :]


def _only_input(inputs: list[Input]) -> Input:
    names = [tensor.name for tensor in inputs]
    if names != [INPUT]:
        raise RequestError(400, f"inputs are {names!r:.100}, expected one named {INPUT}")
    if inputs[0].datatype not in DATATYPES:
        raise RequestError(
            400,
            f"datatype of input {INPUT} is {inputs[0].datatype!r:.100}, expected one of: "
            + ", ".join(DATATYPES),
        )
    return inputs[0]


def _outputs(body: Content) -> Iterator[tuple[bool, int]]:
    """Read which outputs are asked for, and in which form."""
    everywhere = _flag(body.parameters, "binary_data_output", False)
    if not body.outputs:
        yield everywhere, 0
        return
    for index, output in enumerate(body.outputs):
        if output.name != OUTPUT or index:
            raise RequestError(
                400, f"output {index} is {output.name!r:.100}, expected only {OUTPUT}"
            )
        k = output.parameters.get("classification", 0)
        if isinstance(k, bool) or not isinstance(k, int) or k < 0:
            raise RequestError(
                400, f"classification is {k!r:.100}, expected a number of classes"
            )
        yield _flag(output.parameters, "binary_data", everywhere), min(k, 10)


def _flag(parameters: Mapping[str, Any], name: str, default: bool) -> bool:
    value = parameters.get(name, default)
    if not isinstance(value, bool):
        raise RequestError(400, f"{name} is {value!r:.100}, expected true or false")
    return value


def _values(tensor: Input, binary: bytes) -> npt.NDArray[Any]:
    """Return the tensor's values, flat, from its JSON or from the bytes after it."""
    size = tensor.parameters.get("binary_data_size")
    if "shared_memory_region" in tensor.parameters:
        raise RequestError(400, "found shared memory, expected data or binary_data_size")
    if (tensor.data is None) == (size is None):
        found = "neither" if size is None else "both"
        raise RequestError(
            400, f"input {INPUT} has {found} of data and binary_data_size, expected one"
        )
    if size is not None and size != len(binary) or isinstance(size, bool):
        raise RequestError(
            400,
            f"binary_data_size of input {INPUT} is {size!r:.100}, expected {len(binary)}, "
            "the bytes after the JSON",
        )
    if tensor.data is None:
        return _from_binary(binary, tensor.datatype)
    if binary:
        raise RequestError(
            400, f"found {len(binary)} bytes after the JSON, expected none: data is in it"
        )
    if tensor.datatype == "FP16":
        raise RequestError(400, "found FP16 as JSON, expected it as binary data")
    return _from_json(tensor.data, tensor.datatype, tensor.shape)


def _from_binary(content: bytes, datatype: str) -> npt.NDArray[Any]:
    dtype = np.dtype(DATATYPES[datatype])
    if len(content) % (PIXELS * dtype.itemsize):
        raise RequestError(
            400,
            f"input {INPUT} has {len(content)} bytes, expected a multiple of "
            f"{PIXELS * dtype.itemsize} ({PIXELS} {datatype} an image)",
        )
    return np.frombuffer(content, dtype)


def _from_json(data: list[Any], datatype: str, shape: list[int]) -> npt.NDArray[np.float64]:
    """Return the values of flat or naturally nested data."""
    if data and isinstance(data[0], list):
        lengths = {len(row) if isinstance(row, list) else None for row in data}
        if [len(data)] != shape[:1] or lengths != {PIXELS}:
            raise RequestError(
                422,
                f"data of input {INPUT} has {len(data)} rows that are not all of {PIXELS}, "
                f"or not as many as its shape {shape!r:.60} says",
            )
        data = [number for row in data for number in row]
    elif any(isinstance(number, list) for number in data):
        raise RequestError(422, "data has lists beside numbers, expected one of the two")
    if "INT" in datatype and not all(isinstance(number, int) for number in data):
        raise RequestError(422, f"data has fractions, expected whole numbers ({datatype})")
    try:
        return np.array(data, dtype=np.float64)
    except OverflowError:  # an integer beyond float64: out of every range
        return np.array([x if abs(x) < 1e300 else np.inf for x in data], dtype=np.float64)


def _images(
    values: npt.NDArray[Any], datatype: str, shape: list[int] | None, limits: Limits
) -> Pixels:
    """Check count, shape and range."""
    count = values.size // PIXELS
    expected = [count, PIXELS]
    if shape is not None and (shape != expected or values.size != count * PIXELS):
        raise RequestError(
            422,
            f"shape of input {INPUT} is {shape!r:.60} with {values.size} values, expected "
            f"[n, {PIXELS}] with n × {PIXELS} values",
        )
    check_count(count, limits.images)
    pixels = values.reshape(-1, PIXELS)
    most = 255 if "INT" in datatype else 1
    # Two passes over what is right, and the search only for what is wrong, NaN included.
    if values.dtype != np.uint8 and not (values.min() >= 0 and values.max() <= most):
        outside = ~((pixels >= 0) & (pixels <= most))
        index, position = (int(i) for i in np.argwhere(outside)[0])
        raise RequestError(
            422,
            f"pixel {position} of image {index} is {pixels[index, position]:g}, expected 0 "
            f"to {most} ({datatype})",
        )
    dtype = np.uint8 if most == 255 else np.float32
    return pixels.astype(dtype, copy=False)  # type: ignore[return-value]


def _output(probabilities: Probabilities, k: int) -> tuple[dict[str, Any], bytes]:
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
    """Return the k best as ``value:index:label``, best first."""
    best = np.argsort(-probabilities, axis=1, kind="stable")[:, :k]
    texts = [
        f"{row[index]:f}:{index}:{index}"
        for row, indices in zip(probabilities.tolist(), best.tolist())
        for index in indices
    ]
    output = {"name": OUTPUT, "datatype": "BYTES", "shape": list(best.shape), "data": texts}
    return output, b"".join(struct.pack("<I", len(t)) + t.encode() for t in texts)
