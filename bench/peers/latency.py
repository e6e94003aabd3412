"""The arithmetic of the open loop: when requests are due, and what their times say."""

import math
from collections.abc import Sequence
from typing import Any

from load.arrivals import arrivals


def schedule(rate: float, seconds: float, spacing: str, seed: int) -> list[float]:
    """Return when requests are due, in seconds from the start.

    Args:
        rate: requests per second.
        seconds: how long.
        spacing: ``even``, or ``poisson`` for independent clients.
        seed: of the Poisson process.
    """
    kind = "constant" if spacing == "even" else spacing
    return list(arrivals(kind, rate, seconds, seed))


def percentile(ordered: Sequence[float], percent: float) -> float:
    """Return the smallest value that ``percent`` of the ordered values do not exceed."""
    if not ordered:
        return math.nan
    return ordered[max(math.ceil(len(ordered) * percent / 100), 1) - 1]


def summary(
    sent: int, latencies: list[float], late: list[float], errors: int
) -> dict[str, Any]:
    """Return what is reported, times in µs, from times in seconds."""
    ordered = sorted(value * 1e6 for value in latencies)
    lateness = sorted(value * 1e6 for value in late)
    points = {f"p{point:g}_us": percentile(ordered, point) for point in (50, 90, 99, 99.9)}
    return {
        "due": len(late),
        "sent": sent,
        "answered": len(ordered),
        "errors": errors,
        **points,
        "max_us": ordered[-1] if ordered else math.nan,
        "generator_late_p99_us": percentile(lateness, 99),
    }
