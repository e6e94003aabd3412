"""The scenarios by name: which load, for how long, and what of it is judged."""

import re
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
    stages: str


def _load(
    options: Options, name: str, seconds: float, share: float = 1, counted: bool = True
) -> Load:
    """Return a share of the load that was asked for: of the rate, or of the users."""
    if options.loop == "open":
        return Load(name, seconds, options.rate * share, None, counted)
    return Load(name, seconds, None, max(round(options.users * share), 1), counted)


def warm_up(options: Options) -> list[Load]:
    """Return the load before the one that counts: caches fill."""
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


STAGE = re.compile(r"(\d+(?:\.\d+)?)(s|m|h):(\d+(?:\.\d+)?)")
UNITS = {"s": 1, "m": 60, "h": 3600}
STAGES_EXAMPLE = "30s:100,1m:500"


def stages(options: Options) -> list[Load]:
    """Your own load, ``--stages 30s:100,1m:500``: each stage is judged.

    A stage is a time and a rate, or in the closed loop a number of users.

    Raises:
        ValueError: says what was found and what is expected.
    """
    found = [STAGE.fullmatch(text.strip()) for text in options.stages.split(",")]
    made = []
    for stage in found:
        if not stage or not float(stage[1]) or not float(stage[3]):
            raise ValueError(
                f"found the stages {options.stages!r}, expected times and loads such as "
                f"{STAGES_EXAMPLE}"
            )
        seconds, load = float(stage[1]) * UNITS[stage[2]], float(stage[3])
        if options.loop == "open":
            made.append(Load(stage[0], seconds, load))
        else:
            made.append(Load(stage[0], seconds, None, max(round(load), 1)))
    return [*warm_up(options), *made]


SCENARIOS: dict[str, Callable[[Options], list[Load]]] = {
    scenario.__name__: scenario for scenario in (smoke, steady, steps, spike, soak, stages)
}
# The one that goes on by what it finds: see `search`.
FIND_MAX = "find-max"
NAMES = (*SCENARIOS, FIND_MAX)

# What is asked if nothing else is said, by scenario: seconds, requests a second.
SECONDS = {"smoke": 5.0, "steps": 60.0, "soak": 1800.0, FIND_MAX: 10.0}
# At this rate a p99 has requests enough in every phase of every scenario, the first of the
# steps included.
USUAL_SECONDS, USUAL_RATE = 30.0, 500.0
