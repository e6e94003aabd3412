"""Leads a run, in Locust's master or its only process: what is sent, and until when."""

import logging
import time
from bisect import bisect
from collections import defaultdict
from typing import Any

import gevent

from load.record import Phase, Slice, Tally, Usage
from load.scenarios import Load

logger = logging.getLogger(__name__)

LOOK_S = 0.1
SAY_S = 5.0  # between two lines of progress
# What may pass, beside the plan itself, until the last report of a worker is there: a
# report a second, and twice the time to drain.
PATIENCE_S = 45.0
SLICES = 600  # a time line has at most about as many points
LOCAL = "local"  # the name of a process that leads and sends


class Interrupted(Exception):
    """The run cannot go on; the text is the reason."""


class Conductor:
    """Plays loads on all workers, or watches Locust's users, and adds up the reports.

    Attributes:
        phases: those that were played.
        images: how many Locust's own users have had an answer to.
        started: whether it has begun.
    """

    def __init__(self, environment: Any) -> None:
        self._runner = environment.runner
        self._options = environment.asked
        self._environment = environment
        self._tallies: dict[int, dict[int, Tally]] = defaultdict(lambda: defaultdict(Tally))
        self._done: dict[str, int] = {}
        self._broken: dict[str, str] = {}
        self._usage: dict[int, dict[str, tuple[float, float | None, float]]] = defaultdict(
            dict
        )
        self.phases: list[Phase] = []
        self.images = 0
        self.started = False
        self._starts: list[float] = []  # of the phases, on this process's clock
        self._recent, self._said = Tally(), time.perf_counter()

    def workers(self) -> list[str]:
        """Return the ids of those that send."""
        clients = getattr(self._runner, "clients", None)
        if clients is None:
            return [LOCAL]
        # Those with a connection more first: users of a closed loop are dealt out in turn.
        there = clients.ready + clients.spawning + clients.running
        return [c.id for c in sorted(there, key=lambda c: (-c.user_count, c.id))]

    def report(self, client_id: str, found: dict[str, Any]) -> None:
        """Take what a worker has sent."""
        for phase, part, tally in found["tallies"]:
            self._tallies[phase][part].merge(tally)
            self._recent.merge(tally)
        for phase, *usage in found["usage"]:
            self._usage[phase][client_id] = tuple(usage)
        self._done[client_id] = found["done"]
        self.images += found["images"]
        if found["broken"]:
            self._broken[client_id] = found["broken"]

    def play(self, loads: list[Load]) -> list[Phase]:
        """Play loads without a pause, and return what became of the requests.

        Raises:
            Interrupted: a worker has come or gone, or does not end.
        """
        # What is there is of an earlier run on Locust's page, or in a phase already.
        self._tallies.clear()
        self._done.clear()
        first, workers = len(self.phases), self.workers()
        seconds = sum(load.seconds for load in loads)
        interval = max(1.0, seconds / SLICES)
        start = time.perf_counter()
        for load in loads:
            self._starts.append(start)
            start += load.seconds
        self.phases += [Phase(o.name, o.rate, o.seconds, o.counted) for o in loads]
        plan = {
            **{"first": first, "loads": [list(load) for load in loads]},
            **{"arrivals": self._options.arrivals, "seed": self._options.seed},
            **{"shares": len(workers), "interval": interval},
        }
        for share, worker in enumerate(workers):
            to = None if worker == LOCAL else worker
            self._runner.send_message("plan", {**plan, "share": share}, to)
        try:
            self._wait(workers, len(self.phases), time.monotonic() + seconds + PATIENCE_S)
        finally:
            for number, phase in enumerate(self.phases[first:], first):
                phase.slices = self._slices(phase, self._tallies[number], interval)
        return self.phases[first:]

    def watch(self, started: float, seconds: float, interval: float) -> Phase:
        """Return what Locust's own users have seen so far, as the only phase.

        Args:
            started: on this process's clock.
            seconds: since then.
            interval: of the time line, in seconds.
        """
        if generator := self._environment.generator:
            self.report(LOCAL, generator.report())
        phase = Phase("users", None, seconds)
        phase.slices = self._slices(phase, self._tallies[0], interval)
        self.phases, self._starts = [phase], [started]
        return phase

    def counted(self) -> list[tuple[float, Phase]]:
        """Return the phases that count, each with its start on this process's clock."""
        both = zip(self._starts, self.phases)
        return [(start, phase) for start, phase in both if phase.counted]

    def usage(self, phases: list[Phase]) -> Usage:
        """Return what the generator took in some phases, its busiest process in any."""
        used: dict[str, float] = defaultdict(float)
        memory: dict[str, float] = {}
        seconds = busiest = 0.0
        waited: float | None = None
        for number, phase in enumerate(self.phases):
            if any(phase is each for each in phases) and number in self._usage:
                seconds += phase.seconds
                for worker, (cores, waiting, last) in self._usage[number].items():
                    used[worker] += cores * phase.seconds
                    memory[worker] = last
                    busiest = max(busiest, cores)
                    if waiting is not None:
                        waited = max(waited or 0.0, waiting)
        cores = sum(used.values()) / seconds if seconds else 0.0
        memories = sum(memory.values())
        return Usage("generator", cores, busiest, memories, len(memory), waited)

    def _wait(self, workers: list[str], done: int, until: float) -> None:
        while any(self._done.get(worker, 0) < done for worker in workers):
            there = set(self.workers())
            if there != set(workers):  # Locust deals the connections out anew
                old, new = len(there & set(workers)), len(there - set(workers))
                raise Interrupted(
                    f"found {old} of the {len(workers)} workers of the start, and {new} "
                    "new ones; expected no change"
                )
            if self._broken:
                raise Interrupted(next(iter(self._broken.values())))
            if time.monotonic() > until:
                raise Interrupted(f"found a worker that is not done after {PATIENCE_S:g} s")
            gevent.sleep(LOOK_S)
            if generator := self._environment.generator:
                self.report(LOCAL, generator.report())
            if time.perf_counter() - self._said > SAY_S:
                self._say()

    def _say(self) -> None:
        """Say how it goes."""
        recent, self._recent = self._recent, Tally()
        now, before = time.perf_counter(), self._said
        self._said = now
        phase = self.phases[max(bisect(self._starts, (now + before) / 2) - 1, 0)]
        p50, p99 = recent.latency.percentiles([50, 99])
        logger.info(
            "%s: %.0f right a second, p50 %.2f ms, p99 %.2f ms, %d failed",
            *(phase.name, recent.right / (now - before), p50, p99, recent.failed),
        )

    @staticmethod
    def _slices(phase: Phase, tallies: dict[int, Tally], interval: float) -> list[Slice]:
        # In the closed loop a request can begin just when the phase ends.
        last = max(int(phase.seconds / interval - 1e-9), 0)
        merged: dict[int, Tally] = defaultdict(Tally)
        for part, tally in tallies.items():
            merged[min(part, last)].merge(tally)
        return [
            Slice(at * interval, min(interval, phase.seconds - at * interval), merged[at])
            for at in range(last + 1)
        ]
