"""The service's own rule of whom to refuse, in the time of the simulation.

The rule is `service/admission.py`'s, where it is explained; a test compares the numbers.
"""

MAX_WAIT_S = 0.05  # its default (MNIST_MAX_WAIT_MS)
SHORT_S = 0.0015
PATIENCE = 20
RUSH_PATIENCE = 1
CALM_S, CALM_SHARE = 1.0, 0.1
EARNED_S = 30e-6
# Seconds of the worker that a refusal takes: half of the work that it lets in.
REFUSE_S = EARNED_S / 2


class Admission:
    """Decides for one worker, from turn to turn."""

    def __init__(self, most_wait_s: float) -> None:
        """Make one for the longest wait in a burst, in seconds."""
        self._most = most_wait_s
        self._work = self._earned = 0.0
        self._looked, self._seen, self._refused = 0.0, 0, 0
        self._rush = False

    def admit(self, now: float, takes: float) -> bool:
        """Let a request in that takes so many seconds, or not."""
        if now - self._looked >= CALM_S:
            self._look(now)
        self._seen += 1
        limit = min(SHORT_S, self._most) if self._rush else self._most
        patience = RUSH_PATIENCE if self._rush else PATIENCE
        if self._work > limit + self._earned and self._work > patience * takes:
            self._rush = True
            self._earned += EARNED_S
            self._refused += 1
            return False
        self._work += takes
        return True

    def end_turn(self) -> None:
        """Begin anew: nothing waits any more."""
        self._work = self._earned = 0.0

    def _look(self, now: float) -> None:
        """See whether the rush is over."""
        if self._refused <= CALM_SHARE * self._seen:
            self._rush = False
        self._looked, self._seen, self._refused = now, 0, 0
