"""Answering inference requests that are there at the same time, whatever their dialect.

Those of one kind are predicted together: a call of the model costs some 8 µs, and each
image 1 µs more. None waits for others, and the probabilities of an image do not depend on
what else is in the batch (a test compares them to the bit).
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from math import inf
from time import perf_counter
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from service.errors import RequestError
from service.http import INTERNAL_ERROR, Reply, refusal, request_ids
from service.inference.deadline import too_late
from service.inference.predictions import predict
from service.inference.target import Target
from service.model.version import Model
from service.monitoring.metrics import Metrics
from service.monitoring.outcome import Outcome, Stages
from service.protocols import Batch, Dialect, Limits, blanks, no_ink
from service.protocols.compression import inflate

# Bodies that are predicted together have at most this many bytes: 330 images as bytes, 100
# in JSON. Of four times fewer, requests of 64 images as bytes take 1.18 times as long, and
# of 16 in JSON 1.4 times; more would not stay in a core's cache (AMD EPYC, 1 MiB).
MOST_BYTES = 1 << 18

# Called for requests that were answered or refused together: their kind, the bytes of their
# bodies, and the seconds they took.
Learn = Callable[[int, int, float], None]
# Called before requests are answered together; returns which of their places stay.
Stay = Callable[[list[int]], list[int]]


class Asked(Protocol):
    """A request to answer, with whatever else its door needs to know.

    Attributes:
        target: what its head asks for.
        body: its complete body, within the limit.
        request_id: the client's, if it is sane, else empty.
        since: when it was read, by ``time.perf_counter``.
    """

    @property
    def target(self) -> Target: ...  # noqa: D102
    @property
    def body(self) -> bytes: ...  # noqa: D102
    @property
    def request_id(self) -> str: ...  # noqa: D102
    @property
    def since(self) -> float: ...  # noqa: D102


class Call(NamedTuple):
    """A request to answer, and no more."""

    target: Target
    body: bytes
    request_id: str = ""
    since: float = inf


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

    def answer(
        self,
        calls: Sequence[Asked],
        learn: Learn | None = None,
        until: float = inf,
        stay: Stay | None = None,
    ) -> list[Outcome | None]:
        """Answer calls that are there at the same time: see `Inference.answer`.

        Returns:
            The outcome of each call; None if there was no time for it, or no client.
        """
        start = perf_counter()
        ids = request_ids([call.request_id for call in calls])
        limits = Limits(self._limits.images, self._limits.pixels, until)
        answered: list[_Answered] = []
        began = start
        for places in _runs(calls):
            if answered and began > until:
                break
            if stay is not None:
                places = stay(places)
            if places and calls[places[0]].target.timeout_s is not None:
                late = self._refuse_late(places, calls, began)
                answered += late.values()
                places = [place for place in places if place not in late]
            if not places:
                continue
            found = self._answer(places, calls, limits)
            answered += found
            ended = perf_counter()
            if learn:
                done = [place for it in found for place in it.places]
                size = sum([len(calls[place].body) for place in done])
                learn(calls[places[0]].target.kind, size, ended - began)
            began = ended
        seconds = began - start
        outcomes: list[Outcome | None] = [None] * len(calls)
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
        return outcomes

    def _refuse_late(
        self, places: Sequence[int], calls: Sequence[Asked], now: float
    ) -> dict[int, _Answered]:
        """Refuse calls that are too late; they teach nothing about their kind's cost."""
        late = {}
        for place in places:
            call = calls[place]
            waited, allowed = now - call.since, call.target.allowed_s(call.body)
            if waited >= allowed:
                late[place] = _Answered([place], [refusal(too_late(waited, allowed))])
                if call.target.version is not None:
                    self._metrics.count_refusal(call.target.version, 0)
        return late

    def _answer(
        self, places: Sequence[int], calls: Sequence[Asked], limits: Limits
    ) -> list[_Answered]:
        """Answer calls of one kind together, or one by one if that hits a bug.

        Those at the end for which there is no time are left out.
        """
        bodies = [calls[place].body for place in places]
        try:
            replies, stages, left = self._reply(calls[places[0]].target, bodies, limits)
            if len(replies) + left != len(places):  # nobody must get another's reply
                raise RuntimeError(f"{len(replies)} replies, expected {len(places) - left}")
            return [_Answered(places[: len(replies)], replies, stages)]
        except RequestError as error:
            return [_Answered(places, [refusal(error)] * len(places))]
        except Exception as error:
            if len(places) == 1:
                return [_Answered(places, [INTERNAL_ERROR], None, error)]
            return [it for place in places for it in self._answer([place], calls, limits)]

    def _reply(
        self, target: Target, bodies: Sequence[bytes], limits: Limits
    ) -> tuple[list[Reply], Stages | None, int]:
        """Decode requests of one kind, predict their images together, and encode.

        Returns:
            The replies, the time of each stage, and for how many there was no time.

        Raises:
            RequestError: all of them are refused.
        """
        # Never raised: a target keeps its errors, and each would keep a traceback.
        if target.refusal is not None:
            return [refusal(target.refusal)] * len(bodies), None, 0
        assert target.dialect is not None
        assert target.model is not None
        if target.encoding:
            bodies = [inflate(bodies[0], target.encoding, self._max_body_bytes)]
        start = perf_counter()
        if isinstance(target.options, RequestError):
            for _ in bodies:
                self._metrics.count_refusal(target.model.version, perf_counter() - start)
            return [refusal(target.options)] * len(bodies), None, 0
        batch = target.dialect.decode(target.options, bodies, limits)
        blank = blanks(batch.pixels)
        if blank is not None:
            batch = _refuse_blanks(batch, blank, len(bodies) - batch.left)
        replies: list[Reply] = []
        stages = None
        if batch.counts:
            decode = perf_counter() - start
            replies, stages = self._predict(target.dialect, target.model, batch, decode)
        if batch.refused:
            replies = self._merge(replies, batch.refused, len(bodies) - batch.left)
            for _ in batch.refused:
                self._metrics.count_refusal(target.model.version, perf_counter() - start)
        return replies, stages, batch.left

    def _predict(
        self, dialect: Dialect, model: Model, batch: Batch, decode: float
    ) -> tuple[list[Reply], Stages]:
        """Answer what has been decoded in the given number of seconds."""
        start = perf_counter()
        predictions = predict(model, batch.pixels, dialect.EXPLAINS, self._metrics)
        version = model.version
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


def _refuse_blanks(batch: Batch, blank: npt.NDArray[np.bool_], total: int) -> Batch:
    """Refuse requests with an image without ink (422), and return the others."""
    pixels, counts, options, refused, left, several = batch
    places = [place for place in range(total) if place not in refused]
    refused, rows, kept = dict(refused), np.ones(len(pixels), bool), []
    for index, (place, span) in enumerate(zip(places, batch.spans)):
        if not blank[span].any():
            kept.append(index)
            continue
        rows[span] = False
        image = int(blank[span].argmax())
        refused[place] = no_ink(pixels[span], image)
    counts, options = [counts[i] for i in kept], [options[i] for i in kept]
    places_left = np.cumsum(rows) - 1
    several = [int(places_left[row]) for row in several if rows[row]]
    return Batch(pixels[rows], counts, options, refused, left, several)


def _runs(calls: Sequence[Asked]) -> Iterator[list[int]]:
    """Yield the places of calls to answer together: of one kind, and not too many bytes."""
    if len(calls) == 1:
        yield [0]
        return
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
