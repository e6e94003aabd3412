"""What the soak asks, and when."""

import random

from bench.chaos import asks
from bench.chaos.asks import Ask

BAD, SINGLE = (
    0.05,
    0.5,
)  # the shares of bad requests, and of our own single images in the others


class Mix:
    """Draws requests: 95 % good ones, of every dialect, and 5 % that must be refused."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self._single, self._mixed, self._bad = asks.single(), asks.mixed(), asks.bad()

    def draw(self) -> Ask:
        """Return the next request: half of the good ones are a single image of our own."""
        if self.chance.random() < BAD:
            return self.chance.choice(self._bad)
        return self.chance.choice(
            self._single if self.chance.random() < SINGLE else self._mixed
        )
