"""What came back: every answer is checked, since a fast wrong answer is a failure.

What is wrong is said in few different texts, since failures are counted by them: the first
wrong digit of a request stands for all of them, and no text quotes the reply.
"""

import json
import re
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from operator import eq
from typing import Any, Protocol

from load.bodies import LENGTH
from load.payloads import Request

DIGITS = 10
FLOAT = 4  # bytes
# A number without end is an ArithmeticError, brackets without end are a RecursionError.
ERRORS = (ValueError, LookupError, TypeError, ArithmeticError, RecursionError)

Rows = Sequence[Sequence[float]]
Digits = tuple[int, ...] | None
TIMING = re.compile(r"(?:^|,)\s*([^\s;,]+)[^,]*?;\s*dur=(\d+(?:\.\d+)?)")
TOLERANCE = 1e-3  # of the sum: some servers round what they write
# Replies that are parsed once: those of `mixed` are 180, and a reload brings as many new
# ones. The largest, 1,024 images as JSON, has 0.25 MB.
KEPT = 512


class Headers(Protocol):
    """A reply's headers, found whatever their case, as Locust's and `http.client`'s."""

    def get(self, name: str, /) -> str | None:
        """Return a value, or None if there is none."""


class AnswerError(Exception):
    """A reply is no answer to its request; the text says why."""


def problem(request: Request, status: int, headers: Headers, body: bytes) -> str | None:
    """Say what is wrong with a reply, or None.

    Args:
        request: what was asked.
        status: of the reply; 0 if there was none, as in Locust.
        headers: of the reply.
        body: of the reply.
    """
    try:
        found = read(request, status, headers, body)
    except AnswerError as error:
        return str(error)
    if found == request.labels:
        return None
    pairs = zip(request.labels, found)
    return next((f"read a {a} as {b}" for a, b in pairs if a not in (b, None)), None)


def score(request: Request, status: int, headers: Headers, body: bytes) -> int:
    """Return how many digits were read right: a wrong one is no failure here.

    The arguments are those of :func:`problem`.

    Raises:
        AnswerError: all else that is wrong.
    """
    return sum(map(eq, request.labels, read(request, status, headers, body)))


def stages(text: str) -> dict[str, float]:
    """Read ``Server-Timing``: seconds by stage; ``decode;dur=0.05`` is 50 µs.

    Another server's may have descriptions, and no durations.
    """
    return {name: float(ms) / 1000 for name, ms in TIMING.findall(text)}


def read(request: Request, status: int, headers: Headers, body: bytes) -> tuple[int, ...]:
    """Return the digits that were read, one an image; as :func:`score` otherwise."""
    if status != 200:
        raise AnswerError(f"status {status}" if status else "no answer")
    return _read(request.name, len(request.labels), headers.get(LENGTH), body)


@lru_cache(KEPT)
def _read(name: str, images: int, length: str | None, body: bytes) -> tuple[int, ...]:
    """Read a reply, which depends on nothing but these: the service sends no id in a body.

    What is no answer is read again each time, since an exception is not kept.
    """
    try:
        rows, digits = READ[name](length, body)
        if len(rows) != images:
            raise AnswerError(f"{len(rows)} predictions, expected {images}")
        if not all(map(_are_probabilities, rows)):
            raise AnswerError("not ten probabilities that add up to 1")
        likely = tuple([list(row).index(max(row)) for row in rows])
    except ERRORS as error:
        raise AnswerError(f"not an answer to {name}") from error
    if digits not in (None, likely):
        raise AnswerError("a digit that is not the most probable one")
    return likely


def _are_probabilities(row: Sequence[float]) -> bool:
    # So written that it is false with a NaN.
    return len(row) == DIGITS and min(row) >= 0 and abs(sum(row) - 1) <= TOLERANCE


# Each payload has a reader: from ``Inference-Header-Content-Length``, if there is one,
# and the body to the probabilities of each image, and the digits where they are named.
# It ends with one of `ERRORS` where the form is another. Whether these are probabilities,
# and how many, is not its task.


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
