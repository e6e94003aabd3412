"""Two real replicas behind a real HAProxy, beside what the simulation said before.

Replica and proxy on core 0, the other replica and the generator on core 1. Proxy and
generator come first there, so that they wait for no replica, and replicas before all else
(SCHED_FIFO). Proxy and generator need little, for what is asked are pictures, each of which
takes a replica some milliseconds. What they take of the cores is measured, and the model's
replicas are slower by as much.
"""

from statistics import median
from typing import NamedTuple

from load.capacity.admission import MAX_WAIT_S
from load.capacity.haproxy import Haproxy, shipped
from load.capacity.measure import SHARES, compared, foreseen
from load.capacity.measured import thin
from load.capacity.others import quietest
from load.capacity.proxy import NAMES
from load.capacity.simulation import Farm, Service, simulate
from load.capacity.targets import Record, alone, come_first, core_seconds, picture
from load.overload import OWN, rush
from load.peers.measure import GENERATOR_CORE, SERVER_CORE, say
from load.peers.process import Process
from load.rush import Phase, schedule

TARGET = picture(scale=40)  # 1,120 × 1,120
ALONE_SECONDS = 8
# Requests a second, 30 and 85 % of what the pair can do, for so many seconds.
FEW, MANY, WORK_SECONDS = 100, 290, 8
FIRST = ("chrt", "--fifo", "2")
PROXY = ("taskset", "--cpu-list", SERVER_CORE, *FIRST)
GENERATOR = ("taskset", "--cpu-list", GENERATOR_CORE, *FIRST)


class Costs(NamedTuple):
    """What a request takes through the proxy, in seconds.

    Attributes:
        alone: what a client waits, of each request that is alone.
        around: of that, what is no replica's.
        busy: of a replica's core, for a request right after another one.
        wake: more, for one that finds the replica idle.
        others: of proxy and generator.
    """

    alone: list[float]
    around: float
    busy: float
    wake: float
    others: float

    @property
    def most_rate(self) -> float:
        """Requests a second that two cores have time for."""
        return 2 / (self.busy + self.others)

    def service(self, rate: float) -> Service:
        """Return what the simulation needs at a rate, in requests a second."""
        slower = 1 / (1 - rate * self.others / 2)  # than without proxy and generator
        shift = self.busy + self.wake - median(self.alone)
        times = [slower * max(took + shift, self.wake) for took in self.alone]
        return Service(times, around=self.around, most=1000, wake=slower * self.wake)


def run(seconds: int) -> Record:
    """Measure and predict, each load so long."""
    with Process(OWN, SERVER_CORE) as first, Process(OWN, GENERATOR_CORE) as second:
        ports, family = [first.port, second.port], [*first.family(), *second.family()]
        come_first(family)
        balance = shipped("balance")
        with Haproxy(ports, PROXY, balance) as proxy:
            known = _costs(proxy, family)
            plan = [(share, balance) for share in SHARES]
            loads = [_load(proxy, family, *each, known, seconds) for each in plan]
        with Haproxy(ports, PROXY, "roundrobin") as proxy:
            alone(TARGET, proxy.port, 1, GENERATOR)  # warms up
            share = SHARES[-2]
            loads.append(_load(proxy, family, share, "roundrobin", known, seconds))
    kept = {name: 1e6 * getattr(known, name) for name in Costs._fields[1:]}
    return {
        "target": TARGET.item.title,
        "costs_us": kept,
        "alone_us": [round(1e6 * value, 1) for value in thin(known.alone)],
        "most_rate": known.most_rate,
        "loads": loads,
    }


def _costs(proxy: Haproxy, family: list[int]) -> Costs:
    """Measure requests that are alone, and the cores at two loads.

    Of the requests that come at random, so many find their replica idle as it is idle.
    """
    say("two replicas: one request at a time, and what the cores take at work")
    alone(TARGET, proxy.port, 1, GENERATOR)  # warms up
    before = core_seconds(family)
    took = alone(TARGET, proxy.port, ALONE_SECONDS, GENERATOR)["seconds"]
    replica = (core_seconds(family) - before) / len(took)
    _, (idler, some) = _at_work(proxy, family, FEW, WORK_SECONDS)
    _, (busier, more) = _at_work(proxy, family, MANY, WORK_SECONDS)
    low, high = FEW * (idler + some) / 2, MANY * (busier + more) / 2
    wake = max((idler - busier) / (high - low), 0.0)
    around = max(median(took) - replica, 0.0)
    return Costs(took, around, busier - wake * (1 - high), wake, (some + more) / 2)


def _at_work(
    proxy: Haproxy, family: list[int], rate: float, seconds: float
) -> tuple[tuple[Record, Record], tuple[float, float]]:
    """Return what the open loop found, and seconds of cores a request: replica, others."""
    before, passed = core_seconds(family), core_seconds([proxy.pid])
    generator, arrays = _open_loop(proxy, rate, seconds)
    replica = core_seconds(family) - before
    others = core_seconds([proxy.pid]) - passed + generator["core_s"]
    count = len(arrays["due"])
    return (generator, arrays), (replica / count, others / count)


def _open_loop(proxy: Haproxy, rate: float, seconds: float) -> tuple[Record, Record]:
    plan = [(rate, seconds)]
    return rush(TARGET.item, TARGET.way, proxy.port, plan, GENERATOR, ["--waits"])


def _load(
    proxy: Haproxy,
    family: list[int],
    share: float,
    balance: str,
    known: Costs,
    seconds: int,
) -> Record:
    """Predict one load, and measure it; say what the cores' own minute explains."""
    rate = share * known.most_rate
    due = schedule([Phase(rate, seconds)], seed=1)
    farm = Farm(2, policy=NAMES[balance], most_wait_s=MAX_WAIT_S)

    def foretell(costs: Costs) -> Record:
        return foreseen(simulate(due, costs.service(rate), farm))

    predicted = foretell(known)
    say(f"two replicas, {balance}, {share:.0%}: {rate:.0f}/s")
    measured, others = quietest(
        lambda: _at_work(proxy, family, rate, seconds), [*family, proxy.pid]
    )
    (generator, arrays), (replica, taken) = measured
    idle = 1 - rate * (replica + taken) / 2
    then = known._replace(busy=replica - known.wake * idle, others=taken)
    return compared(share, rate, predicted, generator, arrays) | {
        "balance": balance,
        "others": others,
        "replica_us": 1e6 * replica,
        "others_us": 1e6 * taken,
        "explained": foretell(then),
    }
