"""One inference request, whatever its dialect and whichever server received it."""

from time import perf_counter
from typing import NamedTuple

import numpy as np

from service.errors import RequestError
from service.metrics import STAGES, Metrics
from service.model import Model
from service.protocols import Dialect, Limits, Reply, Request


class Answer(NamedTuple):
    """A reply and the value of its ``Server-Timing`` header."""

    reply: Reply
    server_timing: str


def answer(
    dialect: Dialect, request: Request, model: Model, metrics: Metrics, limits: Limits
) -> Answer:
    """Decode the request, predict, encode the reply; measure each stage and count it.

    Raises:
        RequestError: the request cannot be answered.
    """
    start = perf_counter()
    try:
        question = dialect.decode(request, limits)
    except RequestError:
        metrics.count_refusal(model.version, perf_counter() - start)
        raise
    decoded = perf_counter()
    probabilities = model.predict(question.images)
    inferred = perf_counter()
    reply = dialect.encode(question, probabilities, model.name, model.version)
    encoded = perf_counter()
    seconds = (decoded - start, inferred - decoded, encoded - inferred)
    metrics.count_inference(model.version, np.argmax(probabilities, axis=1), seconds)
    timing = ", ".join(
        f"{stage};dur={1000 * duration:.3f}" for stage, duration in zip(STAGES, seconds)
    )
    return Answer(reply, timing)
