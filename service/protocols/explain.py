"""``POST /explain``: one image as in ``/predict``, and the output of every layer."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import orjson

from service.http import Headers
from service.protocols import Batch, Limits, Payload, Predictions, predict

NAME = "explain"
NEEDS_LAYERS = True


def read_head(headers: Headers, parameters: Mapping[str, str]) -> predict.Options:
    """Read the type of the body; the reply is JSON with the frame.

    Raises:
        RequestError: 400 an unknown parameter, 415 another type of body.
    """
    return replace(predict.read_head(headers, parameters), echo=True, raw=False)


def decode(options: predict.Options, bodies: Sequence[bytes], limits: Limits) -> Batch:
    """Decode one image per request; refused as in ``/predict``, a second image with 413."""
    one = limits._replace(images=1)
    return predict.decode(options, bodies, one, max_parts=limits.images)


def encode(
    batch: Batch, predictions: Predictions, name: str, version: int
) -> list[Payload]:
    """Encode the reply of ``/predict`` with the sums and activations of each layer."""
    layers = predictions.layers
    assert layers is not None  # NEEDS_LAYERS
    payloads = []
    # A request has one image, so its index is its row.
    for row, payload in enumerate(predict.encode(batch, predictions, name, version)):
        rows = [
            {
                "activation": layer.activation,
                "sums": layer.sums[row],
                "activations": layer.activations[row],
            }
            for layer in layers
        ]
        text = orjson.dumps(rows, option=orjson.OPT_SERIALIZE_NUMPY)
        payloads.append(Payload(payload.body[:-1] + b',"layers":%b}' % text))
    return payloads
