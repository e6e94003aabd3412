"""How a proxy chooses a replica: HAProxy's algorithms, as far as they know the load."""

import random
from collections.abc import Sequence

RANDOM, TWO, TURN, LEAST = "random", "two", "turn", "least"
POLICIES = (RANDOM, TWO, TURN, LEAST)
# What HAProxy calls them (``balance ...``).
NAMES = {
    "random(1)": RANDOM,
    "random": TWO,
    "random(2)": TWO,
    "roundrobin": TURN,
    "leastconn": LEAST,
}


class Proxy:
    """Knows how many requests each replica has, and gives the next one to one of them.

    Attributes:
        loads: requests that each replica has been given and has not answered.
    """

    def __init__(
        self, policy: str, replicas: int, room: int | None, chance: random.Random
    ) -> None:
        """Make one.

        Args:
            policy: of :data:`POLICIES`.
            replicas: how many.
            room: requests that a replica is given at a time; None for no limit.
            chance: where random choices come from.

        Raises:
            ValueError: there is no such policy.
        """
        if policy not in POLICIES:
            raise ValueError(f"policy is {policy!r}, expected one of {', '.join(POLICIES)}")
        self._choose = getattr(self, f"_{policy}")
        self._room, self._chance = room, chance
        self._all = range(replicas)
        self._last = -1
        self._changes = 0
        self.loads = [0] * replicas
        self._keys = [(0, number) for number in self._all]

    def take(self) -> int | None:
        """Return the replica that gets a request now; None if all are full."""
        free: Sequence[int] = self._all
        if self._room is not None:
            free = [each for each in free if self.loads[each] < self._room]
            if not free:
                return None
        replica: int = self._choose(free)
        self._last = replica
        self._change(replica, 1)
        return replica

    def done(self, replica: int, requests: int) -> None:
        """Take notice that a replica has answered some requests."""
        self._change(replica, -requests)

    def _change(self, replica: int, by: int) -> None:
        self._changes += 1
        self.loads[replica] += by
        # Among equals, HAProxy takes the one whose load has changed the longest time ago.
        self._keys[replica] = (self.loads[replica], self._changes)

    def _random(self, free: Sequence[int]) -> int:
        return free[int(self._chance.random() * len(free))]

    def _two(self, free: Sequence[int]) -> int:
        # Each is drawn from all, so both may be the same one.
        return min(self._random(free), self._random(free), key=self.loads.__getitem__)

    def _turn(self, free: Sequence[int]) -> int:
        return next((each for each in free if each > self._last), free[0])

    def _least(self, free: Sequence[int]) -> int:
        return min(free, key=self._keys.__getitem__)
