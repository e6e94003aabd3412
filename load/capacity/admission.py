"""The service's own admission, in the simulation's time.

See `service/server/admission.py` for the reasons; a test compares the numbers.
"""

MAX_WAIT_S = 0.05  # its default (MNIST_MAX_WAIT_MS)
SHORT_S = 0.0015
PATIENCE = 20
OVERLOAD_PATIENCE = 1
CALM_S, CALM_SHARE = 1.0, 0.1
EARNED_S = 30e-6
# Seconds of the worker that a refusal takes: half of the work that is admitted for it.
REFUSE_S = EARNED_S / 2


class Admission:
    """Decides for one worker, from turn to turn."""

    def __init__(self, most_wait_s: float) -> None:
        """Create an admission without overload.

        Args:
            most_wait_s: how long a request may wait in a burst, in seconds.
        """
        self._most = most_wait_s
        self._work = self._earned = 0.0
        self._looked, self._seen, self._refused = 0.0, 0, 0
        self._overload = False

    def admit(self, now: float, takes: float) -> bool:
        """Return whether a request is admitted.

        Args:
            now: the time, in seconds.
            takes: seconds that the request takes.
        """
        if now - self._looked >= CALM_S:
            self._look(now)
        self._seen += 1
        limit = min(SHORT_S, self._most) if self._overload else self._most
        patience = OVERLOAD_PATIENCE if self._overload else PATIENCE
        if self._work > limit + self._earned and self._work > patience * takes:
            self._overload = True
            self._earned += EARNED_S
            self._refused += 1
            return False
        self._work += takes
        return True

    def end_turn(self) -> None:
        """Start again with an empty queue."""
        self._work = self._earned = 0.0

    def _look(self, now: float) -> None:
        """Check whether the overload is over."""
        if self._refused <= CALM_SHARE * self._seen:
            self._overload = False
        self._looked, self._seen, self._refused = now, 0, 0
