"""When the figures of a run are not to be believed, and why."""

import math
from collections.abc import Iterable, Iterator

from load.limits import Limit
from load.record import Phase, Record, Tally, total

# Of the requests that were due. The last few of a run may be under way when it is cut; one
# in a hundred that is missing can be the whole tail that a p99 is about.
LEAST_DONE = 0.99
# A Poisson process is so many standard errors off once in two million phases. 1 % more is
# for clocks and the ends of a phase; what is nearer to the target is as good as it.
STANDARD_ERRORS, RATE_SHARE = 5, 0.01
# A generator that is late adds that to the latency, so a limit that is kept all the same is
# kept; one that is broken may be its fault. A tenth is what perf_analyzer takes for stable
# and this project for equal. Up to 1 ms it has a few answers to read first, 0.13 ms each;
# beyond that it queues.
LATE_SHARE, LATE_MS = 0.1, 1.0
# A process that is not its own limit has nothing to do now and then. In one that always has
# something to do, answers wait to be read, so that every connection looks busy and the
# generator is not found to be late.
BUSIEST = 0.9
# A virtual machine that is kept from running for more has stalls of its own, of some ms.
STOLEN = 0.05
# A percentile with ten requests beyond it has a standard error of a third of those ten:
# with fewer, a trial of find-max says little. A verdict has the interval itself.
BEYOND = 10
# A generator that could have run and did not has every answer of that time wait for it, so
# that what it measures is its own machine: in this share of the time, each percentile from
# the p98 on can be such a wait.
WAITED = 0.02


def invalid(record: Record, limits: Iterable[Limit] = ()) -> list[str]:
    """Return the reasons not to believe a run, in words; none if it is to be believed.

    Args:
        record: of the run.
        limits: what it is judged by.
    """
    tallies = [(phase, phase.tally) for phase in record.counted]
    if not any(len(tally.latency) for _, tally in tallies):
        own = [why for phase, tally in tallies for why in _open(record, phase, tally)]
        return [_silence(tallies), *own]
    limits, found, blamed = list(limits), [], record.loop == "closed"
    for phase, tally in tallies:
        where = f"{phase.name}: " if len(tallies) > 1 else ""
        if record.loop == "open":
            found += [where + why for why in _open(record, phase, tally)]
            if not _keeps_all(phase, tally, limits):
                found += [where + why for why in _late(tally)]
                blamed = True
        if record.found is None:  # a search ends at the bound: its windows have to agree
            found += [where + why for why in _undecided(tally, limits)]
    found += _waited(record)
    if blamed:
        found += _saturated(record)
    # What was looked for depends on how fast the machine was, kept limits or not.
    return found + (_stolen(record) if blamed or record.found else [])


def needed(percent: float) -> int:
    """Return how many answers a percentile needs to say anything."""
    return math.ceil(round(BEYOND / (1 - percent / 100), 3))


def _silence(tallies: list[tuple[Phase, Tally]]) -> str:
    if not tallies:
        return "nothing was measured: found no phase but warm-ups, expected one at least"
    together = total(tally for _, tally in tallies)
    reasons = together.failures.most_common(1)
    most = f"; most failed by: {reasons[0][0]}" if reasons else ""
    return f"no request was answered: found 0 answers to {together.due:,} requests{most}"


def _open(record: Record, phase: Phase, tally: Tally) -> Iterator[str]:
    done = tally.right + tally.failed
    if done < LEAST_DONE * tally.due:
        yield (
            "the generator fell behind or was cut short: found "
            f"{100 * done / tally.due:.1f} % of the requests done ({done:,} of "
            f"{tally.due:,} that were due), expected {100 * LEAST_DONE:g} % at least"
        )
    if phase.rate:
        expected, exact = phase.rate * phase.seconds, record.arrivals == "constant"
        # A constant schedule has one more or less than expected, by where it begins.
        spread = 1 if exact else STANDARD_ERRORS * math.sqrt(expected)
        margin = spread + RATE_SHARE * expected
        if abs(tally.due - expected) > margin:
            yield (
                "the generator did not keep to its rate: found "
                f"{tally.due / phase.seconds:,.1f} requests due a second, expected "
                f"{phase.rate:,.1f} ± {margin / phase.seconds:,.1f}"
            )


def _keeps_all(phase: Phase, tally: Tally, limits: list[Limit]) -> bool:
    """Tell whether there are limits of latency, and a phase keeps all of them."""
    bounds = [limit for limit in limits if limit.is_latency]
    values = [limit.value(tally, phase.seconds) for limit in bounds]
    return bool(bounds) and all(b.keeps(value) for b, value in zip(bounds, values))


def _late(tally: Tally) -> Iterator[str]:
    late, latency = tally.late.percentile(99), tally.latency.percentile(99)
    most = max(LATE_MS, LATE_SHARE * latency)
    if late > most:
        yield (
            f"the generator itself was late: found a p99 of {late:,.2f} ms, expected "
            f"{most:,.2f} ms at most: {100 * LATE_SHARE:g} % of the latency's p99 "
            f"({latency:,.2f} ms), or {LATE_MS:g} ms"
        )


def _undecided(tally: Tally, limits: Iterable[Limit]) -> Iterator[str]:
    """Say which limits another such run might judge otherwise."""
    for limit in limits:
        if limit.percent is not None and tally.latency:
            low, high = tally.latency.interval(limit.percent)
            if limit.keeps(low) != limit.keeps(high):
                yield (
                    f"{limit.text} is undecided: found p{limit.percent:g} between "
                    f"{low:,.2f} and {high:,.2f} ms (95 % confidence, "
                    f"{len(tally.latency):,} answers), expected both on one side of the "
                    "bound; a longer run narrows it"
                )


def _waited(record: Record) -> list[str]:
    return [
        "the generator waited for a core: found its most delayed process kept from running "
        f"for {100 * usage.waited:.1f} % of the time, expected {100 * WAITED:g} % at most; "
        "give it a core of its own"
        for usage in record.usage
        if usage.name == "generator" and usage.waited is not None and usage.waited > WAITED
    ]


def _stolen(record: Record) -> list[str]:
    if not record.stolen or record.stolen <= STOLEN:
        return []
    return [
        "the machine was not quiet: found that its host gave "
        f"{100 * record.stolen:.0f} % of its processors' time to others, expected "
        f"{100 * STOLEN:.0f} % at most"
    ]


def _saturated(record: Record) -> list[str]:
    return [
        "the generator was the limit, and not the server: found its busiest process at "
        f"work for {100 * usage.busiest:.0f} % of the time, expected {100 * BUSIEST:.0f} % "
        "at most; send from more processes"
        for usage in record.usage
        if usage.name == "generator" and usage.busiest > BUSIEST
    ]
