"""Admission: which requests there is time for; the others are refused at once.

A request waits for those that are answered before it. How long follows from the CPU time
that requests of the same kind took, per byte of their bodies; time that the machine gives
to other processes does not count. A burst may make others wait for as long as the settings
allow, and large requests for longer, which are answered after small ones for that. Beyond
that there is more to do than can be answered, and a queue would fill up however long it is:
it is kept short until the overload is over, so that admitted requests are answered as
quickly as ever.

Each admitted request has a deadline: a request whose kind turns out to be far more costly
than it was known to be makes others miss theirs, and they are refused then.

The idea, a queue that may be long for a moment but not for good, is CoDel's (RFC 8289).
"""

import logging
from collections.abc import Callable
from time import monotonic, thread_time

# Seconds of work that may be ahead of a request during overload. An admitted request waits
# for about twice that: as long as at 70 % of the capacity.
SHORT_S = 0.0015
# How many times its own duration a request may always wait, except during overload: clients
# with a thousand images each, which take 8 ms, expect to wait for one another.
PATIENCE = 20
# The same during overload. Not less: at 70 % of the capacity many requests arrive while
# another is answered, and if large ones were refused for that, their overload never ended.
OVERLOAD_PATIENCE = 1
# Overload is over after this many seconds in which at most one request in ten was refused.
# Some are, just because the queue is short.
CALM_S, CALM_SHARE = 1.0, 0.1
# Seconds that any request takes to be read and written.
LEAST_S = 20e-6
# Seconds that a new connection takes to be accepted, answered once, and closed.
CONNECT_S = 100e-6
# Seconds of work admitted for each refusal. Refusing a small request takes half as long as
# answering it: all time could go into refusals otherwise.
EARNED_S = 30e-6
# Seconds per byte of an unknown kind: between images in JSON and in pictures. And seconds
# of a request that only the application can answer.
FIRST_RATE, FIRST_OTHER_S = 50e-9, 400e-6
# How far one measurement moves the rate of a kind, up or down. That makes it the median: a
# first request takes a hundred times as long as the others. But what takes this many times
# as long as expected moves it further: such requests may all arrive at once.
STEP = 1.1
FAR, FAR_STEP = 10, 2
MOST_KINDS = 256
# One answer in so many is measured, since that costs microseconds; and after one that was
# longer than this, each: seconds, as far above what a turn usually takes as below SLICE_S.
SAMPLED, LONG_S = 8, 0.005
OTHER = 0  # the kind of everything the application answers, each of size 1


