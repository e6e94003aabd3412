"""What people send, in a table that `screen` and `photo` fill."""

from collections.abc import Callable
from typing import NamedTuple

from bench.pictures.hand import Hand
from bench.pictures.scene import Random

Make = Callable[[Hand, Random], bytes]


class Condition(NamedTuple):
    """A kind of picture.

    Attributes:
        name: what it is.
        make: makes a file of a hand and a random generator.
        least: fraction that should be read right; 0.9 where a person hesitates, too.
    """

    name: str
    make: Make
    least: float


CONDITIONS: list[Condition] = []


def condition(name: str, least: float = 0.97) -> Callable[[Make], Make]:
    """Add a function to the table."""

    def add(make: Make) -> Make:
        CONDITIONS.append(Condition(name, make, least))
        return make

    return add
