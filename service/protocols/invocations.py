"""``POST /invocations``: the path of SageMaker's containers and of MLflow's models.

Bodies and replies are those of ``/predict``. MLflow's clients also send the rows and
columns of TensorFlow Serving, and a pandas DataFrame with a column per pixel.

Sources: AWS, "Use Your Own Inference Code with Hosting Services"; MLflow,
``mlflow/pyfunc/scoring_server``.
"""

from collections.abc import Mapping, Sequence

import msgspec

from service.errors import RequestError
from service.http import JSON, Headers
from service.protocols import (
    Batch,
    Decoded,
    Limits,
    Payload,
    Predictions,
    predict,
    tfserving,
)
from service.protocols.instances import (
    Numbers,
    decode_instances,
    read_instances,
    read_integer_images,
)

NAME = "invocations"
EXPLAINS = False
EXPECTED = (
    '{"instances": [image, ...]}, {"inputs": [image, ...]} or '
    '{"dataframe_split": {"data": [[pixel, ...], ...]}}'
)


class Frame(msgspec.Struct):
    """A pandas DataFrame, a row per image; its index and columns' names are ignored."""

    data: list[Numbers]


class Content(tfserving.Content):
    """The JSON body; other keys, such as MLflow's ``params``, are ignored."""

    dataframe_split: Frame | None = None


_decoder = msgspec.json.Decoder(Content)


def read_head(headers: Headers, parameters: Mapping[str, str]) -> predict.Options:
    """Read the types of body and reply; raises as ``/predict``."""
    return predict.read_head(headers, parameters)


def decode(options: predict.Options, bodies: Sequence[bytes], limits: Limits) -> Batch:
    """Decode JSON of any form, and other bodies as ``/predict``; refused as there."""
    if options.content_type != JSON:
        return predict.decode(options, bodies, limits)
    integers = read_integer_images(bodies, limits)
    if integers is not None:
        return Batch(*integers, [options] * len(bodies))
    return Batch.of(
        lambda body: _decode(body, limits)._replace(options=options), bodies, limits
    )


def encode(
    batch: Batch, predictions: Predictions, name: str, version: int
) -> list[Payload]:
    """Encode the reply of ``/predict``, which MLflow's clients take for records."""
    return predict.encode(batch, predictions, name, version)


def _decode(body: bytes, limits: Limits) -> Decoded:
    found = decode_instances(_decoder, body, EXPECTED, limits.images)
    if found.dataframe_split is None:
        return tfserving.read(found, limits, EXPECTED)
    if found.instances is not None or found.inputs is not None:
        raise RequestError(400, f"found more than dataframe_split, expected {EXPECTED}")
    return read_instances(list(found.dataframe_split.data), limits)
