"""A shadow: the worker asks it when it has time, and counts whether it agrees.

It gets what the default version has answered, after that. Nobody sees its answers.
"""

import logging
from collections import deque
from collections.abc import Sequence
from time import perf_counter

import numpy as np

from service.inference.batch import Asked
from service.inference.target import Target
from service.inference.traffic import Shadow, is_chosen
from service.model.repository import Repository
from service.monitoring.metrics import Metrics
from service.monitoring.outcome import Outcome
from service.protocols import Limits, scale
from service.protocols.compression import inflate

logger = logging.getLogger(__name__)

# What waits for a shadow, in a worker: what arrives in half a second at 500 requests a
# second, between two sweeps, and a mebibyte of bodies.
MOST_CALLS, MOST_BYTES = 256, 1 << 20
# Seconds that a request may have taken and be mirrored, with all that it was answered with:
# others wait for as long once more.
LONGEST_S = 0.005
# Seconds of a slice of mirroring, after which the worker looks at its sockets.
SLICE_S = 0.001


class Mirror:
    """Compares a shadow with the default version, after the default has answered.

    Args:
        shadow: which version, and its share.
        repository: the versions that are served.
        limits: most images and pixels of a request.
        max_body_bytes: most bytes of an inflated body.
        metrics: where the comparisons are counted.
    """

    def __init__(
        self,
        shadow: Shadow,
        repository: Repository,
        limits: Limits,
        max_body_bytes: int,
        metrics: Metrics,
    ) -> None:
        self._percent = shadow.percent
        self._default, self._model = repository.default, repository.models[shadow.version]
        self._limits, self._max_body_bytes = limits, max_body_bytes
        self._metrics = metrics
        self._waiting: deque[tuple[Target, bytes]] = deque()
        self._bytes = 0
        self._has_failed = False
        metrics.start_shadow(shadow.version)

    def note(self, calls: Sequence[Asked], outcomes: Sequence[Outcome | None]) -> None:
        """Keep what is to be mirrored; what there is no room or time for is shed."""
        for call, outcome in zip(calls, outcomes):
            if outcome is None or outcome.stages is None or outcome.reply.status != 200:
                continue
            if call.target.model is not self._default:
                continue
            if not is_chosen(outcome.request_id, self._percent, b"shadow"):
                continue
            size, took = len(call.body), outcome.stages.decode + outcome.stages.infer
            full = len(self._waiting) == MOST_CALLS or self._bytes + size > MOST_BYTES
            if full or took > LONGEST_S:
                self._metrics.count_shadow(self._model.version, "shed")
                continue
            self._waiting.append((call.target, call.body))
            self._bytes += size

    def run(self) -> bool:
        """Compare for a slice of time; return whether more is waiting."""
        until = perf_counter() + SLICE_S
        while self._waiting and perf_counter() < until:
            target, body = self._waiting.popleft()
            self._bytes -= len(body)
            try:
                self._compare(target, body)
                self._metrics.count_shadow(self._model.version, "compared")
            except Exception:
                self._metrics.count_shadow(self._model.version, "failed")
                if not self._has_failed:  # once, or the log would hold nothing else
                    logger.exception("shadow version %d failed", self._model.version)
                self._has_failed = True
        return bool(self._waiting)

    def _compare(self, target: Target, body: bytes) -> None:
        assert target.dialect is not None  # it was answered
        if target.encoding:
            body = inflate(body, target.encoding, self._max_body_bytes)
        batch = target.dialect.decode(target.options, [body], self._limits)
        images = scale(batch.pixels)
        # Asked once more: what it answered is not in the outcome, and is the same.
        expected = self._default.predict(images).argmax(axis=1)
        found = self._model.predict(images)
        digits = found.argmax(axis=1)
        agree = int(np.count_nonzero(digits == expected))
        confidence = found[np.arange(len(digits)), digits]
        self._metrics.count_comparison(self._model.version, agree, confidence)
