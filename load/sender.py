"""The process that sends a schedule: ``python -m load.sender``, started by Locust's.

On uvloop, with nothing else in the process, so that neither Locust's tables nor its
messages delay a request. It takes pickled messages on its standard input, first an `Asked`
and then any number of `Plan`, and reports on its standard output once a second. It ends
with its input, so that it never outlives the process that started it.

In the open loop requests are due at times set beforehand, whether or not the server has
answered the last ones; in the closed loop each user sends again once it is answered.
"""

import asyncio
import gc
import itertools
import os
import pickle
import signal
import sys
import threading
import time
from collections import defaultdict, deque
from typing import NamedTuple

import uvloop

from load import answers
from load.arrivals import arrivals
from load.client import Connection, Reply, Target, clock
from load.contention import Contention, memory_mib
from load.messages import Asked, Plan, Report, Usage
from load.payloads import Request
from load.record import Tally
from load.scenarios import Load

# uvloop's timers tick in milliseconds: the last two are waited for by looking again and
# again, so that a request is late by some 10 µs.
SPIN_S = 0.002
ANSWER_S = 10.0  # without an answer for longer, a request has failed
# After the last request was due; longer than a request waits for its answer.
DRAIN_S = 15.0
REPORT_S = 1.0
# So far behind its own schedule a process does not catch up: it gives the phase up, which
# makes the run INVALID, and does not take all memory.
BEHIND_S = 2.0
LOOK_EVERY = 64  # requests that are late already, between two looks at the sockets
MOST = 500_000  # turns that wait, some 200 bytes each
CUT = "never sent: all connections were busy"


class Turn(NamedTuple):
    """Leave to send a request.

    Attributes:
        load: the number of the load that it belongs to.
        start, end: of the load, on this process's clock.
        due: when it is due, on the same clock; None in the closed loop.
        free: whether a connection was free then.
        request, data: what is sent, and as which bytes.
    """

    load: int
    start: float
    end: float
    due: float | None
    free: bool
    request: Request
    data: bytes


