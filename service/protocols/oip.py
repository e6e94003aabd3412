"""The Open Inference Protocol V2, with Triton's binary tensors and classification.

Sources: open-inference-protocol, ``inference_rest.md``; Triton Inference Server,
``extension_binary_data.md`` and ``extension_classification.md``.
"""

import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, cast

import msgspec
import numpy as np
import orjson

from service.errors import RequestError
from service.protocols import (
    RAW_HEADERS,
    Answer,
    Body,
    Headers,
    Limits,
    Probabilities,
    Question,
    Questions,
    Reply,
    document,
)
from service.protocols.tensors import (
    Input,
    Parameters,
    from_binary,
    only_input,
    read_values,
    to_images,
)

NAME = "oip"
OUTPUT = "probabilities"
LENGTH = "Inference-Header-Content-Length"
FORM = '{"inputs": [{"name": "image", "datatype": ..., "shape": [n, 784], "data": [...]}]}'


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
        images = to_images(from_binary(binary, "FP32"), "FP32", None, limits)
        return Question(images, Options(None, [(True, 0)]))
    found = document.read(_decoder, text, FORM, (".data[",))
    options = Options(found.id, list(_outputs(found)))
    tensor = only_input(found.inputs)
    values = read_values(tensor, binary)
    return Question(to_images(values, tensor.datatype, tensor.shape, limits), options)


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
