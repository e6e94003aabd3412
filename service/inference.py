"""Inference requests, whatever their dialect and whichever server received them.

Requests that are there at the same time are predicted together: a call of the model costs
some 8 µs and an image 1 µs more. None waits for others, and the probabilities of an image
do not depend on which others are in the batch (a test compares them to the bit).
"""

from collections.abc import Mapping, Sequence
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from service.errors import RequestError
from service.metrics import Metrics
from service.model import Model
from service.protocols import (
    Answer,
    Body,
    Dialect,
    Headers,
    Limits,
    Questions,
    blanks,
    explain,
    oip,
    predict,
    scale,
    tfserving,
)
from service.replies import Reply

# Every route that runs the model, and the dialect it speaks.
ROUTES: dict[str, Dialect] = {
    "/predict": predict,
    "/explain": explain,
    "/v1/models/<model>:predict": tfserving,
    "/v1/models/<model>/versions/<int:version>:predict": tfserving,
    "/v2/models/<model>/infer": oip,
    "/v2/models/<model>/versions/<int:version>/infer": oip,
}

# Bodies that are predicted together have no more bytes than this: 80 images as bytes, 25
# in JSON. More do not stay in a core's cache, and are no faster.
MOST_BYTES = 1 << 16


class Head(NamedTuple):
    """What a request's head says, which is the same for all requests with that head.

    Attributes:
        dialect: how the body is to be read.
        model: who is to answer.
        asked: what the dialect has read in it, or why it cannot be answered.
    """

    dialect: Dialect
    model: Model
    asked: Any


def read_head(
    dialect: Dialect, model: Model, headers: Headers, parameters: Mapping[str, str]
) -> Head:
    """Read a head once for all requests that have it."""
    try:
        return Head(dialect, model, dialect.read_head(headers, parameters))
    except RequestError as error:
        return Head(dialect, model, error.with_traceback(None))  # kept with the head


def is_form(head: Head) -> bool:
    """Say whether the body is a form, which the server is to take apart."""
    asked = head.asked
    return isinstance(asked, predict.Options) and asked.content_type == predict.FORM_DATA


def answer(
    head: Head, bodies: Sequence[Body], metrics: Metrics, limits: Limits
) -> list[Reply | RequestError]:
    """Decode requests with one head, predict them together, encode and count them.

    Returns:
        For each body its reply, or why it cannot be answered.
    """
    start = perf_counter()
    if isinstance(head.asked, RequestError):
        refused = dict.fromkeys(range(len(bodies)), head.asked)
        return _merge(len(bodies), [], refused, head, start, metrics)
    questions = head.dialect.decode(head.asked, bodies, limits)
    blank = blanks(questions.pixels)
    if np.count_nonzero(blank):
        questions = _refuse_blanks(questions, blank, len(bodies))
    replies = []
    if questions.counts:
        replies = _answer(head, questions, perf_counter() - start, metrics)
    if not questions.refused:
        return replies
    return _merge(len(bodies), replies, questions.refused, head, start, metrics)


def _answer(
    head: Head, questions: Questions, decode: float, metrics: Metrics
) -> list[Reply | RequestError]:
    """Answer what has been decoded, in so many seconds."""
    start = perf_counter()
    model = head.model
    probabilities = model.predict(scale(questions.pixels))
    digits = probabilities.argmax(axis=1)
    confidence = np.maximum.reduce(probabilities, axis=1)
    unsure = None
    if model.unsure_below is not None:
        unsure = (confidence < model.unsure_below).tolist()
    metrics.count_predictions(model.version, digits, confidence, sum(unsure or ()))
    answered = Answer(probabilities, digits.tolist(), unsure, model.layers)
    infer = perf_counter() - start
    replies = head.dialect.encode(questions, answered, model.name, model.version)
    seconds = (decode, infer, perf_counter() - start - infer)
    metrics.count_inference(head.dialect.NAME, model.version, questions.counts, seconds)
    timing = "decode;dur={:.3f}, infer;dur={:.3f}, encode;dur={:.3f}".format(
        *(1000 * stage for stage in seconds)
    )
    complete: dict[int, Mapping[str, str]] = {}  # by the mapping that replies may share
    for _, headers in replies:
        if id(headers) not in complete:
            complete[id(headers)] = {**headers, "Server-Timing": timing}
    return [
        Reply(200, body, complete[id(headers)], "", images)
        for (body, headers), images in zip(replies, questions.counts)
    ]


def _refuse_blanks(
    questions: Questions, blank: npt.NDArray[np.bool_], total: int
) -> Questions:
    """Refuse requests with an image of one grey level (422), and return the others."""
    pixels, counts, options, refused = questions
    places = [place for place in range(total) if place not in refused]
    refused, rows, kept = dict(refused), np.ones(len(pixels), bool), []
    for index, (place, span) in enumerate(zip(places, questions.spans)):
        if not blank[span].any():
            kept.append(index)
            continue
        rows[span] = False
        image = int(blank[span].argmax())
        refused[place] = RequestError(
            422,
            f"image {image} has no ink: every pixel is {pixels[span][image, 0]:g}, "
            "expected a digit, white on black",
            reason="no_ink",
        )
    counts, options = [counts[i] for i in kept], [options[i] for i in kept]
    return Questions(pixels[rows], counts, options, refused)


def _merge(
    total: int,
    replies: list[Reply | RequestError],
    refused: Mapping[int, RequestError],
    head: Head,
    start: float,
    metrics: Metrics,
) -> list[Reply | RequestError]:
    """Count the refusals, and put them where they belong among the replies."""
    for _ in refused:
        metrics.count_refusal(head.model.version, perf_counter() - start)
    answered = iter(replies)
    return [refused[n] if n in refused else next(answered) for n in range(total)]


def asked_version(parameters: Mapping[str, str]) -> int | None:
    """Read ``?version=``, the version where the path names none.

    Raises:
        RequestError: 400, it is no number.
    """
    version = parameters.get("version")
    if version is None:
        return None
    # Ten digits: longer than any version, shorter than what int() is slow to read.
    if not (version.isascii() and version.isdecimal() and len(version) <= 10):
        raise RequestError(400, f"version is {version!r:.100}, expected a whole number")
    return int(version)
