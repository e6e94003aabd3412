"""The bytes of replies as probabilities: what `load.bodies` is to requests.

Each reader takes the value of ``Inference-Header-Content-Length``, or None, and
the body. It returns the probabilities of each image, and the digits where the reply
names them. What is of another form than it must be ends it with one of :data:`ERRORS`;
whether these are probabilities, and how many, is not looked at.
"""

import json
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from load.bodies import LENGTH

DIGITS = 10
FLOAT = 4  # bytes
# A number without end is an ArithmeticError, brackets without end are a RecursionError.
ERRORS = (ValueError, LookupError, TypeError, ArithmeticError, RecursionError)

Rows = Sequence[Sequence[float]]
Digits = tuple[int, ...] | None


def _own(length: str | None, body: bytes) -> tuple[Rows, Digits]:
    predictions = json.loads(body)["predictions"]
    rows = [prediction["probabilities"] for prediction in predictions]
    return rows, tuple([prediction["digit"] for prediction in predictions])


def _v1(length: str | None, body: bytes) -> tuple[Rows, Digits]:
    return json.loads(body)["predictions"], None


def _v2(length: str | None, body: bytes) -> tuple[Rows, Digits]:
    output = _output(body)
    return _rows(output["data"], output), None


def _v2_binary(length: str | None, body: bytes) -> tuple[Rows, Digits]:
    if length is None:
        raise ValueError(f"no {LENGTH}")
    output, tensor = _output(body[: int(length)]), body[int(length) :]
    if output["parameters"]["binary_data_size"] != len(tensor):
        raise ValueError(f"{len(tensor)} bytes after the JSON, expected those it says")
    return _rows(_floats(tensor), output), None


def _raw(length: str | None, body: bytes) -> tuple[Rows, Digits]:
    return list(_tens(_floats(body))), None


def _output(text: bytes) -> Any:
    (output,) = json.loads(text)["outputs"]
    kind = (output["name"], output["datatype"])
    if kind != ("probabilities", "FP32"):
        raise ValueError(f"found {kind}, expected probabilities as FP32")
    return output


def _rows(values: Sequence[float], output: Any) -> Rows:
    rows = list(_tens(values))
    if output["shape"] != [len(rows), DIGITS]:
        raise ValueError(f"shape {output['shape']} of {len(values)} numbers")
    return rows


def _tens(values: Sequence[float]) -> Iterator[Sequence[float]]:
    return (values[start : start + DIGITS] for start in range(0, len(values), DIGITS))


def _floats(content: bytes) -> tuple[float, ...]:
    count, rest = divmod(len(content), FLOAT * DIGITS)
    if rest:
        raise ValueError(f"{len(content)} bytes, expected tens of float32")
    return struct.unpack(f"<{count * DIGITS}f", content)


READ: Mapping[str, Callable[[str | None, bytes], tuple[Rows, Digits]]] = {
    "json": _own,
    "raw": _raw,
    "png": _own,
    "v1": _v1,
    "v2": _v2,
    "v2-binary": _v2_binary,
}
