"""Fuzz a real gunicorn over HTTP: ``python -m bench fuzz http --requests 100000``.

Each request depends on the seed and its number only, so what failed can be sent again:
``python -m bench fuzz http --seed 1 --only 4711``. The exit code is 1 if anything is wrong.
"""

import argparse
import contextlib
import socket
import struct
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from bench.chaos import watch
from bench.harness import results
from bench.harness.service import Service
from tests.hostile import bodies, documents, files, heads
from tests.hostile.dialects import PREDICT, RAW, SEVEN, request
from tests.hostile.mutations import Case, case
from tests.hostile.replies import Broken, Reply, check, check_answer, take, take_all

SECONDS = 1.0  # until a reply or the end; the largest picture takes 0.4 s
# A run is of five windows. A worker fills what it keeps in the first; what leaks makes its
# memory grow in each of the others. The allocator's jumps, which are in one or two of them,
# are no leak.
WINDOWS = 5
# With fewer requests, a worker may still fill what it keeps in each window.
LEAST_REQUESTS = 20_000
# Per request that a worker answers, in each window. In runs of 20,000 to 60,000 requests,
# the least growth was 15 bytes at most; an object that is kept takes a hundred.
LEAK_BYTES = 100
LOOK_EVERY = 20
# Nothing may wait for these: a request that is not whole has an end instead. Nor is it
# about overload.
OPTIONS = ("--keep-alive", "600")
SETTINGS: dict[str, Any] = {"MNIST_CLIENT_SECONDS": "600", "MNIST_MAX_WAIT_MS": "60000"}
GOLDEN_EVERY = 50
MOST_FAULTS = 10  # enough to see what is wrong
READY_S = 30  # until all workers serve, and not only the first
SETTLE_S = 10  # until the workers have closed what the client has
LINGER = struct.pack("ii", 1, 0)  # close with a reset
GOLDEN = request(PREDICT, SEVEN.tobytes(), RAW)
HEADS = 1100  # a little more than a worker remembers
HEAD = b"GET /livez HTTP/1.1\r\nHost: x\r\nA: %800d\r\n\r\n"
LARGEST = [
    documents.ROWS[f"batch-1025-{PREDICT}"].make,
    bodies.ROWS[f"gzip-bomb-{PREDICT}"].make,
    files.ROWS["picture-largest-body"].make,
    files.ROWS["picture-largest-b64"].make,
    heads.ROWS[f"length-of-17-MB-{PREDICT}"].make,
]


@dataclass
class Report:
    """What a run has found.

    Attributes:
        statuses: how many replies had each.
        faults: what must not happen, in words.
        slowest: seconds until the end of the slowest reply.
        growth: KiB that each worker has grown by from each window to the next, at least.
    """

    statuses: Counter[int] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    slowest: float = 0.0
    growth: dict[int, float] = field(default_factory=dict)


