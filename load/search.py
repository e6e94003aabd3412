"""find-max: the highest rate at which the limits are kept, by bisection."""

from collections.abc import Callable
from typing import Any, NamedTuple

from load.record import Phase
from load.scenarios import Load

# The closed loop's rate is the most that so many connections can get; a server can keep no
# limit above it. A little is added, since it is measured.
ABOVE = 1.1
CLOSE = 0.03  # the search ends where the step is as small a part of the rate
SETTLE_S, PROBE_S = 1.0, 3.0
SPARE = 1.2  # they come at random
LONGEST_S = 60.0  # for fewer than some 20 requests a second, a p90 is the better limit
WINDOWS = 3
AGREE = 0.1  # how far the windows' rates may be apart
LESS = 0.95  # what is tried next if a window does not keep the limits
TRIES = 6


class Judgement(NamedTuple):
    """What a phase was like.

    Attributes:
        kept: whether it kept every limit.
        invalid: why it is not to be believed.
    """

    kept: bool
    invalid: list[str]


class Trial(NamedTuple):
    """A rate that was tried, requests/s, and how it went."""

    rate: float
    p99_ms: float
    failed: int
    kept: bool
    invalid: list[str]


class Search:
    """Looks for the highest rate.

    Args:
        play: plays loads without a pause and returns their phases.
        judge: judges a phase.
        seconds: of each of the last three windows; a trial takes half of that.
        requests: how many a trial needs at least; it takes longer where they are rare.

    Attributes:
        trials: those of the bisection, in their order.
    """

    def __init__(
        self,
        play: Callable[[list[Load]], list[Phase]],
        judge: Callable[[Phase], Judgement],
        seconds: float,
        requests: int = 0,
    ) -> None:
        self._play, self._judge = play, judge
        self._seconds, self._requests = seconds, requests
        self._settle = min(SETTLE_S, seconds)
        self.trials: list[Trial] = []

    def closed(self, users: int) -> list[Phase]:
        """Play three windows in the closed loop: the most that so many users get."""
        settle = Load("settle", self._settle, None, users, False)
        windows = [
            Load(f"window {n + 1}", self._seconds, None, users) for n in range(WINDOWS)
        ]
        return self._play([settle, *windows])[1:]

    def open(self, users: int) -> list[Phase]:
        """Find the rate, and return three windows at it.

        If none keeps the limits, the windows are those of the lowest rate that was tried.
        """
        seconds = min(PROBE_S, self._seconds)
        probe = self._play([Load("probe", seconds, None, users, False)])[0]
        low, high = 0.0, ABOVE * probe.tally.right / seconds
        if not high:  # nothing to look for: it is judged what the probe was like
            probe.counted = True
            return [probe]
        while high - low > CLOSE * high and high > 1:
            rate = (low + high) / 2
            if self._holds(rate):
                low = rate
            else:
                high = rate
        return self._confirm(low or high)

    def _confirm(self, rate: float) -> list[Phase]:
        """Play the windows, at a little less if they do not hold."""
        for number in range(TRIES):
            settle = Load("settle", self._settle, rate, None, False)
            windows = [
                Load(
                    f"{rate:,.0f}/s, window {n + 1}", self._long(rate, self._seconds), rate
                )
                for n in range(WINDOWS)
            ]
            phases = self._play([settle, *windows])[1:]
            if all(self._try(phase).kept for phase in phases) or number == TRIES - 1:
                break
            for phase in phases:
                phase.counted = False
            rate *= LESS
        return phases

    def _holds(self, rate: float) -> bool:
        """Try a rate, and once more if it fails: the machine may have had a hiccup."""
        settle = Load("settle", self._settle, rate, None, False)
        seconds = self._long(rate, self._seconds / 2)
        load = Load(f"{rate:,.0f}/s", seconds, rate, None, False)
        return any(self._try(self._play([settle, load])[1]).kept for _ in range(2))

    def _long(self, rate: float, seconds: float) -> float:
        """Return how long so many requests take that a percentile says something."""
        return max(seconds, min(SPARE * self._requests / rate, LONGEST_S))

    def _try(self, phase: Phase) -> Trial:
        kept, invalid = self._judge(phase)
        tally = phase.tally
        p99 = tally.latency.percentile(99)
        trial = Trial(phase.rate or 0.0, p99, tally.failed, kept and not invalid, invalid)
        self.trials.append(trial)
        return trial

    def limited_by_generator(self, rate: float) -> list[str]:
        """Return why the generator, and not the server, set the limit just above a rate."""
        above = [trial for trial in self.trials if trial.rate > rate and not trial.kept]
        lowest = min((trial.rate for trial in above), default=0.0)
        at_lowest = [trial for trial in above if trial.rate == lowest]
        # Once is enough: the server did not keep the limits at the lowest such rate.
        if any(not trial.invalid for trial in at_lowest):
            return []
        return at_lowest[0].invalid if at_lowest else []


def agree(phases: list[Phase]) -> bool:
    """Tell whether windows were answered at about the same rate."""
    rates = [phase.tally.right / phase.seconds for phase in phases]
    return max(rates) - min(rates) <= AGREE * max(rates)


def found(search: Search, phases: list[Phase], limits: list[str]) -> dict[str, Any]:
    """Return what the report shows of a search."""
    rates = [phase.tally.right / phase.seconds for phase in phases]
    return {
        "limit": " and ".join(limits),
        "rate": sum(rates) / len(rates),
        "trials": [trial._asdict() for trial in search.trials],
        "windows": [
            {"rate": rate, "p99_ms": phase.tally.latency.percentile(99)}
            for rate, phase in zip(rates, phases)
        ],
        "agree": agree(phases),
    }
