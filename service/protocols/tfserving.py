"""TensorFlow Serving's REST dialect: ``:predict`` by rows or by columns.

KServe's V1 protocol is the same. Source: TensorFlow Serving, ``g3doc/api_rest.md``.
"""

from collections.abc import Mapping, Sequence
from typing import cast

import msgspec
import orjson

from service.errors import RequestError
from service.protocols import (
    Answer,
    Body,
    Headers,
    Limits,
    Question,
    Questions,
    Reply,
)
from service.protocols.instances import Encoded, Instance, Numbers, parse, read, read_plain

NAME = "tfserving"
SIGNATURE = "serving_default"
FORM = '{"instances": [image, ...]} or {"inputs": [image, ...]}'


class Column(msgspec.Struct, forbid_unknown_fields=True):
    """The whole batch under the input's name."""

    image: list[Numbers]


# Numbers, a picture, or one of the two under the input's name.
Row = Numbers | dict[str, Numbers | dict[str, str] | str]


class Content(msgspec.Struct):
    """The body; other keys are ignored, as TensorFlow Serving does."""

    instances: list[Numbers | dict[str, Numbers | dict[str, str] | str]] | None = None
    inputs: list[Numbers] | Column | None = None
    signature_name: str = SIGNATURE


_decoder = msgspec.json.Decoder(Content)


def read_head(headers: Headers, parameters: Mapping[str, str]) -> None:
    """Read nothing: the body says everything, whatever the Content-Type."""


def decode(asked: None, bodies: Sequence[Body], limits: Limits) -> Questions:
    """Read rows (``instances``) or a column (``inputs``).

    The options are the key of the reply: predictions for rows, outputs for columns.
    Refused are: 400 malformed, 413 too much, 422 not images of digits.
    """
    return Questions.of(lambda body: _read(cast(bytes, body), limits), bodies)


def encode(questions: Questions, answer: Answer, name: str, version: int) -> list[Reply]:
    """Write the ten probabilities of each image."""
    return [
        Reply(
            orjson.dumps(
                {key: answer.probabilities[span]}, option=orjson.OPT_SERIALIZE_NUMPY
            )
        )
        for key, span in zip(questions.options, questions.spans)
    ]


def _read(body: bytes, limits: Limits) -> Question:
    plain = read_plain([body], limits)
    if plain is not None:
        return Question(plain[0], "predictions")
    found = parse(_decoder, body, FORM)
    if found.signature_name != SIGNATURE:
        raise RequestError(
            400, f"signature_name is {found.signature_name!r:.100}, expected {SIGNATURE}"
        )
    if (found.instances is None) == (found.inputs is None):
        keys = "neither" if found.instances is None else "both"
        raise RequestError(400, f"found {keys} of instances and inputs, expected {FORM}")
    if found.instances is not None:
        return Question(read(_rows(found.instances), limits), "predictions")
    column = found.inputs.image if isinstance(found.inputs, Column) else found.inputs
    return Question(read(list(column or ()), limits), "outputs")


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
