"""From a load and its limits to replicas: the fewest that keep them with one lost."""

import math
from collections.abc import Sequence
from functools import cache
from itertools import islice
from typing import NamedTuple

from load.arrivals import arrivals
from load.capacity.measured import Kind
from load.capacity.simulation import Farm, Outcome, simulate
from load.limits import Limit
from load.record import Tally

# A p99 of so many requests has 200 beyond it; the first ones find an empty queue.
REQUESTS, WARM_UP = 20_000, 1000
# More replicas share a load as these do: each sees the same rate, and the proxy has a
# choice that more would hardly better.
MANY = 16
SPARE = 1  # replicas that may be lost
STEPS = 100  # of the highest rate of a worker
# Of it: so far the model was compared with real replicas. Beyond, any pause makes a queue.
BELIEVED = 80


class Expected(NamedTuple):
    """What the simulation expects of so many replicas.

    Attributes:
        replicas: how many answer.
        share: the rate, as a share of the most that they can answer.
        tally: what became of the requests.
    """

    replicas: int
    share: float
    tally: Tally

    def keeps(self, limits: Sequence[Limit]) -> bool:
        """Say whether all limits are kept."""
        return all(limit.keeps(limit.value(self.tally, math.nan)) for limit in limits)


class Plan(NamedTuple):
    """How many replicas a load needs: with all of them, and with the spare one lost."""

    all: Expected
    lost: Expected


def plan(kind: Kind, rate: float, limits: Sequence[Limit], farm: Farm) -> Plan:
    """Return the fewest replicas that keep the limits with one of them lost.

    Args:
        kind: what is asked.
        rate: requests a second.
        limits: what is to be kept.
        farm: workers of a replica and the proxy's policy; its replicas do not matter.

    Raises:
        ValueError: no number of replicas keeps a limit.
    """
    needed = fewest(kind, rate, tuple(limits), farm)
    return Plan(
        expect(kind, rate, farm._replace(replicas=needed + SPARE)),
        expect(kind, rate, farm._replace(replicas=needed)),
    )


def fewest(kind: Kind, rate: float, limits: tuple[Limit, ...], farm: Farm) -> int:
    """Return the fewest replicas that keep the limits, none of them lost."""
    many = math.ceil(rate / highest(kind, limits, farm))
    if many >= MANY:
        return many
    # Fewer of them have less of a choice, and may do with less.
    low = max(1, math.ceil(rate * kind.service().each / farm.workers * STEPS / BELIEVED))
    return next(
        replicas
        for replicas in range(low, MANY + 1)
        if expect(kind, rate, farm._replace(replicas=replicas)).keeps(limits)
    )


@cache
def highest(kind: Kind, limits: tuple[Limit, ...], farm: Farm) -> float:
    """Return the highest rate of one replica of many that keeps the limits, 80 % at most.

    Raises:
        ValueError: there is none.
    """
    for limit in limits:
        if limit.what == "rate":
            raise ValueError(
                f"found the limit {limit.text}, expected one of latency or errors"
            )
    most = farm.workers / kind.service().each
    many = farm._replace(replicas=MANY)

    def keeps(step: int) -> bool:
        return expect(kind, MANY * most * step / STEPS, many).keeps(limits)

    low, high = 0, BELIEVED + 1  # the one keeps them, if any does; the other is too much
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if keeps(middle) else (low, middle)
    if not low:
        found = expect(kind, MANY * most / STEPS, many).tally.latency.percentile(99)
        raise ValueError(
            f"found a p99 of {found:.2f} ms at hardly any load, expected "
            f"{' and '.join(limit.text for limit in limits)}: no number of replicas helps"
        )
    return most * low / STEPS


def expect(kind: Kind, rate: float, farm: Farm) -> Expected:
    """Simulate a rate, in requests a second, on any number of replicas."""
    service = kind.service()
    simulated = min(farm.replicas, MANY)
    share = rate * simulated / farm.replicas
    due = list(islice(arrivals("poisson", share, math.inf, seed=1), REQUESTS + WARM_UP))
    outcome = simulate(due, service, farm._replace(replicas=simulated))
    most = farm.replicas * farm.workers / service.each
    return Expected(farm.replicas, rate / most, _tally(outcome))


def _tally(outcome: Outcome) -> Tally:
    tally = Tally()
    for seconds, refused in islice(zip(outcome.seconds, outcome.refused), WARM_UP, None):
        tally.due += 1
        if refused:
            tally.failures["status 503"] += 1
        else:
            tally.right += 1
            tally.latency.add(seconds)
    return tally
