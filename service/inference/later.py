"""What is done with answered requests later, when the worker has time: nobody waits.

Requests that a reader wants are kept, decoded once more, and answered once more by the
version that has answered them, which gives the same. So the way to an answer knows nothing
of its readers.
"""

import logging
from collections import deque
from collections.abc import Callable, Sequence
from time import perf_counter
from typing import NamedTuple, Protocol

from service.inference.batch import Asked
from service.inference.target import Target
from service.model.version import Model
from service.monitoring.outcome import Outcome
from service.protocols import Images, Limits, Probabilities, scale
from service.protocols.compression import inflate

logger = logging.getLogger(__name__)

# What is kept, in a worker: what arrives in half a second at 500 requests a second, between
# two sweeps, and a mebibyte of bodies.
MOST_CALLS, MOST_BYTES = 256, 1 << 20
# Seconds that a request may have taken and be kept, with all that it was answered with:
# others wait for as long once more.
LONGEST_S = 0.005
# Seconds of a slice of reading, after which the worker looks at its sockets.
SLICE_S = 0.001


class Seen(NamedTuple):
    """A request that was answered.

    Attributes:
        request_id: the reply's.
        model: the version that has answered.
        images: float32 ``[n, 784]``, 0 to 1.
        probabilities: float32 ``[n, 10]``, as in the reply.
    """

    request_id: str
    model: Model
    images: Images
    probabilities: Probabilities


class Reader(Protocol):
    """Reads requests that were answered.

    Attributes:
        NAME: for the log.
    """

    NAME: str

    def wants(self, target: Target, request_id: str) -> bool:
        """Return whether to keep a request."""

    def read(self, seen: Seen) -> None:
        """Read one; whatever it raises is logged once and counted."""

    def count(self, result: str) -> None:
        """Count a request that was ``shed`` for lack of room or time, or has ``failed``."""

    def job(self) -> Callable[[], None] | None:
        """Return what is left to do in a thread, if anything."""


class Later:
    """Keeps requests for readers.

    Args:
        readers: the readers.
        limits: most images and pixels of a request.
        max_body_bytes: most bytes of an inflated body.
    """

    def __init__(
        self, readers: Sequence[Reader], limits: Limits, max_body_bytes: int
    ) -> None:
        self._readers, self._limits = readers, limits
        self._max_body_bytes = max_body_bytes
        self._waiting: deque[tuple[Target, bytes, str, list[Reader]]] = deque()
        self._bytes = 0
        self._failed: set[Reader] = set()

    def note(self, calls: Sequence[Asked], outcomes: Sequence[Outcome | None]) -> None:
        """Keep requests that were answered."""
        for call, outcome in zip(calls, outcomes):
            if outcome is None or outcome.stages is None or outcome.reply.status != 200:
                continue
            target, used_id, size = call.target, outcome.request_id, len(call.body)
            readers = [each for each in self._readers if each.wants(target, used_id)]
            if not readers:
                continue
            took = outcome.stages.decode + outcome.stages.infer
            full = len(self._waiting) == MOST_CALLS or self._bytes + size > MOST_BYTES
            if full or took > LONGEST_S:
                for reader in readers:
                    reader.count("shed")
                continue
            self._waiting.append((target, call.body, used_id, readers))
            self._bytes += size

    def run(self) -> bool:
        """Let the readers read for a slice of time; return whether more is waiting."""
        until = perf_counter() + SLICE_S
        while self._waiting and perf_counter() < until:
            target, body, request_id, readers = self._waiting.popleft()
            self._bytes -= len(body)
            seen: Seen | None = None
            for reader in readers:
                try:
                    seen = seen or self._repeat(target, body, request_id)
                    reader.read(seen)
                except Exception:
                    reader.count("failed")
                    if reader not in self._failed:  # else the log would hold nothing else
                        logger.exception("%s failed", reader.NAME)
                    self._failed.add(reader)
        return bool(self._waiting)

    def jobs(self) -> list[Callable[[], None]]:
        """Return what the readers have left to do in a thread."""
        found = [reader.job() for reader in self._readers]
        return [job for job in found if job is not None]

    def _repeat(self, target: Target, body: bytes, request_id: str) -> Seen:
        """Decode and answer a request once more."""
        assert target.dialect is not None  # it was answered
        assert target.model is not None
        if target.encoding:
            body = inflate(body, target.encoding, self._max_body_bytes)
        images = scale(target.dialect.decode(target.options, [body], self._limits).pixels)
        return Seen(request_id, target.model, images, target.model.predict(images))
