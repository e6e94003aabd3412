"""The scenarios by name: which load, for how long, and what of it is judged."""

from collections.abc import Callable
from typing import NamedTuple, Protocol


class Load(NamedTuple):
    """A load that is kept up for a while.

    Attributes:
        name: what the report calls it.
        seconds: how long.
        rate: requests a second in the open loop; None in the closed loop.
        users: clients that send again once they are answered; None in the open loop.
        counted: whether it is judged.
    """

    name: str
    seconds: float
    rate: float | None
    users: int | None = None
    counted: bool = True


class Options(Protocol):
    """What a scenario is made from; times in seconds, rates in requests a second."""

    loop: str
    rate: float
    users: int
    seconds: float
    warm_up: float
    peak: float


def _load(
    options: Options, name: str, seconds: float, share: float = 1, counted: bool = True
) -> Load:
    """Return a share of the load that was asked for: of the rate, or of the users."""
    if options.loop == "open":
        return Load(name, seconds, options.rate * share, None, counted)
    return Load(name, seconds, None, max(round(options.users * share), 1), counted)


def warm_up(options: Options) -> list[Load]:
    """Return the load before the one that counts: connections open, caches fill."""
    name = "warm-up"
    return [_load(options, name, options.warm_up, counted=False)] if options.warm_up else []


def smoke(options: Options) -> list[Load]:
    """Does it work at all? A little of everything, for seconds."""
    return [_load(options, "smoke", options.seconds)]


def steady(options: Options) -> list[Load]:
    """One load for as long as you like."""
    return [*warm_up(options), _load(options, "steady", options.seconds)]


STEPS = 5


def steps(options: Options) -> list[Load]:
    """The load in five steps, 20 % to 100 %: throughput against latency."""
    shares = [number / STEPS for number in range(1, STEPS + 1)]
    seconds = options.seconds / STEPS
    return [
        *warm_up(options),
        *(_load(options, f"{share:.0%}", seconds, share) for share in shares),
    ]


def spike(options: Options) -> list[Load]:
    """A rush of several times the load: is all as before when it is over?

    The rush itself is not judged, since a server may refuse what it has no time for; the
    time after it is, at once. Each takes a third of the seconds. In the closed loop it is
    all users who rush.
    """
    third = options.seconds / 3
    usual, rush = (1.0, options.peak) if options.loop == "open" else (1 / options.peak, 1.0)
    return [
        *warm_up(options),
        _load(options, "before", third, usual),
        _load(options, "rush", third, rush, counted=False),
        _load(options, "after", third, usual),
    ]


def soak(options: Options) -> list[Load]:
    """A load for hours, judged in thirds: does anything get worse?"""
    third = options.seconds / 3
    names = ("first third", "second third", "last third")
    return [*warm_up(options), *(_load(options, name, third) for name in names)]


SCENARIOS: dict[str, Callable[[Options], list[Load]]] = {
    scenario.__name__: scenario for scenario in (smoke, steady, steps, spike, soak)
}
# The one that goes on by what it finds: see `search`.
FIND_MAX = "find-max"
NAMES = (*SCENARIOS, FIND_MAX)

# What is asked if nothing else is said, by scenario: seconds, requests a second.
SECONDS = {"smoke": 5.0, "steps": 60.0, "soak": 1800.0, FIND_MAX: 10.0}
# At this rate a p99 has requests enough in every phase of every scenario, the first of the
# steps included.
USUAL_SECONDS, USUAL_RATE = 30.0, 500.0
