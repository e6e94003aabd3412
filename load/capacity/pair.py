"""Two real replicas behind a real HAProxy, beside what the simulation said before.

Replica and proxy on core 0, the other replica and the generator on core 1. Proxy and
generator come first there, so that they wait for no replica, and replicas before all else
(SCHED_FIFO). Proxy and generator need little, for what is asked are pictures, each of which
takes a replica some milliseconds. What they take of the cores is measured, and the model's
replicas are slower by as much.
"""

import os
from statistics import median
from typing import NamedTuple

from load.capacity.admission import MAX_WAIT_S
from load.capacity.haproxy import Haproxy, shipped
from load.capacity.measure import SHARES, above, compared, foreseen, kind
from load.capacity.measured import Kind, thin
from load.capacity.others import quietest
from load.capacity.proxy import NAMES
from load.capacity.simulation import Farm, Service, simulate
from load.capacity.targets import Record, alone, core_seconds, picture
from load.overload import OWN, rush
from load.peers.measure import GENERATOR_CORE, SERVER_CORE, say
from load.peers.process import Process
from load.rush import Phase, schedule

TARGET = picture(scale=40)  # 1,120 × 1,120
ALONE_SECONDS = 8
CLIENTS = 4
# Requests a second, half of what the pair can do: cores and caches at work are quicker than
# those of a replica that waits for its next request.
WORK, WORK_SECONDS = 170, 8
FIRST = ("chrt", "--fifo", "2")
PROXY = ("taskset", "--cpu-list", SERVER_CORE, *FIRST)
GENERATOR = ("taskset", "--cpu-list", GENERATOR_CORE, *FIRST)


class Alone(NamedTuple):
    """What a request takes that is alone, through the proxy, in seconds of a core.

    Attributes:
        seconds: what the client waits, of each request.
        replica: of the replica.
        others: of the proxy and the generator.
    """

    seconds: list[float]
    replica: float
    others: float

    @property
    def most_rate(self) -> float:
        """Requests a second that two cores have time for."""
        return 2 / (self.replica + self.others)

    def at(self, replica: float, others: float) -> "Alone":
        """Return it with what the cores took at another time."""
        changed = replica - self.replica
        return Alone([took + changed for took in self.seconds], replica, others)

    def service(self, rate: float, known: Kind) -> Service:
        """Return what the simulation needs at a rate.

        Args:
            rate: requests a second of both replicas.
            known: what was measured of a replica without a proxy.
        """
        around = max(median(self.seconds) - self.replica, 0.0)
        slower = 1 / (1 - rate * self.others / 2)  # than without proxy and generator
        times = [slower * each for each in above(self.seconds, around)]
        return known.service()._replace(alone=times, around=around)


def run(brief: int, seconds: int) -> Record:
    """Measure and predict: the pictures alone so briefly, and each load so long."""
    known, _ = quietest(lambda: kind(TARGET, brief, CLIENTS))
    with Process(OWN, SERVER_CORE) as first, Process(OWN, GENERATOR_CORE) as second:
        ports, family = [first.port, second.port], [*first.family(), *second.family()]
        for process in family:
            os.sched_setscheduler(process, os.SCHED_FIFO, os.sched_param(1))
        balance = shipped("balance")
        with Haproxy(ports, PROXY, balance) as proxy:
            one = _alone(proxy, family)
            plan = [(share, balance) for share in SHARES]
            loads = [_load(proxy, family, *each, one, known, seconds) for each in plan]
        with Haproxy(ports, PROXY, "roundrobin") as proxy:
            alone(TARGET, proxy.port, 1, GENERATOR)  # warms up
            share = SHARES[-2]
            loads.append(_load(proxy, family, share, "roundrobin", one, known, seconds))
    return {
        "target": TARGET.item.title,
        "replica_us": 1e6 * one.replica,
        "others_us": 1e6 * one.others,
        "alone_us": [round(1e6 * value, 1) for value in thin(one.seconds)],
        "most_rate": one.most_rate,
        "loads": loads,
    }


def _alone(proxy: Haproxy, family: list[int]) -> Alone:
    """Measure requests that are alone, and what the open loop itself takes."""
    say("two replicas: one request at a time")
    alone(TARGET, proxy.port, 1, GENERATOR)  # warms up
    before = core_seconds(family)
    took = alone(TARGET, proxy.port, ALONE_SECONDS, GENERATOR)["seconds"]
    replica = (core_seconds(family) - before) / len(took)
    _, at_work = _at_work(proxy, family, WORK, WORK_SECONDS)
    return Alone(took, replica, 0.0).at(*at_work)


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
    one: Alone,
    known: Kind,
    seconds: int,
) -> Record:
    """Predict one load, and measure it; say what the cores' own minute explains."""
    rate = share * one.most_rate
    due = schedule([Phase(rate, seconds)], seed=1)
    farm = Farm(2, policy=NAMES[balance], most_wait_s=MAX_WAIT_S)

    def foretell(service: Service) -> Record:
        return foreseen(simulate(due, service, farm))

    predicted = foretell(one.service(rate, known))
    say(f"two replicas, {balance}, {share:.0%}: {rate:.0f}/s")

    measured, others = quietest(
        lambda: _at_work(proxy, family, rate, seconds), [*family, proxy.pid]
    )
    (generator, arrays), (replica, taken) = measured
    found = compared(share, rate, predicted, generator, arrays)
    return found | {
        "balance": balance,
        "others": others,
        "replica_us": 1e6 * replica,
        "others_us": 1e6 * taken,
        "explained": foretell(one.at(replica, taken).service(rate, known)),
    }
