"""Many connections that do not go on as they should."""

import resource
import select
import socket
import time
from collections import Counter
from collections.abc import Iterator

from bench.chaos import watch
from bench.chaos.case import Chaos
from bench.harness.service import Service

SPARE = 500  # files that this process and the workers have besides the crowd's
LARGE_S = 12  # what the service may add to a client's time: sweeps, and many at once


def most(wanted: int) -> int:
    """Return how many connections are possible under the limit of open files."""
    return min(wanted, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - SPARE)


def start(chaos: Chaos) -> tuple[Service, list[int]]:
    """Start a server, wait until it is ready and warm, and return it with its workers."""
    server = chaos.start().wait_ready()
    watch.wait(lambda: watch.all_ready(server), LARGE_S)
    return server, server.worker_pids()


class Crowd:
    """Connections that are opened and watched at once, each with how it ended.

    Attributes:
        ends: how many have ended in which way: ``closed``, ``reset``, or a status.
        longest_s: seconds that the longest one was open.
        peak_mb: most memory of the workers meanwhile, in MiB.
    """

    def __init__(self, port: int, count: int, pids: list[int]) -> None:
        self._pids = pids
        self.ends: Counter[str] = Counter()
        self.longest_s = self.peak_mb = 0.0
        self._poll = select.epoll()
        self._open: dict[int, socket.socket] = {}
        self._since: dict[int, float] = {}
        for _ in range(count):
            client = socket.create_connection(("127.0.0.1", port), timeout=30)
            client.setblocking(False)
            self._open[client.fileno()] = client
            self._since[client.fileno()] = time.monotonic()
            self._poll.register(client, select.EPOLLIN)
        self.look()

    def __len__(self) -> int:
        return len(self._open)

    def send(self, content: bytes) -> None:
        """Send the same from all; what the kernel does not take is not sent."""
        for client in list(self._open.values()):
            self._send(client, content)

    def push(self, content: memoryview, seconds: float, most_mb: float) -> int:
        """Send something large from all, side by side; return how many sent all of it.

        Stops when the workers have more than ``most_mb`` MiB: it has been seen then, and
        the machine is to live.
        """
        sent = dict.fromkeys(self._open, 0)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and self.peak_mb < most_mb:
            left = [f for f in sent if f in self._open and sent[f] < len(content)]
            if not left:
                break
            for file in left:
                start = sent[file]
                sent[file] += self._send(
                    self._open[file], content[start : start + (1 << 18)]
                )
            self.look()
        return sum(count == len(content) for count in sent.values())

    def _send(self, client: socket.socket, content: bytes | memoryview) -> int:
        try:
            return client.send(content)
        except BlockingIOError:
            return 0
        except OSError:
            return 0  # it has ended: `look` finds out how

    def look(self) -> None:
        """Take notice of those that have ended, and of the memory."""
        for file, _ in self._poll.poll(0, maxevents=100_000):
            client = self._open[file]
            try:
                some = client.recv(1 << 16)
            except BlockingIOError:
                continue
            except OSError:
                some = b"?reset"
            end = some[9:12].decode() if some.startswith(b"HTTP/") else "closed"
            self._end(file, "reset" if some == b"?reset" else end)
        self.peak_mb = max(self.peak_mb, watch.resident(*self._pids))

    def _end(self, file: int, how: str) -> None:
        self.ends[how] += 1
        self.longest_s = max(self.longest_s, time.monotonic() - self._since[file])
        self._poll.unregister(file)
        self._open.pop(file).close()

    def wait(self, seconds: float, trickle: bytes = b"") -> None:
        """Wait until all have ended, or for so long; trickle once a second meanwhile."""
        deadline, next_send = time.monotonic() + seconds, 0.0
        while self._open and time.monotonic() < deadline:
            self.look()
            if trickle and time.monotonic() > next_send:
                next_send = time.monotonic() + 1
                self.send(trickle)
            time.sleep(0.05)

    def close(self) -> None:
        """Close what is left."""
        for client in self._open.values():
            client.close()
        self._open.clear()
        self._poll.close()

    def __str__(self) -> str:
        ends = [f"{count:,} {end}" for end, count in self.ends.most_common()]
        return ", ".join(ends + [f"{len(self)} still open"] * bool(self)) or "none ended"


def resets(crowd: Crowd) -> Iterator[str]:
    """Yield the ends that are neither a close nor a 408."""
    yield from (end for end in crowd.ends if end not in ("closed", "408"))
