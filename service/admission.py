"""Which requests there is time for: the others are told so at once.

A request waits for those that are there before it. How long that is follows from how long
requests of the same kind have taken, by their bytes. A burst may make others wait for as
long as the settings say, and large requests for longer. Where that is not enough, more
comes than can be answered, and however long the queue is made, it fills up: it is kept
short then until the rush is over, so that those who are let in are answered as quickly as
ever.

The idea, a queue that may be long for a moment and not for good, is CoDel's (RFC 8289).
"""

import logging
from time import monotonic

# Seconds of work that may be ahead of a request while more comes than can be answered. What
# is let in waits for about twice that: as long as at 70 % of the most that can be answered.
SHORT_S = 0.0015
# How much longer than it takes itself a request may always wait, but in a rush: clients
# with a thousand images each, which take 8 ms, expect to wait for one another.
PATIENCE = 20
# Seconds without a refusal after which the rush is over.
CALM_S = 1.0
# Seconds that any request takes to be read and written.
LEAST_S = 20e-6
# Seconds of work that are let in for each refusal, which takes half as long. To refuse a
# small request takes nearly as long as to answer it: all time could go into refusing.
EARNED_S = 30e-6
# How much the last request of a kind counts in the mean of its kind.
WEIGHT = 0.1
# How much longer than the mean it can count as at most: a pause of the machine is no work.
MOST_TIMES = 4
MOST_KINDS = 256


class Admission:
    """Decides in one worker, from turn to turn of its loop.

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
        self._limit, self._patience = most_wait_s, PATIENCE
        self._rates: dict[int, float] = {}  # seconds a byte, by kind
        self._work = 0.0  # seconds, of this turn
        self._earned = 0.0
        self._last = 0.0  # refusal
        self.refused = 0

    def admit(self, kind: int, size: int) -> bool:
        """Let a request in, or not, when those before it will take too long.

        Args:
            kind: requests of one kind take a time that goes with their bytes.
            size: bytes of its body.
        """
        takes = LEAST_S + size * self._rates.get(kind, 0.0)
        if self._work > self._limit + self._earned and self._work > self._patience * takes:
            self._refuse()
            return False
        self._work += takes
        return True

    def learn(self, kind: int, size: int, seconds: float) -> None:
        """Take notice of how long requests of a kind took that have so many bytes."""
        rate = seconds / max(size, 1)
        known = self._rates.get(kind)
        if known is not None:
            rate = known + WEIGHT * (min(rate, MOST_TIMES * known) - known)
        elif len(self._rates) == MOST_KINDS:
            self._rates.clear()
        self._rates[kind] = rate

    def end_turn(self) -> None:
        """Begin anew: nothing waits any more."""
        self._work = self._earned = 0.0

    def sweep(self) -> None:
        """Look now and then whether the rush is over."""
        if self.refused and monotonic() - self._last > CALM_S:
            self._log.info("the rush is over: %d requests were refused", self.refused)
            self._limit, self._patience, self.refused = self._most, PATIENCE, 0

    def _refuse(self) -> None:
        self._last = monotonic()
        self._earned += EARNED_S
        self.refused += 1
        if self.refused == 1:
            self._limit, self._patience = min(SHORT_S, self._most), 0
            self._log.warning(
                "a request would wait for more than %d ms: refusing what there is no "
                "time for, with 503",
                1000 * self._most,
            )
