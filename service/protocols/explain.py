"""``POST /explain``: one image as in ``/predict``, and what every layer makes of it."""

from collections.abc import Mapping, Sequence

import orjson

from service.errors import RequestError
from service.layers import forward
from service.protocols import (
    Answer,
    Body,
    Headers,
    Limits,
    Questions,
    Reply,
    predict,
    scale,
)

NAME = "explain"


def read_head(headers: Headers, parameters: Mapping[str, str]) -> predict.Options:
    """Read the type of the body; the reply is JSON and has the frame.

    Raises:
        RequestError: 400 an unknown parameter, 415 another type of body.
    """
    return predict.read_head(headers, parameters)._replace(echo=True, raw=False)


def decode(asked: predict.Options, bodies: Sequence[Body], limits: Limits) -> Questions:
    """Read one image a request; refused as in ``/predict``, and 413 a second image."""
    return predict.decode(asked, bodies, limits._replace(images=1))


def encode(questions: Questions, answer: Answer, name: str, version: int) -> list[Reply]:
    """Write what ``/predict`` would, and of each layer the sums and the activations.

    Raises:
        RequestError: 404, the network is not dense layers alone.
    """
    if answer.layers is None:
        raise not_dense(name, version)
    outcomes = forward(answer.layers, scale(questions.pixels))
    replies = []
    # A request has one image, so a reply is a row of the outcomes.
    for row, reply in enumerate(predict.encode(questions, answer, name, version)):
        layers = [
            {
                "activation": layer.activation,
                "sums": outcome.sums[row],
                "activations": outcome.activations[row],
            }
            for layer, outcome in zip(answer.layers, outcomes)
        ]
        text = orjson.dumps(layers, option=orjson.OPT_SERIALIZE_NUMPY)
        replies.append(Reply(reply.body[:-1] + b',"layers":%b}' % text))
    return replies


def not_dense(name: str, version: int) -> RequestError:
    """Return why a network's layers cannot be shown."""
    return RequestError(
        404,
        f"model {name!r} version {version} has layers of other kinds, expected dense "
        "layers with relu, sigmoid or softmax",
    )