class Fuzzer:
    """Sends the requests of a seed to a server, and looks at what comes back."""

    def __init__(self, server: Service, seed: int, seconds: float = SECONDS) -> None:
        self.server, self.seed, self.seconds = server, seed, seconds
        self.report = Report()
        self._kept: socket.socket | None = None
        self.golden = self._ask(GOLDEN).body

    def run(self, requests: int) -> Report:
        """Send so many requests, and hold the workers to what they were after the first."""
        watch.wait(lambda: watch.all_ready(self.server), READY_S)
        pids = self.server.worker_pids()
        measured = requests >= LEAST_REQUESTS
        if measured:
            with self._noting("the largest and the most"):
                self._fill(len(pids))
        opened = self._open_files(pids)
        # The most of each window: what is kept for a while is dropped again and again.
        peaks = [dict.fromkeys(pids, 0.0) for _ in range(WINDOWS)]
        for number in range(requests):
            window = number * WINDOWS // requests
            if number == requests // WINDOWS:
                self.close()
                opened = self._open_files(pids)
            if number % LOOK_EVERY == 0:
                for pid in pids:
                    peaks[window][pid] = max(peaks[window][pid], watch.resident(pid))
            self.send(number)
            if len(self.report.faults) >= MOST_FAULTS:
                break
        self._check_workers(opened)
        if measured and not self.report.faults:
            self._check_growth(peaks, requests / WINDOWS / len(pids))
        return self.report

    @staticmethod
    def _open_files(pids: list[int]) -> dict[int, int]:
        return {pid: len(watch.files(pid)) for pid in filter(watch.alive, pids)}

    def _fill(self, workers: int) -> None:
        """Let each worker meet what takes most memory, of which some is kept for good.

        That is what the allocator does not give back, and the heads that are remembered.
        """
        for content in LARGEST:
            for _ in range(2 * workers):  # connections are shared among the workers
                self._ask_alone(Case(content(), False))
        for first in range(0, 2 * HEADS * workers, 100):
            heads = [HEAD % number for number in range(first, first + 100)]
            self._ask_alone(Case(b"".join(heads), False))

    def send(self, number: int) -> None:
        """Send one request, and note what is wrong with the answer."""
        sent = case(self.seed, number)
        start = time.monotonic()
        with self._noting(f"request {number}"):
            ask = self._ask_framed if sent.framed else self._ask_alone
            for reply in ask(sent, number):
                self.report.statuses[reply.status] += 1
                check(reply)
            if number % GOLDEN_EVERY == 0:
                self._check_golden()
        self.report.slowest = max(self.report.slowest, time.monotonic() - start)

    def _check_golden(self) -> None:
        if self._ask(GOLDEN).body != self.golden:
            raise Broken("the project's own digit is read otherwise than at first")

    @contextlib.contextmanager
    def _noting(self, what: str) -> Iterator[None]:
        """Note what goes wrong, and go on with a new connection."""
        try:
            yield
        except TimeoutError:
            self.report.faults.append(f"{what}: no reply and no end in {self.seconds} s")
            self.close()
        except (Broken, OSError, ValueError, KeyError) as error:
            self.report.faults.append(f"{what}: {type(error).__name__}: {error}")
            self.close()

    def close(self) -> None:
        """Close the connection that is used again and again."""
        if self._kept:
            self._kept.close()
        self._kept = None

    def _connect(self) -> socket.socket:
        client = socket.create_connection(("127.0.0.1", self.server.port), self.seconds)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return client

    def _ask(self, content: bytes) -> Reply:
        """Send what is one request, and read its reply on the connection that is kept."""
        self._kept = self._kept or self._connect()
        self._kept.sendall(content)
        received, reply = b"", None
        while reply is None:
            part = self._kept.recv(1 << 18)
            if not part:
                raise Broken(f"found {received[:300]!r} and the end, expected a reply")
            received += part
            reply, rest = take(received)
        if rest:
            raise Broken(f"found {rest[:300]!r} after a reply, expected nothing")
        if not reply.keeps:
            self.close()
        return reply

    def _ask_framed(self, sent: Case, number: int) -> list[Reply]:
        reply = self._ask(sent.content)
        check_answer(reply)
        if reply.headers[b"x-request-id"] != b"fuzz-%d" % number:
            raise Broken(f"found the reply to {reply.headers[b'x-request-id']!r}")
        return [reply]

    def _ask_alone(self, sent: Case, number: int = 0) -> list[Reply]:
        """Send anything on a connection of its own, and read to the end."""
        with self._connect() as client:
            received = b""
            with contextlib.suppress(ConnectionError):  # it may have been refused already
                for first, end in zip((0, *sent.cuts), (*sent.cuts, len(sent.content))):
                    client.sendall(sent.content[first:end])
                if sent.leaves:
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER)
                    return []
                client.shutdown(socket.SHUT_WR)
                while part := client.recv(1 << 18):
                    received += part
        found: list[Reply] = take_all(received, b"HEAD" in sent.content)
        if not found and b"\r\n\r\n" in sent.content.removeprefix(b"\r\n"):
            raise Broken("found no reply to a whole head, expected one")
        return found

    def _check_workers(self, opened: dict[int, int]) -> None:
        """Compare the workers with what they were."""
        faults = self.report.faults
        with self._noting("the end"):
            self._check_golden()
        self.close()
        pids = self.server.worker_pids()
        if pids == list(opened):
            self._check_files(opened)
        else:
            faults.append(f"workers {list(opened)} have become {pids}")
        if "Traceback" in self.server.log:
            found = self.server.log.partition("Traceback")[2][:2000]
            faults.append(f"the log has a traceback{found}")

    def _check_files(self, opened: dict[int, int]) -> None:

        def more() -> bool:
            now = self._open_files([*opened])
            return any(count > opened[pid] for pid, count in now.items())

        if watch.wait(lambda: not more(), SETTLE_S) is None:
            found = self._open_files([*opened])
            self.report.faults.append(f"the workers had {opened} open files, now {found}")

    def _check_growth(self, peaks: list[dict[int, float]], requests: float) -> None:
        """Look for memory that grows in each window, of so many requests per worker."""
        for pid in peaks[0]:
            grown = [1024 * (b[pid] - a[pid]) for a, b in pairwise(peaks)]
            self.report.growth[pid] = min(grown)
            if min(grown) * 1024 >= LEAK_BYTES * requests:
                shown = ", ".join(f"{kib:+.0f}" for kib in grown)
                fault = f"worker {pid} has grown in each window, in KiB: {shown}"
                self.report.faults.append(fault)


def show(report: Report) -> str:
    """Return a report in Markdown."""
    rows = [(status, count) for status, count in sorted(report.statuses.items())]
    text = results.table(["status", "replies"], rows)
    text += f"\nslowest {report.slowest:.3f} s\n"
    for pid, kib in report.growth.items():
        text += f"worker {pid}: at least {kib:+.0f} KiB from each window to the next\n"
    return text + "".join(f"FAULT {fault}\n" for fault in report.faults)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench fuzz http", description=__doc__)
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=SECONDS, help="until a reply")
    parser.add_argument("--only", type=int, help="show and send one request of the seed")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        server = Service(Path(folder), *OPTIONS, **SETTINGS)
        try:
            fuzzer = Fuzzer(server.wait_ready(), options.seed, options.seconds)
            if options.only is None:
                fuzzer.run(options.requests)
            else:
                print(case(options.seed, options.only))
                fuzzer.send(options.only)
            fuzzer.close()
        finally:
            server.stop()
    print(show(fuzzer.report))
    return 1 if fuzzer.report.faults else 0