class Admission:
    """Decides for one worker, from turn to turn of its loop.

    Attributes:
        refused: requests refused during this overload.
        clock: CPU seconds of this thread, as last read.
        overload: whether more arrives than there is time for.
    """

    def __init__(self, most_wait_s: float, log: logging.Logger) -> None:
        """Create an admission without overload.

        Args:
            most_wait_s: how long a request may wait in a burst, in seconds.
            log: where the beginning and the end of overload are logged.
        """
        self._most, self._log = most_wait_s, log
        self._limit, self._patience = most_wait_s, PATIENCE
        self._rates = {OTHER: FIRST_OTHER_S}  # seconds per byte, by kind
        self._light = self._heavy = 0.0  # seconds of admitted work, of this turn
        self._earned = 0.0
        self._looked = monotonic()  # when it was last checked whether overload is over
        self._seen = self._refused = 0  # requests since then
        self.overload = False
        self._samples = 0
        self._sampling = self._long = False
        self._noted: list[tuple[int, int, float]] = []
        self.refused = 0
        self.clock = thread_time()

    def admit(self, kind: int, size: int) -> float:
        """Return the CPU seconds for which a request may wait; 0 if it is refused.

        Args:
            kind: requests of one kind take a time proportional to their size.
            size: bytes of its body.
        """
        takes = LEAST_S + size * self._rates.get(kind, FIRST_RATE)
        if self._admit(takes):
            return max(self._most, PATIENCE * takes)
        self.count_refusal()
        return 0.0

    def admit_new(self, waiting: int) -> bool:
        """Return whether a new client is admitted; the caller counts it if it refuses.

        Args:
            waiting: clients that wait to be accepted, including this one.
        """
        if waiting * CONNECT_S > self._most:
            self._begin_overload()
        return not self.overload or self._admit(CONNECT_S)

    def read_clock(self) -> float:
        """Read the clock, which takes half a microsecond."""
        self.clock = thread_time()
        return self.clock

    def begin_sample(self) -> Callable[[int, int, float], None] | None:
        """Return what notes costs by the wall clock if they are to be learned, else None.

        They are of one answer in SAMPLED, and of those that follow a long one.
        """
        self._samples += 1
        self._sampling = self._long or self._samples % SAMPLED == 0
        if not self._sampling:
            return None
        self.read_clock()
        return self._note

    def end_sample(self, seconds: float) -> None:
        """Learn what was noted, but for the time that other processes took.

        Args:
            seconds: how long the answer took by the wall clock.
        """
        self._long = seconds > LONG_S
        if not self._sampling:
            return
        before = self.clock
        share = min(1.0, (self.read_clock() - before) / seconds)
        for kind, size, took in self._noted:
            self.learn(kind, size, took * share)
        self._noted.clear()

    def end_other(self, seconds: float) -> None:
        """Do the same for one request that the application has answered."""
        if self._sampling:
            self._note(OTHER, 1, seconds)
        self.end_sample(seconds)

    def _note(self, kind: int, size: int, seconds: float) -> None:
        self._noted.append((kind, size, seconds))

    def learn(self, kind: int, size: int, seconds: float) -> None:
        """Learn how long requests of a kind took, answered or refused.

        Args:
            kind: their kind.
            size: bytes of their bodies, in all.
            seconds: CPU seconds, in all.
        """
        if kind not in self._rates and len(self._rates) == MOST_KINDS:
            self._rates = {OTHER: self._rates[OTHER]}
        rate = self._rates.get(kind, FIRST_RATE)
        expected = LEAST_S + rate * size
        if seconds > FAR * expected:
            rate *= FAR_STEP
        else:
            rate = rate * STEP if seconds > rate * size else rate / STEP
        self._rates[kind] = rate

    def has_heavy(self) -> bool:
        """Whether requests were admitted in this turn that should wait for others."""
        return self._heavy > 0

    def keep(self, kind: int, size: int) -> None:
        """Count an admitted request that the last turn had no time for."""
        takes = LEAST_S + size * self._rates.get(kind, FIRST_RATE)
        if PATIENCE * takes > self._most:
            self._heavy += takes
        else:
            self._light += takes

    def end_turn(self) -> None:
        """Start again with an empty queue."""
        self._light = self._heavy = self._earned = 0.0

    def sweep(self) -> None:
        """Read the clock, and check whether the overload is over; called at intervals."""
        self.read_clock()  # answers alone may not have read it for long
        now = monotonic()
        if now - self._looked < CALM_S:
            return
        if self.overload and self._refused <= CALM_SHARE * self._seen:
            self._log.info("the overload is over: %d requests were refused", self.refused)
            self._limit, self._patience, self.refused = self._most, PATIENCE, 0
            self.overload = False
        self._looked, self._seen, self._refused = now, 0, 0

    def count_refusal(self, earned: float = EARNED_S) -> None:
        """Count a refused request.

        Args:
            earned: seconds of work that are admitted in return.
        """
        self._begin_overload()
        self._earned += earned
        self._refused += 1
        self.refused += 1

    def _admit(self, takes: float) -> bool:
        self._seen += 1
        heavy = PATIENCE * takes > self._most
        ahead = self._light + self._heavy if heavy else self._light
        if ahead > self._limit + self._earned and ahead > self._patience * takes:
            return False
        if heavy:
            self._heavy += takes
        else:
            self._light += takes
        return True

    def _begin_overload(self) -> None:
        if self.overload:
            return
        self.overload = True
        self._limit, self._patience = min(SHORT_S, self._most), OVERLOAD_PATIENCE
        self._log.warning(
            "a request would wait for more than %d ms: refusing what there is no time "
            "for, with 503",
            1000 * self._most,
        )
