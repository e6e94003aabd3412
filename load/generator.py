"""What sends, in every process that does: a turn for each request, and what became of it.

In the open loop turns come when they are due, whether or not the server has answered the
last ones; in the closed loop each user's comes when its last request is answered.
"""

import time
from collections import defaultdict
from typing import Any, NamedTuple

import gevent
import psutil
from gevent.queue import SimpleQueue

from load.arrivals import arrivals
from load.record import Tally
from load.scenarios import Load

# The event loop's own clock ticks in milliseconds: the last of them is waited for by
# looking again and again, so that a request is late by some 10 µs and not by up to 1 ms.
SPIN_S = 0.002
# After the last request was due; longer than a request waits for its answer.
DRAIN_S = 15.0
# So far behind its own schedule a process does not catch up: it gives the phase up, which
# makes the run INVALID, and does not take all memory.
BEHIND_S = 2.0
MOST = 500_000  # turns that wait, some 200 bytes each
CUT = "never sent: all connections were busy"


class Plan(NamedTuple):
    """What one process is to send.

    Attributes:
        first: the number of the first load in the whole run.
        loads: one after the other, without a pause.
        arrivals: ``poisson`` or ``constant``.
        seed: of the arrivals.
        share, shares: its part, and of how many.
        interval: of the time line, in seconds.
    """

    first: int
    loads: list[Load]
    arrivals: str
    seed: int
    share: int
    shares: int
    interval: float

    @classmethod
    def read(cls, message: dict[str, Any]) -> "Plan":
        """Return the plan in a message, in which its loads have become lists."""
        return cls(**{**message, "loads": [Load(*each) for each in message["loads"]]})


class Turn(NamedTuple):
    """Leave to send a request.

    Attributes:
        phase: the number of the load that it belongs to.
        due: when, in seconds from the start of the load; None in the closed loop.
        start: the start of the load on the clock of this process.
        end: its end.
        free: whether a connection was free when it was due.
    """

    phase: int
    due: float | None
    start: float
    end: float
    free: bool = True


class Generator:
    """The turns, and the tallies by the time at which the requests were due.

    Attributes:
        users: connections of this process.
        done: how many loads of the whole run are over.
    """

    def __init__(self) -> None:
        self.users = 0
        self.done = 0
        self._turns: SimpleQueue[Turn] = SimpleQueue()
        self._given = 0  # turns that are not over
        self._worked = 0  # requests begun and ended
        self._free = 0.0  # seconds in which there was nothing to do
        self._interval = 1.0
        self._tallies: dict[tuple[int, int], Tally] = defaultdict(Tally)
        self._usage: dict[int, list[float]] = {}
        self._greenlet: Any = None

    def start(self, plan: Plan) -> None:
        """Begin to hand out the turns of a plan."""
        self._interval = plan.interval
        self._greenlet = gevent.spawn(self._run, plan)

    def stop(self) -> None:
        """Hand out no more turns."""
        if self._greenlet:
            self._greenlet.kill()

    def take(self) -> Turn:
        """Wait for a turn."""
        turn: Turn = self._turns.get()
        self._worked += 1
        return turn

    def note(
        self,
        turn: Turn,
        sent: float,
        done: float | None,
        failure: str | None,
        stages: dict[str, float],
    ) -> None:
        """Write down what became of a request.

        Args:
            turn: its turn.
            sent: when, on this process's clock.
            done: the same of the answer's last byte; None without an answer.
            failure: why it failed; None if it was right.
            stages: the server's own account, in seconds.
        """
        self._worked += 1
        due = sent if turn.due is None else turn.start + turn.due
        tally = self._tally(turn.phase, due - turn.start)
        if turn.due is None:
            tally.due += 1
        elif turn.free:
            tally.late.add(sent - due)
        if failure is None:
            tally.right += 1
        else:
            tally.failures[failure] += 1
        if done is not None:
            tally.latency.add(done - due)
            tally.service.add(done - sent)
        for stage, seconds in stages.items():
            tally.add_stage(stage, seconds)

    def finish(self, turn: Turn) -> None:
        """End a turn; in the closed loop the next one begins."""
        if turn.due is None and time.perf_counter() < turn.end:
            self._turns.put(turn)
        else:
            self._given -= 1

    def report(self) -> dict[str, Any]:
        """Return what has happened since the last time."""
        tallies, self._tallies = self._tallies, defaultdict(Tally)
        usage, self._usage = self._usage, {}
        return {
            "tallies": [[*key, tally.as_dict()] for key, tally in tallies.items()],
            "usage": [[number, *each] for number, each in usage.items()],
            "done": self.done,
        }

    def _tally(self, phase: int, at: float) -> Tally:
        return self._tallies[phase, int(at / self._interval)]

    def _run(self, plan: Plan) -> None:
        start = time.perf_counter()
        for number, load in enumerate(plan.loads, plan.first):
            before, free = time.perf_counter(), self._free
            if load.rate is None:
                self._closed(plan, number, load, start)
            else:
                self._open(plan, number, load, start)
            start += load.seconds
            self._wait_until(start)
            busy = 1 - (self._free - free) / (time.perf_counter() - before)
            memory = psutil.Process().memory_info().rss
            self._usage[number] = [busy, memory / (1 << 20)]
        self._drain()
        self.done = plan.first + len(plan.loads)

    def _open(self, plan: Plan, number: int, load: Load, start: float) -> None:
        end = start + load.seconds
        times = arrivals(
            plan.arrivals,
            load.rate or 0.0,
            load.seconds,
            plan.seed + number,
            plan.share,
            plan.shares,
        )
        for due in times:
            self._wait_until(start + due)
            if time.perf_counter() - start - due > BEHIND_S:
                self._cut()
                break
            tally = self._tally(number, due)
            tally.due += 1
            if self._given < MOST:
                self._give(Turn(number, due, start, end, self._given < self.users))
            else:
                tally.failures[CUT] += 1

    def _closed(self, plan: Plan, number: int, load: Load, start: float) -> None:
        users = range(plan.share, load.users or 0, plan.shares)
        for _ in users:
            self._give(Turn(number, None, start, start + load.seconds))

    def _give(self, turn: Turn) -> None:
        self._given += 1
        self._turns.put(turn)

    def _drain(self) -> None:
        """Wait for the answers; what no connection was free for is never sent."""
        end = time.perf_counter() + DRAIN_S
        while self._given and time.perf_counter() < end:
            gevent.sleep(0.01)
        self._cut()
        while self._given and time.perf_counter() < end + DRAIN_S:
            gevent.sleep(0.01)

    def _cut(self) -> None:
        """Take back the turns that no connection was free for."""
        while not self._turns.empty():
            turn = self._turns.get()
            self._given -= 1
            self._tally(turn.phase, turn.due or 0.0).failures[CUT] += 1

    def _wait_until(self, due: float) -> None:
        """Wait, and keep account of the time in which this process had nothing to do."""
        while (left := due - (before := time.perf_counter())) > 0:
            if left > SPIN_S:
                used = time.process_time()
                gevent.sleep(left - SPIN_S)
                self._free += time.perf_counter() - before - (time.process_time() - used)
            else:
                worked = self._worked
                gevent.idle()  # a look at the sockets; sleep(0) would take none for 5 ms
                if worked == self._worked:
                    self._free += time.perf_counter() - before
