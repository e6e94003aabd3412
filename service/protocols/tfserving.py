"""TensorFlow Serving's REST dialect, also KServe's V1: ``:predict`` by rows or by columns.

Source: TensorFlow Serving, ``g3doc/api_rest.md``.
"""

from collections.abc import Mapping, Sequence

import msgspec
import orjson

from service.errors import RequestError
from service.http import Headers
from service.protocols import Batch, Decoded, Limits, Payload, Predictions
from service.protocols.instances import (
    Encoded,
    Instance,
    Numbers,
    decode_instances,
    read_instances,
    read_integer_images,
)

NAME = "tfserving"
EXPLAINS = False
SIGNATURE = "serving_default"
EXPECTED = '{"instances": [image, ...]} or {"inputs": [image, ...]}'


class Column(msgspec.Struct, forbid_unknown_fields=True):
    """The whole batch under the input's name."""

    image: list[Numbers]


# Numbers or a picture, bare or under the input's name.
Row = Numbers | dict[str, Numbers | dict[str, str] | str]


class Content(msgspec.Struct):
    """The body; other keys are ignored, as in TensorFlow Serving."""

    instances: list[Row] | None = None
    inputs: list[Numbers] | Column | None = None
    signature_name: str | None = SIGNATURE


_decoder = msgspec.json.Decoder(Content)


def read_head(headers: Headers, parameters: Mapping[str, str]) -> None:
    """Return no options: the body has them all, whatever the Content-Type."""


def decode(options: None, bodies: Sequence[bytes], limits: Limits) -> Batch:
    """Decode rows (``instances``) or a column (``inputs``).

    The options of a request are the key of its reply: predictions for rows, outputs for a
    column. Refusals: 400 malformed, 413 too much, 422 not images of digits.
    """
    return Batch.of(lambda body: _decode(body, limits), bodies, limits)


def encode(
    batch: Batch, predictions: Predictions, name: str, version: int
) -> list[Payload]:
    """Encode the ten probabilities of each image."""
    return [
        Payload(
            orjson.dumps(
                {key: predictions.probabilities[span]}, option=orjson.OPT_SERIALIZE_NUMPY
            )
        )
        for key, span in zip(batch.options, batch.spans)
    ]


def _decode(body: bytes, limits: Limits) -> Decoded:
    integers = read_integer_images([body], limits)
    if integers is not None:
        return Decoded(integers[0], "predictions")
    return read(decode_instances(_decoder, body, EXPECTED, limits.images), limits)


def read(found: Content, limits: Limits, expected: str = EXPECTED) -> Decoded:
    """Return the images of a body, and the key of its reply.

    Raises:
        RequestError: 400 another signature, or not rows or columns; and as
            `read_instances`.
    """
    if found.signature_name not in (SIGNATURE, "", None):  # the last two: left out
        raise RequestError(
            400, f"signature_name is {found.signature_name!r:.100}, expected {SIGNATURE}"
        )
    if (found.instances is None) == (found.inputs is None):
        keys = "neither" if found.instances is None else "both"
        raise RequestError(
            400, f"found {keys} of instances and inputs, expected {expected}"
        )
    if found.instances is not None:
        images = _rows(found.instances)
        return read_instances(images, limits)._replace(options="predictions")
    column = found.inputs.image if isinstance(found.inputs, Column) else found.inputs
    return read_instances(list(column or ()), limits)._replace(options="outputs")


def _rows(rows: list) -> list[Instance]:  # type: ignore[type-arg]
    """Return instances without the objects around them: all have one, or none."""
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
