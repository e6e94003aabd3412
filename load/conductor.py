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
# Between two lines of progress, and, where this process sends too, two looks into what it
# has counted: that takes a millisecond or two, in which it sends nothing.
SAY_S = 5.0
# What may pass, beside the plan itself, until the last report of a worker is there: a
# report a second, and twice the time to drain.
PATIENCE_S = 45.0
SLICES = 600  # a time line has at most about as many points


class Interrupted(Exception):
    """The run cannot go on; the text is the reason."""


class Conductor:
    """Plays loads on all workers, and puts together what they report.

    Attributes:
        phases: those that were played.
        started: whether it has begun.
    """

    def __init__(self, environment: Any) -> None:
        self._runner = environment.runner
        self._options = environment.parsed_options
        self._generator = environment.generator  # None in a master
        self._tallies: dict[int, dict[int, Tally]] = defaultdict(lambda: defaultdict(Tally))
        self._done: dict[str, int] = {}
        self._usage: dict[int, dict[str, tuple[float, float]]] = defaultdict(dict)
        self.phases: list[Phase] = []
        self.started = False
        self._starts: list[float] = []  # of the phases, on this process's clock
        self._recent = Tally()

    def workers(self) -> list[str | None]:
        """Return the ids of those that send; None is this process."""
        clients = getattr(self._runner, "clients", None)
        if clients is None:
            return [None]
        return sorted(c.id for c in clients.ready + clients.spawning + clients.running)

    def report(self, client_id: str, found: dict[str, Any]) -> None:
        """Take what a worker has sent."""
        for phase, part, tally in found["tallies"]:
            read = Tally.from_dict(tally)
            self._tallies[phase][part].merge(read)
            self._recent.merge(read)
        for phase, cores, memory in found["usage"]:
            self._usage[phase][client_id] = cores, memory
        self._done[client_id] = found["done"]

    def play(self, loads: list[Load]) -> list[Phase]:
        """Play loads without a pause, and return what became of the requests.

        Raises:
            Interrupted: a worker has gone, or does not end.
        """
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
            self._runner.send_message("plan", {**plan, "share": share}, worker)
        try:
            self._wait(workers, len(self.phases), time.monotonic() + seconds + PATIENCE_S)
        finally:
            for number, phase in enumerate(self.phases[first:], first):
                phase.slices = self._slices(phase, self._tallies[number], interval)
        return self.phases[first:]

    def counted(self) -> list[tuple[float, Phase]]:
        """Return the phases that count, each with its start on this process's clock."""
        both = zip(self._starts, self.phases)
        return [(start, phase) for start, phase in both if phase.counted]

    def usage(self) -> Usage:
        """Return what the generator took in the phases that count."""
        used: dict[str, float] = defaultdict(float)
        memory: dict[str, float] = {}
        seconds = 0.0
        for number, phase in enumerate(self.phases):
            if phase.counted and number in self._usage:
                seconds += phase.seconds
                for worker, (cores, last) in self._usage[number].items():
                    used[worker] += cores * phase.seconds
                    memory[worker] = last
        each = [spent / seconds for spent in used.values()] or [0.0]
        return Usage("generator", sum(each), max(each), sum(memory.values()), len(memory))

    def _wait(self, workers: list[str | None], done: int, until: float) -> None:
        say = time.monotonic() + SAY_S
        while any(self._done.get(worker or "local", 0) < done for worker in workers):
            gone = set(workers) - set(self.workers())
            if gone:
                raise Interrupted(f"found {len(gone)} of {len(workers)} workers gone")
            if time.monotonic() > until:
                raise Interrupted(f"found a worker that is not done after {PATIENCE_S:g} s")
            gevent.sleep(LOOK_S)
            due = time.monotonic() > say
            if self._generator and (due or self._generator.done >= done):
                self.report("local", self._generator.report())
            if due:
                self._say()
                say += SAY_S

    def _say(self) -> None:
        """Say how it goes."""
        recent, self._recent = self._recent, Tally()
        middle = time.perf_counter() - SAY_S / 2
        phase = self.phases[max(bisect(self._starts, middle) - 1, 0)]
        p50, p99 = recent.latency.percentiles([50, 99])
        logger.info(
            "%s: %.0f right a second, p50 %.2f ms, p99 %.2f ms, %d failed",
            *(phase.name, recent.right / SAY_S, p50, p99, recent.failed),
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