class Sender:
    """Sends what is due, and tallies what becomes of it by when it was due."""

    def __init__(self, asked: Asked) -> None:
        target = self._target = Target.of(asked.host)
        ready = [(r, target.render(r, asked.headers)) for r in asked.requests]
        at = asked.start % len(ready)
        self._requests = itertools.cycle(ready[at:] + ready[:at])
        self._idle = deque(self._made() for _ in range(asked.connections))
        self._busy: set[Connection] = set()
        self._waiting: deque[Turn] = deque()
        self._worked = 0  # requests begun and ended
        self._free = 0.0  # seconds in which there was nothing to do
        self._interval = 1.0
        self._tallies: dict[tuple[int, int, str], Tally] = defaultdict(Tally)
        self._usage: dict[int, Usage] = {}
        self._done = 0

    def report(self) -> Report:
        """Return what has happened since the last time."""
        tallies, self._tallies = self._tallies, defaultdict(Tally)
        usage, self._usage = self._usage, {}
        return Report([(*key, each) for key, each in tallies.items()], usage, self._done)

    async def play(self, plan: Plan) -> None:
        """Play the loads of a plan, and wait for the last answers."""
        self._interval = plan.interval
        opening = [asyncio.ensure_future(c.open()) for c in self._idle if c.unopened]
        if opening:
            await asyncio.wait(opening, timeout=ANSWER_S)
        start = clock()
        for number, load in enumerate(plan.loads, plan.first):
            before, free, contention = clock(), self._free, Contention()
            if load.rate is None:
                self._closed(plan, number, load, start)
            else:
                await self._open(plan, number, load, start)
            start += load.seconds
            await self._until(start)
            seconds, waited = clock() - before, contention.waited()
            self._usage[number] = Usage(
                1 - (self._free - free) / seconds,
                None if waited is None else waited / seconds,
                memory_mib(),
            )
        await self._drain()
        self._done = plan.first + len(plan.loads)

    def _made(self) -> Connection:
        return Connection(self._target, self._end)

    async def expire(self) -> None:
        """Give up, once a second, requests that have had no answer for too long."""
        while True:
            await asyncio.sleep(1)
            now = clock()
            for each in list(self._busy):
                each.expire(now, ANSWER_S)

    async def _open(self, plan: Plan, number: int, load: Load, start: float) -> None:
        end, now = start + load.seconds, clock()
        share = (plan.seed + number, plan.share, plan.shares)
        times = arrivals(plan.arrivals, load.rate or 0.0, load.seconds, *share)
        for position, after in enumerate(times):
            due = start + after
            if due > now or not position % LOOK_EVERY:
                now = await self._until(due)
                if now - due > BEHIND_S:
                    self._cut_all()
                    return
            turn = Turn(number, start, end, due, bool(self._idle), *next(self._requests))
            self._tally(turn, due).due += 1
            self._begin(turn)

    def _closed(self, plan: Plan, number: int, load: Load, start: float) -> None:
        for _ in range(plan.share, load.users or 0, plan.shares):
            end = start + load.seconds
            self._begin(Turn(number, start, end, None, True, *next(self._requests)))

    def _begin(self, turn: Turn) -> None:
        if self._idle:
            self._send(self._idle.popleft(), turn)
        elif len(self._waiting) < MOST:
            self._waiting.append(turn)
        else:
            self._cut(turn)

    def _send(self, connection: Connection, turn: Turn) -> None:
        self._worked += 1
        if connection.dead:
            connection = self._made()
        connection.turn = turn
        self._busy.add(connection)
        connection.send(turn.data)

    def _end(self, connection: Connection, found: Reply | str) -> None:
        now = clock()
        turn: Turn = connection.turn
        self._busy.discard(connection)
        if connection.stale:
            again = self._made()
            again.turn = turn
            self._busy.add(again)
            again.send(turn.data, connection.sent)
            return
        self._worked += 1
        self._note(turn, connection.sent, now, found)
        if turn.due is None and now < turn.end:
            request, data = next(self._requests)
            self._send(connection, turn._replace(request=request, data=data))
        elif self._waiting:
            self._send(connection, self._waiting.popleft())
        else:
            self._idle.append(connection)

    def _note(self, turn: Turn, sent: float, done: float, found: Reply | str) -> None:
        due = turn.due
        if due is None:
            due = sent
            tally = self._tally(turn, due)
            tally.due += 1
        else:
            tally = self._tally(turn, due)
            if turn.free:
                tally.late.add(sent - due)
        if isinstance(found, str):
            tally.failures[found] += 1
            return
        tally.latency.add(done - due)
        tally.service.add(done - sent)
        reason = answers.problem(turn.request, found.status, found.head, found.body)
        if reason is None:
            tally.right += 1
        else:
            tally.failures[reason] += 1
        for stage, seconds in answers.stages(found.head.get("server-timing") or "").items():
            tally.add_stage(stage, seconds)

    def _tally(self, turn: Turn, due: float) -> Tally:
        part = int((due - turn.start) / self._interval)
        return self._tallies[turn.load, part, turn.request.name]

    async def _drain(self) -> None:
        """Wait for the answers; what no connection was free for is never sent."""
        for _ in range(2):
            end = clock() + DRAIN_S
            while (self._busy or self._waiting) and clock() < end:
                await asyncio.sleep(0.01)
            self._cut_all()

    def _cut_all(self) -> None:
        while self._waiting:
            self._cut(self._waiting.popleft())

    def _cut(self, turn: Turn) -> None:
        self._tally(turn, turn.due or turn.start).failures[CUT] += 1

    async def _until(self, due: float) -> float:
        """Wait, look at the sockets at least once, and return the time.

        The time in which this process had nothing to do is kept account of.
        """
        while True:
            before, worked = clock(), self._worked
            if due - before > SPIN_S:
                used = time.process_time()
                await asyncio.sleep(due - before - SPIN_S)
                now = clock()
                self._free += now - before - (time.process_time() - used)
            else:
                await asyncio.sleep(0)
                now = clock()
                if worked == self._worked:
                    self._free += now - before
            if now >= due:
                return now


async def serve() -> None:
    """Play the plans that come, one after the other, and report what happens."""
    loop = asyncio.get_running_loop()
    plans: asyncio.Queue[Plan] = asyncio.Queue()
    sender = Sender(pickle.load(sys.stdin.buffer))
    gc.freeze()  # to look through all of the modules again takes some ms

    def read() -> None:
        try:
            while True:
                plan = pickle.load(sys.stdin.buffer)
                loop.call_soon_threadsafe(plans.put_nowait, plan)
        except (EOFError, pickle.UnpicklingError, OSError):
            os._exit(0)  # whoever started this has ended, in whatever is going on

    def tell() -> None:
        pickle.dump(sender.report(), sys.stdout.buffer)
        sys.stdout.buffer.flush()

    async def keep_telling() -> None:
        while True:
            await asyncio.sleep(REPORT_S)
            tell()

    threading.Thread(target=read, daemon=True).start()
    beside = [asyncio.ensure_future(each) for each in (keep_telling(), sender.expire())]
    while not any(each.done() for each in beside):
        await sender.play(await plans.get())
        tell()


if __name__ == "__main__":
    # A terminal's Ctrl-C goes to every process: the one that leads says what becomes of it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    uvloop.run(serve())
