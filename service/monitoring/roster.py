"""The roster of workers: which are ready, how full each is, and whether all will stop.

Shared memory like the counters', made by the master before it forks. A worker writes its
own slot; the master writes the numbers of the whole service.
"""

from math import inf
from time import time
from typing import ClassVar

from service.monitoring.counters import cells

LEFT = -1.0  # in `ready`, instead of its age: the slot's worker exited cleanly
NOBODY = -1.0  # in `connections`: the slot has no worker that accepts any
# Seconds of silence after which a worker is not counted on: three times its usual interval,
# and longer than the largest request takes.
SILENT_S = 1.5


class _Number:
    """A number of the whole service that the master writes and all processes read."""

    names: ClassVar[list[str]] = []

    def __set_name__(self, owner: type, name: str) -> None:
        self._place = len(self.names)
        self.names.append(name)

    def __get__(self, roster: "Roster", owner: type | None = None) -> float:
        return roster.numbers[self._place]

    def __set__(self, roster: "Roster", value: float) -> None:
        roster.numbers[self._place] = value


class Roster:
    """What processes know of one another, by slot.

    Attributes:
        slots: number of slots.
        started: Unix time at which the service started.
        connections: open connections of the worker in each slot, or NOBODY.
        ready: age of the worker in each slot once it can serve, 0 before, LEFT after a
            clean exit.
        memory: resident bytes of the worker in each slot.
        queued: connections that the worker in each slot saw waiting to be accepted.
        stopping: 1 once the whole service is about to stop.
        wanted: number of workers there should be.
        worker_connections: most connections of a worker.
        reload_refused: 1 if the last reload was refused.
    """

    stopping = _Number()
    wanted = _Number()
    worker_connections = _Number()
    reload_refused = _Number()

    def __init__(self, slots: int = 1) -> None:
        self.slots = slots
        self.started = time()
        self.connections = cells(slots)
        self.ready = cells(slots)
        self.memory = cells(slots)
        self.queued = cells(slots)
        self._seen = cells(slots)  # when each worker last reported, in seconds
        self.numbers = cells(len(_Number.names))
        for slot in range(slots):
            self.connections[slot] = NOBODY
        self._slot = 0

    def claim(self, slot: int) -> None:
        """Make this process the writer of a slot."""
        self._slot = slot

    def release(self, slot: int) -> None:
        """Mark a slot as free."""
        self.connections[slot] = NOBODY
        self.ready[slot] = self.memory[slot] = self.queued[slot] = 0

    def report(self, now: float, memory: float, queued: float) -> None:
        """Report that this worker runs, and stop counting on workers that do not.

        Args:
            now: seconds, by a clock that all processes share.
            memory: resident bytes of this worker.
            queued: connections waiting to be accepted.
        """
        self._seen[self._slot] = now
        self.memory[self._slot], self.queued[self._slot] = memory, queued
        for slot, seen in enumerate(self._seen):
            if now - seen > SILENT_S:
                self.connections[slot] = NOBODY

    def count_connections(self, count: float) -> None:
        """Publish how many connections this worker has open, or NOBODY."""
        self.connections[self._slot] = count

    def open_connections(self) -> float:
        """Return how many connections all workers have open."""
        return sum(count for count in self.connections if count != NOBODY)

    def fewest_connections(self) -> float:
        """Return the fewest connections that any other worker has, infinity if alone."""
        others = list(self.connections)
        del others[self._slot]
        return min([count for count in others if count != NOBODY], default=inf)

    def workers(self) -> int:
        """Return how many workers accept connections, at least 1."""
        return max(1, sum(count != NOBODY for count in self.connections))

    def is_open(self) -> bool:
        """Whether requests should come: the service is not about to stop."""
        return not self.stopping
