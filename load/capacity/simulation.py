"""The queueing model, run request by request: a proxy, replicas, and their workers.

A worker of the service answers together all that is there when it gets round to it, and
who comes meanwhile waits for the next batch. The replies of a batch go out together, so
each of its requests waits for the whole of it. Textbook formulas know no such server,
which is why this is a simulation; with batches of one it is the textbook's (the tests
compare it with M/M/1, M/D/1 and M/M/c).
"""

import random
from collections import deque
from collections.abc import Iterable, Sequence
from heapq import heappop, heappush
from typing import NamedTuple

from load.capacity.admission import REFUSE_S, Admission
from load.capacity.proxy import LEAST, Proxy


class Service(NamedTuple):
    """How long a worker takes for requests of one kind.

    Attributes:
        alone: seconds of the worker for a request that is answered alone; of those that
            were measured, one is drawn for each request.
        once: of these, what requests that are answered together take once.
        around: seconds between client and worker: the network, the kernel, the proxy.
        together: how many were together when ``once`` was measured; so many more take it
            again, for what more of them would save is not known.
        most: how many are answered together at most.
        wake: of the time alone, what is due to a worker that had nothing to do before: its
            caches are others', and it has to be woken up.
    """

    alone: Sequence[float]
    once: float = 0.0
    around: float = 0.0
    together: float = 1.0
    most: int = 1
    wake: float = 0.0

    @property
    def each(self) -> float:
        """Mean seconds of a request among many: 1 / each is the highest rate."""
        mean = sum(self.alone) / len(self.alone)
        return mean - self.wake - self.once * (1 - 1 / self.together)


class Farm(NamedTuple):
    """What stands behind the address that clients know.

    Attributes:
        replicas: how many.
        workers: of each replica, of which each has a core.
        policy: how the proxy chooses a replica, of :data:`load.capacity.proxy.POLICIES`.
        room: requests that the proxy gives a replica at a time, the others wait in the
            proxy; None for no limit.
        most_wait_s: the service's ``MNIST_MAX_WAIT_MS``; None lets everything in.
    """

    replicas: int = 1
    workers: int = 1
    policy: str = LEAST
    room: int | None = None
    most_wait_s: float | None = None


class Outcome(NamedTuple):
    """What became of each request, in the order in which they were due.

    Attributes:
        seconds: from when it was due until its reply.
        refused: whether that was a 503.
        replicas: how many requests each replica was given.
    """

    seconds: list[float]
    refused: list[bool]
    replicas: list[int]

    def answered(self) -> list[float]:
        """Return the latencies of what was answered, in order of size."""
        pairs = zip(self.seconds, self.refused)
        return sorted(took for took, refused in pairs if not refused)


class _Worker:
    """A worker: who waits for it, and whom it answers just now."""

    def __init__(self, replica: int, admission: Admission | None) -> None:
        self.replica, self.admission = replica, admission
        self.waiting: deque[int] = deque()
        self.batch: list[int] = []
        self.busy = False


class _Simulation:
    def __init__(self, due: Sequence[float], service: Service, farm: Farm, seed: int):
        self._due, self._service, self._each = due, service, service.each
        self._chance = random.Random(f"capacity {seed}")
        self._proxy = Proxy(farm.policy, farm.replicas, farm.room, self._chance)
        self._workers = [
            [
                _Worker(replica, self._admission(farm.most_wait_s))
                for _ in range(farm.workers)
            ]
            for replica in range(farm.replicas)
        ]
        self._queue: deque[int] = deque()  # in the proxy, where no replica has room
        self._ends: list[tuple[float, int, _Worker]] = []  # of batches, the next one first
        self._seconds = [0.0] * len(due)
        self._refused = [False] * len(due)
        self._given = [0] * farm.replicas
        self._batches = 0

    def _admission(self, most_wait_s: float | None) -> Admission | None:
        return None if most_wait_s is None else Admission(most_wait_s)

    def run(self) -> Outcome:
        for number, now in enumerate(self._due):
            while self._ends and self._ends[0][0] <= now:
                self._finish()
            self._queue.append(number)
            self._give(now)
        while self._ends:
            self._finish()
        return Outcome(self._seconds, self._refused, self._given)

    def _give(self, now: float) -> None:
        """Let the proxy give away what waits in it, as far as there is room."""
        while self._queue:
            replica = self._proxy.take()
            if replica is None:
                return
            self._given[replica] += 1
            workers = self._workers[replica]
            # The proxy takes any of its open connections, and each is some worker's.
            worker = workers[int(self._chance.random() * len(workers))]
            worker.waiting.append(self._queue.popleft())
            if not worker.busy:
                self._start(worker, now, self._service.wake)

    def _start(self, worker: _Worker, now: float, seconds: float = 0.0) -> None:
        """Let a worker take what waits for it, up to the most that go together."""
        service, waiting = self._service, worker.waiting
        while waiting and len(worker.batch) < service.most:
            number = waiting.popleft()
            if worker.admission and not worker.admission.admit(now, self._each):
                self._refuse(worker, number, now)
                seconds += REFUSE_S
            else:
                worker.batch.append(number)
                drawn = service.alone[int(self._chance.random() * len(service.alone))]
                seconds += drawn - service.once - service.wake
        if worker.admission and not waiting:
            worker.admission.end_turn()
        worker.busy = True
        self._batches += 1
        seconds += service.once * max(1.0, len(worker.batch) / service.together)
        heappush(self._ends, (now + seconds, self._batches, worker))

    def _refuse(self, worker: _Worker, number: int, now: float) -> None:
        """Say no at once, before the batch."""
        self._refused[number] = True
        self._seconds[number] = now - self._due[number] + self._service.around
        self._proxy.done(worker.replica, 1)

    def _finish(self) -> None:
        """End the batch that ends next, and begin what waited for that."""
        now, _, worker = heappop(self._ends)
        for number in worker.batch:
            self._seconds[number] = now - self._due[number] + self._service.around
        self._proxy.done(worker.replica, len(worker.batch))
        worker.batch, worker.busy = [], False
        if worker.waiting:
            self._start(worker, now)
        self._give(now)


def simulate(due: Iterable[float], service: Service, farm: Farm, seed: int = 1) -> Outcome:
    """Return what becomes of requests of one kind.

    Args:
        due: when they come, in seconds, in order, as `load.arrivals` has them.
        service: how long one takes.
        farm: what answers.
        seed: of all that is left to chance.
    """
    return _Simulation(list(due), service, farm, seed).run()
