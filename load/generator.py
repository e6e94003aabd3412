"""What sends, in every Locust process that does, and what has become of the requests.

Locust's own users send in a closed loop, and `Users` notes what they see. A scenario's
requests are sent by a process of their own (`load.sender`), which `Schedule` starts, feeds
with plans, and whose counts it passes on to Locust's tables.
"""

import os
import pickle
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import gevent
from locust.stats import RequestStats, StatsEntry, StatsError, bucket_response_time

from load.contention import Contention, memory_mib
from load.messages import Asked, Plan, Report, Usage
from load.record import Tally

ROOT = Path(__file__).resolve().parents[1]


class Generator:
    """What has become of this process's requests, since the last report.

    Attributes:
        users: how many of Locust's this process has; in a scenario, connections.
    """

    def __init__(self) -> None:
        self.users = 0
        self._tallies: dict[tuple[int, int], Tally] = defaultdict(Tally)
        self._usage: dict[int, Usage] = {}
        self._done = self._images = 0
        self._broken: str | None = None

    def report(self) -> dict[str, Any]:
        """Return what is new, for the conductor."""
        tallies, self._tallies = self._tallies, defaultdict(Tally)
        usage, self._usage = self._usage, {}
        images, self._images = self._images, 0
        return {
            "tallies": [(*key, tally) for key, tally in tallies.items()],
            "usage": [[number, *each] for number, each in usage.items()],
            "images": images,
            "done": self._done,
            "broken": self._broken,
        }

    def stop(self) -> None:
        """Send no more."""


class Users(Generator):
    """Locust's own users.

    Args:
        interval: of the time line, in seconds.
    """

    def __init__(self, interval: float) -> None:
        super().__init__()
        self._interval = interval
        self._start, self._used = time.perf_counter(), time.process_time()
        self._contention, self._waited = Contention(), 0.0

    def note(
        self,
        seconds: float | None,
        failure: str | None,
        stages: dict[str, float],
        images: int,
    ) -> None:
        """Write down what became of a request that has just ended.

        Args:
            seconds: until its answer; None without one.
            failure: why it failed; None if it was right.
            stages: the server's own account, in seconds.
            images: of the request.
        """
        since = time.perf_counter() - self._start - (seconds or 0.0)
        tally = self._tallies[0, max(int(since / self._interval), 0)]
        tally.due += 1
        if failure is None:
            tally.right += 1
            self._images += images
        else:
            tally.failures[failure] += 1
        if seconds is not None:
            tally.latency.add(seconds)
            tally.service.add(seconds)
        for stage, each in stages.items():
            tally.add_stage(stage, each)

    def report(self) -> dict[str, Any]:
        """Return what is new, and what the process has taken since the start."""
        seconds = time.perf_counter() - self._start
        waited = self._contention.waited()
        self._waited += waited or 0.0
        self._usage[0] = Usage(
            (time.process_time() - self._used) / seconds,
            None if waited is None else self._waited / seconds,
            memory_mib(),
        )
        return super().report()


class Schedule(Generator):
    """A scenario's sender.

    Args:
        stats: Locust's, which are to show what it sends.
        aside: whether this process has nothing else to do, now and later: where both are on
            one core, the sender then goes first.
    """

    def __init__(self, stats: RequestStats, aside: bool) -> None:
        super().__init__()
        self._stats = stats
        self._asked = False
        self._process = subprocess.Popen(
            [sys.executable, "-m", "load.sender"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pipesize=1 << 20,  # a whole report: it is not to wait for the reader
        )
        if aside:
            os.nice(10)
        gevent.spawn(self._read)

    def start(self, asked: Asked, plan: Plan) -> None:
        """Send a plan; what is asked is the same in all of them."""
        messages = [plan] if self._asked else [asked, plan]
        self._asked = True
        assert self._process.stdin
        for message in messages:
            pickle.dump(message, self._process.stdin)
        self._process.stdin.flush()

    def stop(self) -> None:
        """End the sender."""
        self._broken = "the sender was stopped"
        self._process.kill()
        self._process.wait()

    def _read(self) -> None:
        """Take the sender's reports until it ends."""
        assert self._process.stdout
        try:
            while True:
                self._take(pickle.load(self._process.stdout))
        except (EOFError, OSError, pickle.UnpicklingError):
            self._broken = self._broken or "the sender has ended by itself"

    def _take(self, report: Report) -> None:
        for load, part, name, tally in report.tallies:
            self._tallies[load, part].merge(tally)
            show(self._stats, name, tally)
        self._usage |= report.usage
        self._done = report.done


def show(stats: RequestStats, name: str, tally: Tally) -> None:
    """Add a tally to Locust's tables, as if each of its requests had just been logged."""
    made, now = StatsEntry(stats, name, "POST"), time.time()
    ended = tally.right + tally.failed
    if not ended:
        return
    made.num_requests, made.num_failures = ended, tally.failed
    made.num_none_requests = ended - len(tally.latency)
    made.last_request_timestamp = now
    made.num_reqs_per_sec[int(now)] = ended
    if tally.failed:
        made.num_fail_per_sec[int(now)] = tally.failed
    if tally.latency:
        for unit, count in tally.latency.counts.items():
            milliseconds = unit / tally.latency.per_ms
            made.response_times[bucket_response_time(milliseconds)] += count
            made.total_response_time += count * milliseconds
        made.min_response_time = min(tally.latency.counts) / tally.latency.per_ms
        made.max_response_time = tally.latency.most
    stats.get(name, "POST").extend(made)
    stats.total.extend(made)
    for reason, count in tally.failures.items():
        key = StatsError.create_key("POST", name, reason)
        error = stats.errors.setdefault(key, StatsError("POST", name, reason))
        error.occurred()
        error.occurrences += count - 1
