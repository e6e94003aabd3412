"""TensorFlow Serving's REST dialect: ``:predict`` by rows or by columns.

KServe's V1 protocol is the same. Source: TensorFlow Serving, ``g3doc/api_rest.md``.
"""

from typing import Literal, NamedTuple

import msgspec
import orjson

from service.errors import RequestError
from service.protocols import Answer, Limits, Question, Reply, Request
from service.protocols.instances import Encoded, Instance, Numbers, parse, read, read_plain

SIGNATURE = "serving_default"
FORM = '{"instances": [image, ...]} or {"inputs": [image, ...]}'


class Column(msgspec.Struct, forbid_unknown_fields=True):
    """The whole batch under the input's name."""

    image: list[Numbers]


# Numbers, a picture, or one of the two under the input's name.
Row = Numbers | dict[str, Numbers | dict[str, str] | str]


class Body(msgspec.Struct):
    """The body; other keys are ignored, as TensorFlow Serving does."""

    instances: list[Numbers | dict[str, Numbers | dict[str, str] | str]] | None = None
    inputs: list[Numbers] | Column | None = None
    signature_name: str = SIGNATURE


class Options(NamedTuple):
    """The key of the reply: predictions for rows, outputs for columns."""

    key: Literal["predictions", "outputs"]


_decoder = msgspec.json.Decoder(Body)


def decode(request: Request, limits: Limits) -> Question:
    """Read rows (``instances``) or a column (``inputs``), whatever the Content-Type.

    Raises:
        RequestError: 400 malformed, 413 too much, 422 not images of digits.
    """
    pixels = read_plain(request.body, limits)
    if pixels is not None:
        return Question(pixels, Options("predictions"))
    body = parse(_decoder, request.body, FORM)
    if body.signature_name != SIGNATURE:
        raise RequestError(
            400, f"signature_name is {body.signature_name!r:.100}, expected {SIGNATURE}"
        )
    if (body.instances is None) == (body.inputs is None):
        found = "neither" if body.instances is None else "both"
        raise RequestError(400, f"found {found} of instances and inputs, expected {FORM}")
    if body.instances is not None:
        images = read(_rows(body.instances), limits)
        return Question(images, Options("predictions"))
    column = body.inputs.image if isinstance(body.inputs, Column) else body.inputs
    return Question(read(list(column or ()), limits), Options("outputs"))


def encode(question: Question, answer: Answer, name: str, version: int) -> Reply:
    """Write the ten probabilities of each image."""
    reply = {question.options.key: answer.probabilities}
    return Reply(orjson.dumps(reply, option=orjson.OPT_SERIALIZE_NUMPY))


def _rows(rows: list) -> list[Instance]:  # type: ignore[type-arg]
    """Take instances out of their objects: all have one, or none."""
    keyed = [isinstance(row, dict) and set(row) != {"b64"} for row in rows]
    if any(keyed) and not all(keyed):
        index = keyed.index(not keyed[0])
        found, expected = (
            ("an object", "a list") if keyed[index] else ("a list", "an object")
        )
        raise RequestError(
            400, f"instance {index} is {found}, expected {expected} like those before it"
        )
    return [_value(_inner(row, i) if keyed[0] else row, i) for i, row in enumerate(rows)]


def _inner(row: dict, index: int) -> object:  # type: ignore[type-arg]
    if set(row) != {"image"}:
        keys = ", ".join(sorted(row))
        raise RequestError(
            400, f"instance {index} has the keys {keys!r:.100}, expected image"
        )
    return row["image"]


def _value(value: object, index: int) -> Instance:
    if isinstance(value, list):
        return value
    if isinstance(value, dict) and set(value) == {"b64"} and isinstance(value["b64"], str):
        return Encoded(value["b64"])
    raise RequestError(
        422, f'instance {index} is no image, expected 784 numbers or {{"b64": "..."}}'
    )
