"""Which requests there is time for: the others are told so at once.

A request waits for those that are there before it. How long that is follows from how long
requests of the same kind have taken, by their bytes, and from the time that has gone since
the loop's turn began. A burst may make others wait for as long as the settings say. Where
that is not enough, more comes than can be answered, and however long the queue is made,
it fills up: it is kept short then until the rush is over, so that those who are let in
are answered as quickly as ever.

The idea, a queue that may be long for a moment and not for good, is CoDel's (RFC 8289).
"""

import logging
from time import monotonic, perf_counter

# Seconds of work that may be ahead of a request while more comes than can be answered:
# enough never to run out of work between two turns of the loop, which take a tenth of that.
SHORT_S = 0.003
# Seconds without a refusal after which the rush is over.
CALM_S = 1.0
# Seconds that any request takes to be read and written.
LEAST_S = 20e-6
# How much the last request of a kind counts in the mean of its kind.
WEIGHT = 0.1
MOST_KINDS = 256


class Admission:
    """Decides in one worker.

    Attributes:
        refused: how many were refused in this rush.
    """

    def __init__(self, most_wait_s: float, log: logging.Logger) -> None:
        """Make one.

        Args:
            most_wait_s: how long a request may wait in a burst, in seconds.
            log: where the beginning and the end of a rush are told.
        """
        self._most, self._log = most_wait_s, log
        self._limit = most_wait_s
        self._rates: dict[int, float] = {}  # seconds a byte, by kind
        self._work = 0.0  # seconds of what waits
        self._began: float | None = None  # the turn
        self._last = 0.0  # refusal
        self.refused = 0

    def begin(self) -> bool:
        """Begin a turn of the loop if none has begun, and tell whether it is new."""
        if self._began is not None:
            return False
        self._began = perf_counter()
        return True

    def done(self) -> None:
        """Say that what was let in has been answered, while the turn goes on."""
        self._work = 0.0

    def end(self) -> None:
        """End a turn: nothing waits any more."""
        self._began, self._work = None, 0.0
        if self.refused and monotonic() - self._last > CALM_S:
            self._log.info("the rush is over: %d requests were refused", self.refused)
            self._limit, self.refused = self._most, 0

    def admit(self, kind: int, size: int) -> bool:
        """Let a request in, or not, when those that wait will take too long.

        Args:
            kind: requests of one kind take a time that goes with their bytes.
            size: bytes of its body.
        """
        assert self._began is not None
        if self._work + perf_counter() - self._began > self._limit:
            self._refuse()
            return False
        self._work += LEAST_S + size * self._rates.get(kind, 0.0)
        return True

    def learn(self, kind: int, size: int, seconds: float) -> None:
        """Take notice of how long requests of a kind took that have so many bytes."""
        rate = seconds / max(size, 1)
        known = self._rates.get(kind)
        if known is not None:
            rate = known + WEIGHT * (rate - known)
        elif len(self._rates) == MOST_KINDS:
            self._rates.clear()
        self._rates[kind] = rate

    def _refuse(self) -> None:
        self._last = monotonic()
        self.refused += 1
        if self.refused == 1:
            self._limit = min(SHORT_S, self._most)
            self._log.warning(
                "a request would wait for more than %d ms: refusing what there is no "
                "time for, with 503",
                1000 * self._most,
            )
