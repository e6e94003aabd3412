"""``POST /explain``: one image as in ``/predict``, and how the model came to its answer."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import orjson

from service.http import Headers
from service.pictures.frame import SIDE
from service.protocols import Batch, Limits, Payload, Predictions, predict

NAME = "explain"
EXPLAINS = True


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
    """Encode the reply of ``/predict``, each layer, and why it is this digit.

    ``why`` is null for networks where the pixels' contributions cannot be told.
    """
    assert predictions.explanation is not None  # EXPLAINS
    layers, contributions = predictions.explanation
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
        why = contributions and {
            "digit": predictions.digits[row],
            "runner_up": contributions.runners_up[row],
            "lead": contributions.leads[row],
            "biases": contributions.biases[row],
            "pixels": contributions.pixels[row].astype(np.float32).reshape(SIDE, SIDE),
        }
        text = orjson.dumps({"layers": rows, "why": why}, option=orjson.OPT_SERIALIZE_NUMPY)
        payloads.append(Payload(payload.body[:-1] + b"," + text[1:]))
    return payloads
