"""Answering inference requests that are there at the same time, whatever their dialect.

Those of one kind are predicted together: a call of the model costs some 8 µs, and each
image 1 µs more. None waits for others, and the probabilities of an image do not depend on
what else is in the batch (a test compares them to the bit).
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from time import perf_counter
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from service.errors import RequestError
from service.http import INTERNAL_ERROR, Reply, refusal, request_ids
from service.inference.target import Target
from service.model.layers import forward, not_dense
from service.model.version import Model
from service.monitoring.metrics import Metrics
from service.monitoring.outcome import Outcome, Stages
from service.protocols import (
    Batch,
    Dialect,
    Images,
    LayerActivity,
    Limits,
    Predictions,
    blanks,
    scale,
)
from service.protocols.compression import inflate

# Bodies that are predicted together have at most this many bytes: 80 images as bytes, 25
# in JSON. More would not stay in a core's cache, and are no faster.
MOST_BYTES = 1 << 16

# Learns that requests of a kind, with so many bytes in all, took so many seconds.
Learn = Callable[[int, int, float], None]


class Call(NamedTuple):
    """A request to answer.

    Attributes:
        target: what its head asks for.
        body: its complete body, within the limit.
        request_id: the client's, if it is sane.
    """

    target: Target
    body: bytes
    request_id: str = ""


class _Answered(NamedTuple):
    """What became of calls that were answered together."""

    places: Sequence[int]
    replies: Sequence[Reply]
    stages: Stages | None = None
    error: Exception | None = None


class Answerer:
    """Answers batches.

    Args:
        limits: most images and pixels of a request.
        max_body_bytes: most bytes of an inflated body.
        metrics: where predictions are counted.
    """

    def __init__(self, limits: Limits, max_body_bytes: int, metrics: Metrics) -> None:
        self._limits, self._metrics = limits, metrics
        self._max_body_bytes = max_body_bytes

    def answer(self, calls: Sequence[Call], learn: Learn | None = None) -> list[Outcome]:
        """Answer calls that are there at the same time; the outcomes have their order."""
        start = perf_counter()
        ids = request_ids([call.request_id for call in calls])
        answered: list[_Answered] = []
        for places in _runs(calls):
            began = perf_counter()
            found = self._answer(places, calls)
            answered += found
            if learn and all(x.status == 200 for it in found for x in it.replies):
                size = sum([len(calls[place].body) for place in places])
                learn(calls[places[0]].target.kind, size, perf_counter() - began)
        seconds = perf_counter() - start
        outcomes: dict[int, Outcome] = {}
        for run, replies, stages, error in answered:
            target = calls[run[0]].target
            version = target.version
            for place, reply in zip(run, replies):
                outcomes[place] = Outcome(
                    "POST",
                    target.route,
                    version,
                    ids[place],
                    reply,
                    len(calls[place].body),
                    seconds,
                    stages,
                    error,
                )
        return [outcomes[place] for place in range(len(calls))]

    def _answer(self, places: Sequence[int], calls: Sequence[Call]) -> list[_Answered]:
        """Answer calls of one kind together, or one by one if that hits a bug."""
        bodies = [calls[place].body for place in places]
        try:
            replies, stages = self._reply(calls[places[0]].target, bodies)
            if len(replies) != len(places):  # no client must ever get another's reply
                raise RuntimeError(f"{len(replies)} replies, expected {len(places)}")
            return [_Answered(places, replies, stages)]
        except RequestError as error:
            return [_Answered(places, [refusal(error)] * len(places))]
        except Exception as error:
            if len(places) == 1:
                return [_Answered(places, [INTERNAL_ERROR], None, error)]
            return [it for place in places for it in self._answer([place], calls)]

    def _reply(
        self, target: Target, bodies: Sequence[bytes]
    ) -> tuple[list[Reply], Stages | None]:
        """Decode requests of one kind, predict their images together, and encode.

        Raises:
            RequestError: all of them are refused.
        """
        # Never raised: a target keeps its errors, and each would keep a traceback.
        if target.refusal is not None:
            return [refusal(target.refusal)] * len(bodies), None
        assert target.dialect is not None
        assert target.model is not None
        if target.encoding:
            bodies = [inflate(bodies[0], target.encoding, self._max_body_bytes)]
        start = perf_counter()
        if isinstance(target.options, RequestError):
            for _ in bodies:
                self._metrics.count_refusal(target.model.version, perf_counter() - start)
            return [refusal(target.options)] * len(bodies), None
        batch = target.dialect.decode(target.options, bodies, self._limits)
        blank = blanks(batch.pixels)
        if np.count_nonzero(blank):
            batch = _refuse_blanks(batch, blank, len(bodies))
        replies: list[Reply] = []
        stages = None
        if batch.counts:
            decode = perf_counter() - start
            replies, stages = self._predict(target.dialect, target.model, batch, decode)
        if batch.refused:
            replies = self._merge(replies, batch.refused, len(bodies))
            for _ in batch.refused:
                self._metrics.count_refusal(target.model.version, perf_counter() - start)
        return replies, stages

    def _predict(
        self, dialect: Dialect, model: Model, batch: Batch, decode: float
    ) -> tuple[list[Reply], Stages]:
        """Answer what has been decoded in the given number of seconds."""
        start = perf_counter()
        images = scale(batch.pixels)
        probabilities = model.predict(images)
        digits = probabilities.argmax(axis=1)
        confidence = np.maximum.reduce(probabilities, axis=1)
        unsure = None
        if model.unsure_below is not None:
            unsure = (confidence < model.unsure_below).tolist()
        layers = _activity(model, images) if dialect.NEEDS_LAYERS else None
        version = model.version
        self._metrics.count_predictions(version, digits, confidence, sum(unsure or ()))
        predictions = Predictions(probabilities, digits.tolist(), unsure, layers)
        infer = perf_counter() - start
        payloads = dialect.encode(batch, predictions, model.name, version)
        stages = Stages(decode, infer, perf_counter() - start - infer)
        self._metrics.count_batch(dialect.NAME, version, batch.counts, stages)
        timing = (("Server-Timing", _server_timing(stages)),)
        replies = [
            Reply(200, body, content_type, headers + timing, "", images)
            for (body, content_type, headers), images in zip(payloads, batch.counts)
        ]
        return replies, stages

    @staticmethod
    def _merge(
        replies: Sequence[Reply], refused: Mapping[int, RequestError], total: int
    ) -> list[Reply]:
        """Put refusals where they belong among the replies."""
        answered = iter(replies)
        return [
            refusal(refused[place]) if place in refused else next(answered)
            for place in range(total)
        ]


def _server_timing(stages: Stages) -> str:
    """Return the header Server-Timing; in milliseconds."""
    decode, infer, encode = stages
    return (
        f"decode;dur={1000 * decode:.3f}, infer;dur={1000 * infer:.3f}, "
        f"encode;dur={1000 * encode:.3f}"
    )


def _activity(model: Model, images: Images) -> list[LayerActivity]:
    """Return what each layer makes of the images.

    Raises:
        RequestError: 404, the network has other layers than dense ones.
    """
    if model.layers is None:
        raise not_dense(model.name, model.version)
    return [
        LayerActivity(layer.activation, *output)
        for layer, output in zip(model.layers, forward(model.layers, images))
    ]


def _refuse_blanks(batch: Batch, blank: npt.NDArray[np.bool_], total: int) -> Batch:
    """Refuse requests with an image of one grey level (422), and return the others."""
    pixels, counts, options, refused = batch
    places = [place for place in range(total) if place not in refused]
    refused, rows, kept = dict(refused), np.ones(len(pixels), bool), []
    for index, (place, span) in enumerate(zip(places, batch.spans)):
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
    return Batch(pixels[rows], counts, options, refused)


def _runs(calls: Sequence[Call]) -> Iterator[list[int]]:
    """Yield the places of calls to answer together: of one kind, and not too many bytes."""
    groups: dict[int, list[int]] = defaultdict(list)
    for place, call in enumerate(calls):
        target = call.target
        groups[-1 - place if target.alone else target.kind].append(place)
    for places in groups.values():
        run: list[int] = []
        size = 0
        for place in places:
            length = len(calls[place].body)
            if run and size + length > MOST_BYTES:
                yield run
                run, size = [], 0
            run.append(place)
            size += length
        yield run
