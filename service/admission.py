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
# The same in a rush. Not less: at 70 % of the most that can be answered, many come while
# another is there, and if large ones were refused for that, no rush of them would end.
RUSH_PATIENCE = 1
# Seconds in which only one request in ten was refused: then the rush is over. Some are, by
# the short queue alone, as long as it is one.
CALM_S, CALM_SHARE = 1.0, 0.1
# Seconds that any request takes to be read and written.
LEAST_S = 20e-6
# Seconds that a new connection takes to be accepted, answered once, and closed.
CONNECT_S = 100e-6
# Seconds of work that are let in for each refusal, which takes half as long. To refuse a
# small request takes nearly as long as to answer it: all time could go into refusing.
EARNED_S = 30e-6
# Seconds a byte of a kind that is not known yet: of images between those in JSON and those
# in pictures. And those of a request that only the application can answer.
FIRST_RATE, FIRST_OTHER_S = 50e-9, 400e-6
# How far a request moves what is known of its kind, up or down. So that is the median: a
# first request, or a pause of the machine, takes a thousand times as long as the others.
STEP = 1.1
MOST_KINDS = 256
OTHER = 0  # the kind of all that the application answers, each of size 1


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
        self._rates = {OTHER: FIRST_OTHER_S}  # seconds a byte, by kind
        self._work = 0.0  # seconds, of this turn
        self._earned = 0.0
        self._looked = monotonic()  # last, whether the rush is over
        self._seen = self._refused = 0  # since then
        self._rush = False
        self.refused = 0

    def admit(self, kind: int, size: int) -> bool:
        """Let a request in, or not, when those before it will take too long.

        Args:
            kind: requests of one kind take a time that goes with their bytes.
            size: bytes of its body.
        """
        admitted = self._admit(LEAST_S + size * self._rates.get(kind, FIRST_RATE))
        if not admitted:
            self.count_refusal()
        return admitted

    def admit_new(self, waiting: int) -> bool:
        """Let a new client in, or not, when so many wait to be accepted.

        It may not be possible to refuse it: that it was is to be told.

        Args:
            waiting: how many, with this one.
        """
        if waiting * CONNECT_S > self._most:
            self._begin_rush()
        return not self._rush or self._admit(CONNECT_S)

    def learn(self, kind: int, size: int, seconds: float) -> None:
        """Take notice of how long requests of a kind took that have so many bytes."""
        if kind not in self._rates and len(self._rates) == MOST_KINDS:
            self._rates = {OTHER: self._rates[OTHER]}
        rate = self._rates.get(kind, FIRST_RATE)
        self._rates[kind] = rate * STEP if seconds > rate * size else rate / STEP

    def end_turn(self) -> None:
        """Begin anew: nothing waits any more."""
        self._work = self._earned = 0.0

    def sweep(self) -> None:
        """Look now and then whether the rush is over."""
        now = monotonic()
        if now - self._looked < CALM_S:
            return
        if self._rush and self._refused <= CALM_SHARE * self._seen:
            self._log.info("the rush is over: %d requests were refused", self.refused)
            self._limit, self._patience, self.refused = self._most, PATIENCE, 0
            self._rush = False
        self._looked, self._seen, self._refused = now, 0, 0

    def count_refusal(self, earned: float = EARNED_S) -> None:
        """Take notice that a request was refused.

        Args:
            earned: seconds of work that are let in for it.
        """
        self._begin_rush()
        self._earned += earned
        self._refused += 1
        self.refused += 1

    def _admit(self, takes: float) -> bool:
        self._seen += 1
        if self._work > self._limit + self._earned and self._work > self._patience * takes:
            return False
        self._work += takes
        return True

    def _begin_rush(self) -> None:
        if self._rush:
            return
        self._rush = True
        self._limit, self._patience = min(SHORT_S, self._most), RUSH_PATIENCE
        self._log.warning(
            "a request would wait for more than %d ms: refusing what there is no time "
            "for, with 503",
            1000 * self._most,
        )
