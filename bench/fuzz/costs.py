"""What a request may cost at most: ``python -m bench fuzz costs --seconds 60``.

Random requests of each decoder, at most 64 kB as sent, are decoded, and their CPU time is
compared with the bytes that they inflate to or announce. The worst of each decoder is
printed; above `MOST_MS` or `MOST_MS_A_KB` the command fails, and prints its seed.
"""

import argparse
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import count
from typing import NamedTuple

import numpy as np

from bench.fuzz.bodies import Request
from bench.fuzz.families import FAMILIES
from bench.harness import results
from service.errors import RequestError

# On a core of a Xeon of 2026, with a neighbour: 0.25 s, and twice that for the noise of CPU
# time itself. A kB of a tensor of floats takes 5 µs, of small lists in JSON 60 µs; of
# chunks of a PNG, 12 bytes each, up to 0.6 ms; of pictures of 3 kB on uneven paper, 3 ms.
MOST_MS = 500.0
MOST_MS_A_KB = 4.0
# A request costs some even if it has no bytes: a picture a tenth of a millisecond.
LEAST_KB = 4.0
TRIES = 3  # the least of them: the first may import, or be interrupted
SENT = 64 * 1024


class Cost(NamedTuple):
    """What decoding one request took.

    Attributes:
        family: which kind of request.
        seed: draws it again.
        sent: bytes as sent.
        kb: thousands of bytes that it inflates to or announces.
        ms: milliseconds of CPU time.
        outcome: images, or the refusal.
    """

    family: str
    seed: int
    sent: int
    kb: float
    ms: float
    outcome: str

    @property
    def ms_a_kb(self) -> float:
        """Milliseconds a kB."""
        return self.ms / max(self.kb, LEAST_KB)

    @property
    def is_too_much(self) -> bool:
        """Whether a bound is broken."""
        return self.ms > MOST_MS or self.ms_a_kb > MOST_MS_A_KB


def measure(family: str, seed: int, draw: Callable[[np.random.Generator], Request]) -> Cost:
    """Decode a request drawn from a seed, a few times if it seems costly."""
    request = draw(np.random.default_rng(seed))
    assert len(request.body) <= SENT, (family, seed, len(request.body))
    best, outcome = float("inf"), ""
    for _ in range(TRIES):
        start = time.process_time()
        outcome = _outcome(request.decode)
        best = min(best, time.process_time() - start)
        cost = Cost(family, seed, len(request.body), request.kb, 1000 * best, outcome)
        if not cost.is_too_much:
            break
    return cost


def _outcome(decode: Callable[[], int]) -> str:
    try:
        return f"{decode()} images"
    except RequestError as error:
        return f"{error.status} {error.message}"


def search(
    seconds: float, families: dict[str, Callable[[np.random.Generator], Request]], seed: int
) -> Iterator[Cost]:
    """Yield the costs of requests of each family in turn, for some seconds of CPU time."""
    end = time.process_time() + seconds
    for number in count(seed):
        for family, draw in families.items():
            yield measure(family, number, draw)
        if time.process_time() > end:
            return


def worst(costs: Iterable[Cost]) -> list[Cost]:
    """Return the costliest request of each family, and the costliest by kB."""
    found: dict[tuple[str, str], Cost] = {}
    for cost in costs:
        for by in ("ms", "ms_a_kb"):
            key = (cost.family, by)
            if key not in found or getattr(cost, by) > getattr(found[key], by):
                found[key] = cost
    return sorted(set(found.values()), key=lambda cost: (cost.family, -cost.ms))


def table(costs: Iterable[Cost]) -> str:
    """Return the costs as a table in Markdown."""
    head = ["requests", "outcome", "seed", "bytes as sent", "kB of content", "ms", "ms/kB"]
    rows = [
        (
            *(cost.family, f"{cost.outcome:.60}", cost.seed, cost.sent, f"{cost.kb:.1f}"),
            f"{cost.ms:.2f}",
            f"{cost.ms_a_kb:.3f}" + (" **too much**" if cost.is_too_much else ""),
        )
        for cost in costs
    ]
    return results.table(head, rows, text=2)


def main(arguments: Sequence[str] | None = None) -> int:
    """Search, and print the worst; return 1 if one is above the bounds."""
    parser = argparse.ArgumentParser(prog="python -m bench fuzz costs", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="of CPU time")
    parser.add_argument("--seed", type=int, default=0, help="of the first requests")
    parser.add_argument("--only", default="", help="families with this in their names")
    options = parser.parse_args(arguments)
    families = {name: draw for name, draw in FAMILIES.items() if options.only in name}
    found = worst(search(options.seconds, families, options.seed))
    print(table(found))
    print(f"\nbounds: {MOST_MS:g} ms per request, {MOST_MS_A_KB:g} ms/kB")
    return int(any(cost.is_too_much for cost in found))
