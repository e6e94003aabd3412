"""Fuzz a real gunicorn over HTTP: ``make fuzz-http REQUESTS=100000``.

Each request depends on the seed and its number only, so what failed can be sent again:
``python -m tests.fuzz_http --seed 1 --only 4711``. The exit code is 1 if anything is wrong.
"""

import argparse
import contextlib
import socket
import struct
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from tests.hostile.dialects import PREDICT, RAW, SEVEN, request
from tests.hostile.mutations import Case, case
from tests.hostile.replies import Broken, Reply, check, check_answer, take, take_all
from tests.server import Server

SECONDS = 1.0  # until a reply or the end; the largest picture takes 0.4 s
WARM_UP = 0.2  # of the requests; what the service keeps for good is there by then
GROWTH_KIB = 1024  # a worker after that
GOLDEN_EVERY = 50
MOST_FAULTS = 10  # enough to see what is wrong
SETTLED_S = 1  # until nothing is left of the start
SETTLE_S = 10  # until the workers have closed what the client has
LINGER = struct.pack("ii", 1, 0)  # close with a reset
GOLDEN = request(PREDICT, SEVEN.tobytes(), RAW)


@dataclass
class Report:
    """What a run has found.

    Attributes:
        statuses: how many replies had each.
        faults: what must not happen, in words.
        slowest: seconds until the end of the slowest reply.
        growth: KiB of memory that each worker has grown by after the warm-up.
    """

    statuses: Counter[int] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    slowest: float = 0.0
    growth: dict[int, int] = field(default_factory=dict)


class Fuzzer:
    """Sends the requests of a seed to a server, and looks at what comes back."""

    def __init__(self, server: Server, seed: int, seconds: float = SECONDS) -> None:
        self.server, self.seed, self.seconds = server, seed, seconds
        self.report = Report()
        self._kept: socket.socket | None = None
        self.golden = self._ask(GOLDEN).body
        self.close()
        time.sleep(SETTLED_S)

    def run(self, requests: int) -> Report:
        """Send so many requests, and hold the state of the workers before and after."""
        pids = self.server.worker_pids()
        files = open_files(pids)
        before: dict[int, int] = {}
        for number in range(requests):
            if number == int(requests * WARM_UP):
                before = memory(pids)
            self.send(number)
            if len(self.report.faults) >= MOST_FAULTS:
                break
        self.close()
        self._check_workers(pids, files, before)
        return self.report

    def send(self, number: int) -> None:
        """Send one request, and note what is wrong with the answer."""
        sent = case(self.seed, number)
        start = time.monotonic()
        try:
            replies = (
                self._ask_framed(sent, number) if sent.framed else self._ask_alone(sent)
            )
            for reply in replies:
                self.report.statuses[reply.status] += 1
                check(reply)
            if number % GOLDEN_EVERY == 0 and self._ask(GOLDEN).body != self.golden:
                raise Broken(
                    "the digit of the project's own is read otherwise than at first"
                )
        except TimeoutError:
            self._fault(number, f"no reply and no end in {self.seconds} s")
        except (Broken, OSError, ValueError, KeyError) as error:
            self._fault(number, f"{type(error).__name__}: {error}")
        self.report.slowest = max(self.report.slowest, time.monotonic() - start)

    def close(self) -> None:
        """Close the connection that is used again and again."""
        if self._kept:
            self._kept.close()
        self._kept = None

    def _fault(self, number: int, text: str) -> None:
        self.report.faults.append(f"request {number}: {text}")
        self.close()

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

    def _ask_alone(self, sent: Case) -> list[Reply]:
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
        return take_all(received, b"HEAD" in sent.content)

    def _settled(self, expected: dict[int, int]) -> dict[int, int]:
        """Return the files of the workers; wait for those that are to be closed."""
        deadline = time.monotonic() + SETTLE_S
        while (found := open_files(list(expected))) != expected:
            if time.monotonic() > deadline:
                break
            time.sleep(0.05)
        return found

    def _check_workers(
        self, pids: list[int], files: dict[int, int], before: dict[int, int]
    ) -> None:
        """Compare the workers with what they were."""
        faults = self.report.faults
        try:
            if self._ask(GOLDEN).body != self.golden:
                faults.append("the project's own digit is read otherwise than at first")
        except (Broken, OSError) as error:
            faults.append(f"no answer to the project's own digit: {error!r}")
        self.close()
        if self.server.worker_pids() != pids:
            faults.append(f"workers {pids} have become {self.server.worker_pids()}")
            return
        if (found := self._settled(files)) != files:
            faults.append(f"the workers had {files} open files, now {found}")
        after = memory(pids)
        self.report.growth = {pid: after[pid] - before.get(pid, after[pid]) for pid in pids}
        if max(self.report.growth.values()) >= GROWTH_KIB:
            faults.append(f"the workers have grown by {self.report.growth} KiB")
        if "Traceback" in self.server.log:
            found = self.server.log.partition("Traceback")[2][:2000]
            faults.append(f"the log has a traceback{found}")


def memory(pids: list[int]) -> dict[int, int]:
    """Return the resident memory of processes in KiB."""
    pages = {pid: Path(f"/proc/{pid}/statm").read_text().split()[1] for pid in pids}
    return {pid: int(count) * 4 for pid, count in pages.items()}


def open_files(pids: list[int]) -> dict[int, int]:
    """Return how many files processes have open."""
    return {pid: len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in pids}


def table(report: Report) -> str:
    """Write a report for a person."""
    lines = [f"{status:>12}  {count}" for status, count in sorted(report.statuses.items())]
    lines.append(f"{'slowest':>12}  {report.slowest:.3f} s")
    lines += [f"{'worker':>12}  {kib:+} KiB" for kib in report.growth.values()]
    lines += [f"{'FAULT':>12}  {fault}" for fault in report.faults]
    return "\n".join([f"{'status':>12}  replies", *lines])


def main(arguments: list[str] | None = None) -> int:
    """Run from the command line; return the exit code."""
    parser = argparse.ArgumentParser(prog="tests.fuzz_http", description=__doc__)
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=SECONDS, help="until a reply")
    parser.add_argument("--only", type=int, help="show and send one request of the seed")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        # Nothing may wait for that: a request that is not whole has an end instead.
        server = Server(Path(folder), WEB_CONCURRENCY="2", MNIST_CLIENT_SECONDS="60")
        try:
            fuzzer = Fuzzer(server.wait_ready(), options.seed, options.seconds)
            if options.only is None:
                fuzzer.run(options.requests)
            else:
                print(case(options.seed, options.only))
                fuzzer.send(options.only)
        finally:
            server.stop()
    print(table(fuzzer.report))
    return 1 if fuzzer.report.faults else 0


if __name__ == "__main__":
    sys.exit(main())
