"""When requests are due in the open loop."""

import random
from collections.abc import Iterator

KINDS = ("poisson", "constant")


def arrivals(
    kind: str, rate: float, seconds: float, seed: int, share: int = 0, shares: int = 1
) -> Iterator[float]:
    """Yield when requests are due, in seconds from the start.

    Args:
        kind: ``poisson`` for independent clients, whose requests come at random, or
            ``constant`` for equal distances.
        rate: requests a second, of all shares together.
        seconds: how long.
        seed: of the Poisson process.
        share: which part of the requests. The shares of a Poisson process are Poisson
            processes too; equal distances are dealt out in turn.
        shares: of how many parts.
    """
    if kind == "constant":
        number = share
        while (due := number / rate) < seconds:
            yield due
            number += shares
        return
    chance, due = random.Random(f"{seed} {share}"), 0.0
    while (due := due + chance.expovariate(rate / shares)) < seconds:
        yield due
