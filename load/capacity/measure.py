"""Service times: one worker on one core, each kind of request, alone and together."""

from statistics import median

from load.capacity.admission import MAX_WAIT_S
from load.capacity.measured import Kind, thin
from load.capacity.others import quietest
from load.capacity.simulation import Farm, Outcome, simulate
from load.capacity.targets import Record, Target, alone, come_first, core_seconds, turns
from load.overload import OWN, rush
from load.peers import wrk
from load.peers.latency import percentile
from load.peers.measure import GENERATOR_CORE, SERVER_CORE, WARM_UP_SECONDS, say
from load.peers.process import Process
from load.rush import Phase, schedule

POINTS = (50, 95, 99)
SHARES = (0.3, 0.5, 0.7, 0.8)


def kind(target: Target, seconds: float, clients: int = wrk.CONNECTIONS) -> Kind:
    """Measure a kind of request on a service of its own.

    Args:
        target: what is asked.
        seconds: how long, by one client, and then by many.
        clients: how many these are: no more than the service lets wait.

    Raises:
        RuntimeError: it refused some.
    """
    say(f"service times: {target.item.title}")
    with Process(OWN, SERVER_CORE) as process:
        family = process.family()
        _wrk(target, process.port, WARM_UP_SECONDS, clients)
        before = core_seconds(family)
        found = alone(target, process.port, seconds)
        took = found["seconds"]
        one = (core_seconds(family) - before) / len(took)
        turned, before = turns(process.port), core_seconds(family)
        many = _wrk(target, process.port, int(seconds), clients)
        if sum(many["errors"].values()):
            raise RuntimeError(f"found {many}, expected no errors")
        each = (core_seconds(family) - before) / many["requests"]
        size = many["requests"] / (turns(process.port) - turned)
    # The median: the pauses of the machine are the worker's, and not around it.
    around = max(median(took) - one, 0.0)
    return Kind(
        target.payload,
        target.item.images,
        round(target.mean_bytes()),
        round(found["reply_bytes"]),
        tuple(1e6 * value for value in thin(above(took, around))),
        1e6 * (one - each) / (1 - 1 / size) if size > 1 else 0.0,
        size,
        1e6 * around,
        many["requests_per_s"],
    )


def _wrk(target: Target, port: int, seconds: int, clients: int = wrk.CONNECTIONS) -> Record:
    return wrk.run(target.item, target.way, port, seconds, GENERATOR_CORE, clients)


def one_replica(target: Target, known: Kind, seconds: int) -> list[Record]:
    """Compare one worker, asked without a proxy at some loads, with the simulation."""
    return [_one_replica(target, known, share, seconds) for share in SHARES]


def _one_replica(target: Target, known: Kind, share: float, seconds: int) -> Record:
    rate = share * known.most_rate
    due = schedule([Phase(rate, seconds)], seed=1)
    predicted = foreseen(simulate(due, known.service(), Farm(most_wait_s=MAX_WAIT_S)))
    say(f"one replica, {target.item.title}: {rate:.0f}/s")

    def measure() -> tuple[Record, Record]:
        with Process(OWN, SERVER_CORE) as process:
            _wrk(target, process.port, WARM_UP_SECONDS)
            come_first(process.family())
            return rush(target.item, target.way, process.port, [(rate, seconds)])

    (generator, arrays), others = quietest(measure)
    return compared(share, rate, predicted, generator, arrays) | {"others": others}


def above(took: list[float], around: float) -> list[float]:
    """Return the worker's part of what a client waited, in seconds."""
    return [max(each - around, 0.0) for each in took]


def foreseen(outcome: Outcome) -> Record:
    """Return the figures of a simulation."""
    return figures(outcome.answered()) | {"failed": sum(outcome.refused)}


def figures(ordered: list[float]) -> dict[str, float]:
    """Return mean and percentiles, in ms, of latencies in order of size."""
    points = {f"p{point}": 1000 * percentile(ordered, point) for point in POINTS}
    return {"mean": 1000 * sum(ordered) / len(ordered), **points}


def compared(
    share: float, rate: float, predicted: Record, generator: Record, arrays: Record
) -> Record:
    """Return what was predicted and measured at a load."""
    status, took = arrays["status"], arrays["seconds"]
    measured = figures(sorted(map(float, took[status == 200])))
    return {
        "share": share,
        "rate": rate,
        "requests": len(status),
        "predicted": predicted,
        "measured": measured | {"failed": int((status != 200).sum())},
        "late_p99_ms": 1000 * generator["late_p99_s"],
        "generator_us": 1e6 * generator["core_s"] / len(status),
    }
