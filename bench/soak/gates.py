"""What a soak must show; pure functions, so that the tests can show what they catch."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from bench.chaos.case import Finding
from bench.soak.samples import Sample

MOST_MIB_PER_HOUR = 1.0
FEWEST = 6  # samples of a process after its warm-up; of one with fewer no slope is taken


class Slope(NamedTuple):
    """Growth in MiB an hour, its standard error, and the samples that it is from."""

    mib_per_hour: float
    error: float
    samples: int


def slope(series: Iterable[Sequence[tuple[float, float]]]) -> Slope:
    """Return the common slope of several series of (seconds, kB), by least squares.

    A reload replaces the workers, and each begins at a level of its own: each series has an
    intercept of its own, and all have one slope. So a leak shows however short they are.
    """
    spread = product = 0.0
    points: list[tuple[float, float]] = []
    groups = 0
    for one in series:
        if len(one) < 2:
            continue
        middle_x = sum(x for x, _ in one) / len(one)
        middle_y = sum(y for _, y in one) / len(one)
        centred = [(x - middle_x, y - middle_y) for x, y in one]
        spread += sum(x * x for x, _ in centred)
        product += sum(x * y for x, y in centred)
        points += centred
        groups += 1
    if not spread:
        return Slope(float("nan"), float("nan"), 0)
    found = product / spread
    rest = sum((y - found * x) ** 2 for x, y in points)
    error = (rest / max(len(points) - groups - 1, 1) / spread) ** 0.5
    unit = 3600 / 1024  # kB a second are MiB an hour
    return Slope(found * unit, error * unit, len(points))


def after_warm_up(samples: Iterable[Sample], warm_up: float) -> list[list[Sample]]:
    """Return the samples of each process, without its first seconds.

    A process with fewer than FEWEST left is left out.
    """
    by_pid: dict[int, list[Sample]] = defaultdict(list)
    for sample in samples:
        by_pid[sample.pid].append(sample)
    kept = ([s for s in one if s.at - one[0].at >= warm_up] for one in by_pid.values())
    return [one for one in kept if len(one) >= FEWEST]


def memory(samples: Iterable[Sample], warm_up: float) -> Finding:
    """Return how the resident memory of some processes grew after their warm-up."""
    series = after_warm_up(samples, warm_up)
    found = slope([[(s.at, s.rss_kb) for s in one] for one in series])
    text = f"{found.mib_per_hour:+.2f} ± {found.error:.2f} MiB/h in {len(series)} processes"
    return Finding(
        f"{text}, {found.samples} samples", found.mib_per_hour < MOST_MIB_PER_HOUR
    )


def files(samples: Iterable[Sample], warm_up: float) -> Finding:
    """Return how many open files, sockets apart, each process had: always as many."""
    counts = [{s.files for s in one} for one in after_warm_up(samples, warm_up)]
    seen = ", ".join(sorted({"-".join(map(str, sorted(each))) for each in counts}))
    return Finding(seen or "no samples", bool(counts) and all(len(c) == 1 for c in counts))


def idle_files(before: list[int], after: list[int]) -> Finding:
    """Return the open files of master and workers with nobody there, before and after."""
    return Finding(f"{before}, then {after}", before == after)


def threads(samples: Iterable[Sample], warm_up: float) -> Finding:
    """Return how many threads each process had: always as many."""
    counts = [{s.threads for s in one} for one in after_warm_up(samples, warm_up)]
    seen = ", ".join(sorted({"-".join(map(str, sorted(each))) for each in counts}))
    return Finding(seen or "no samples", bool(counts) and all(len(c) == 1 for c in counts))


def wrong(counts: Counter[str]) -> Finding:
    """Return the answers that were wrong, of those that were right or wrong."""
    answers = counts["right"] + counts["wrong"]
    return Finding(f"{counts['wrong']} of {answers:,}", answers > 0 and not counts["wrong"])


def unexpected(counts: Counter[str]) -> Finding:
    """Return the replies with another status than the request must get, 503 included."""
    found = {
        kind: n for kind, n in counts.items() if kind.startswith(("unexpected", "shed"))
    }
    refused = counts["refused rightly"]
    text = ", ".join(f"{n} {kind}" for kind, n in found.items()) or "0"
    return Finding(f"{text} ({refused:,} refused rightly)", not found)


def failed(counts: Counter[str]) -> Finding:
    """Return the requests without a whole reply."""
    return Finding(f"{counts['failed']}", not counts["failed"])
