"""What was measured, kept as JSON: of each kind of request, how long a worker takes."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Self

from load.capacity.simulation import Service

RESULTS = Path(__file__).resolve().parents[2] / "deploy" / "results" / "capacity.json"
# The service answers what waits in batches of so many bytes of bodies (BATCH_BYTES).
BATCH_BYTES = 1 << 21
# Of the times that were measured, as many are kept: enough for one in a thousand.
KEPT = 1000


@dataclass(frozen=True)
class Kind:
    """A kind of request, and what was measured of it on one core.

    Attributes:
        payload: of `load.payloads`, such as ``json``.
        batch: images a request.
        request_bytes: of a request with its head.
        reply_bytes: of a reply with its head.
        alone_us: times of the worker for a request that comes alone, in order of size.
        once_us: of these, what requests that are answered together take once.
        together: how many that were, on average.
        around_us: what a client waits besides.
        most_rate: requests a second of the worker, when many are answered together.
    """

    payload: str
    batch: int
    request_bytes: int
    reply_bytes: int
    alone_us: tuple[float, ...]
    once_us: float
    together: float
    around_us: float
    most_rate: float

    @property
    def title(self) -> str:
        """Its name in tables."""
        names = {"json": "JSON", "raw": "raw bytes", "png": "PNG"}
        images = f"{self.batch} image{'s' * (self.batch > 1)}"
        return f"{images}, {names.get(self.payload, self.payload)}"

    def service(self) -> Service:
        """Return it as the simulation takes it."""
        most = max(1, BATCH_BYTES // self.request_bytes)
        alone = [value / 1e6 for value in self.alone_us]
        once, around = self.once_us / 1e6, self.around_us / 1e6
        return Service(alone, once, around, self.together, most)

    def as_dict(self) -> dict[str, Any]:
        """Return it for JSON, its times to 0.1 µs."""
        return asdict(self) | {"alone_us": [round(value, 1) for value in self.alone_us]}

    @classmethod
    def from_dict(cls, found: dict[str, Any]) -> Self:
        """Return what :meth:`as_dict` has returned."""
        values = {field.name: found[field.name] for field in fields(cls)}
        return cls(**values | {"alone_us": tuple(found["alone_us"])})


def thin(values: Sequence[float], kept: int = KEPT) -> list[float]:
    """Return so many of some values, in order and evenly spread among them, or all."""
    ordered = sorted(values)
    if len(ordered) <= kept:
        return ordered
    # The middle of each of as many equal parts: neither the least nor the greatest.
    return [ordered[int((n + 0.5) * len(ordered) / kept)] for n in range(kept)]


def load(path: Path = RESULTS) -> dict[str, Any]:
    """Read the results of `make capacity`."""
    results: dict[str, Any] = json.loads(path.read_bytes())
    return results


def kinds(results: dict[str, Any]) -> list[Kind]:
    """Return the kinds of requests in the results."""
    return [Kind.from_dict(found) for found in results["kinds"]]


def find(known: Sequence[Kind], payload: str, batch: int) -> Kind:
    """Return a payload's kind for so many images a request.

    Between two numbers of images that were measured, all times grow as a straight line.

    Raises:
        ValueError: there is none; says what was measured.
    """
    some = sorted((k for k in known if k.payload == payload), key=lambda k: k.batch)
    if not some or not some[0].batch <= batch <= some[-1].batch:
        names = ", ".join(kind.title for kind in known)
        raise ValueError(
            f"found {payload} with {batch} images a request, expected one of {names}, or "
            "a number of images between two of them"
        )
    upper = next(kind for kind in some if kind.batch >= batch)
    if upper.batch == batch:
        return upper
    lower = some[some.index(upper) - 1]
    return _between(lower, upper, batch)


def _between(lower: Kind, upper: Kind, batch: int) -> Kind:
    share = (batch - lower.batch) / (upper.batch - lower.batch)

    def mix(low: float, high: float) -> float:
        return low + share * (high - low)

    return Kind(
        upper.payload,
        batch,
        round(mix(lower.request_bytes, upper.request_bytes)),
        round(mix(lower.reply_bytes, upper.reply_bytes)),
        tuple(map(mix, lower.alone_us, upper.alone_us)),
        mix(lower.once_us, upper.once_us),
        mix(lower.together, upper.together),
        mix(lower.around_us, upper.around_us),
        1 / mix(1 / lower.most_rate, 1 / upper.most_rate),
    )
