"""Inference requests, whatever their dialect and whichever server received them.

Requests that are there at the same time are predicted together: a call of the model costs
some 8 µs and an image 1 µs more. None waits for others, and the probabilities of an image
do not depend on which others are in the batch (a test compares them to the bit).
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np

from service.errors import RequestError
from service.metrics import Metrics
from service.model import Model
from service.protocols import (
    Answer,
    Dialect,
    Limits,
    Question,
    Request,
    blanks,
    oip,
    predict,
    scale,
    tfserving,
)
from service.replies import Reply

# Every route that runs the model, and the dialect it speaks.
ROUTES: dict[str, Dialect] = {
    "/predict": predict,
    "/v1/models/<model>:predict": tfserving,
    "/v1/models/<model>/versions/<int:version>:predict": tfserving,
    "/v2/models/<model>/infer": oip,
    "/v2/models/<model>/versions/<int:version>/infer": oip,
}

# A part of as many images, 200 kB as float32, stays in a core's cache while it is
# predicted; more at once are no faster.
MOST_IMAGES = 64


class Asked(NamedTuple):
    """A request, and who is to answer it."""

    dialect: Dialect
    request: Request
    model: Model


class _Decoded(NamedTuple):
    place: int
    asked: Asked
    question: Question
    seconds: float


def answer(
    batch: Sequence[Asked], metrics: Metrics, limits: Limits
) -> list[Reply | RequestError]:
    """Decode requests, predict them together, encode the replies; count each of them.

    Returns:
        For each request its reply, or why it cannot be answered.
    """
    results: dict[int, Reply | RequestError] = {}
    groups: dict[tuple[int, np.dtype[Any]], list[_Decoded]] = defaultdict(list)
    for index, asked in enumerate(batch):
        start = perf_counter()
        try:
            question = asked.dialect.decode(asked.request, limits)
        except RequestError as error:
            metrics.count_refusal(asked.model.version, perf_counter() - start)
            results[index] = error
            continue
        decoded = _Decoded(index, asked, question, perf_counter() - start)
        groups[asked.model.version, question.pixels.dtype].append(decoded)
    for group in groups.values():
        for part in _parts(group):
            _answer_group(part, metrics, results)
    return [results[index] for index in range(len(batch))]


def _parts(group: list[_Decoded]) -> Iterator[list[_Decoded]]:
    """Cut a group into parts of up to MOST_IMAGES, or of one request that has more."""
    part: list[_Decoded] = []
    images = 0
    for decoded in group:
        images += len(decoded.question.pixels)
        if part and images > MOST_IMAGES:
            yield part
            part, images = [], len(decoded.question.pixels)
        part.append(decoded)
    if part:
        yield part


def _answer_group(
    group: list[_Decoded], metrics: Metrics, results: dict[int, Reply | RequestError]
) -> None:
    """Answer requests of one version, whose pixels are of one dtype."""
    start = perf_counter()
    pixels = group[0].question.pixels
    if len(group) > 1:
        pixels = np.concatenate([decoded.question.pixels for decoded in group])
    blank = blanks(pixels)
    if np.count_nonzero(blank):
        group = _refuse_blanks(group, metrics, results)
        if group:
            _answer_group(group, metrics, results)
        return
    model = group[0].asked.model
    probabilities = model.predict(scale(pixels))
    digits = probabilities.argmax(axis=1)
    metrics.count_predictions(model.version, digits)
    answered = Answer(probabilities, digits.tolist())
    infer = perf_counter() - start
    first = 0
    for decoded in group:
        end = first + len(decoded.question.pixels)
        found = Answer(answered.probabilities[first:end], answered.digits[first:end])
        results[decoded.place] = _encode(decoded, found, infer, metrics)
        first = end


def _refuse_blanks(
    group: list[_Decoded], metrics: Metrics, results: dict[int, Reply | RequestError]
) -> list[_Decoded]:
    """Refuse images of one grey level (422), and return the requests without any."""
    others = []
    for decoded in group:
        pixels = decoded.question.pixels
        blank = blanks(pixels)
        if not blank.any():
            others.append(decoded)
            continue
        index = int(blank.argmax())
        metrics.count_refusal(decoded.asked.model.version, decoded.seconds)
        results[decoded.place] = RequestError(
            422,
            f"image {index} has no ink: every pixel is {pixels[index, 0]:g}, expected a "
            "digit, white on black",
        )
    return others


def _encode(decoded: _Decoded, found: Answer, infer: float, metrics: Metrics) -> Reply:
    """Write the reply; ``infer`` are the seconds that the whole batch took."""
    start = perf_counter()
    dialect, _, model = decoded.asked
    content = dialect.encode(decoded.question, found, model.name, model.version)
    seconds = (decoded.seconds, infer, perf_counter() - start)
    metrics.count_inference(model.version, len(found.digits), seconds)
    decode, infer, encode = [1000 * stage for stage in seconds]
    timing = f"decode;dur={decode:.3f}, infer;dur={infer:.3f}, encode;dur={encode:.3f}"
    headers = {"Content-Type": content.content_type, **content.headers}
    return Reply(200, content.body, {**headers, "Server-Timing": timing})


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
