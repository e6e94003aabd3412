"""What the connections of a worker share: limits, memory, a clock, and their number."""

import asyncio
import select
import socket
import struct
from collections.abc import Iterable, Mapping
from fcntl import ioctl
from termios import TIOCOUTQ
from typing import Any, NamedTuple, Protocol

from service.errors import RequestError
from service.inference import Target
from service.monitoring.outcome import HeadFacts
from service.monitoring.roster import NOBODY, Roster
from service.server.http1.collector import Limits
from service.server.http1.known_heads import KnownHeads
from service.settings import Settings

# Most bytes that one read takes from the kernel: as much as uvloop's own buffer.
INBOX_BYTES = 1 << 18
# Places that only the listener of the metrics may take: Prometheus keeps a connection open,
# and Kubernetes makes one a probe. Some to spare, of thousands.
METRICS_PLACES = 16
# What is kept for all unfinished clients, in bodies of the largest size: as many as can be
# expected at a time, 128 MiB by default.
MOST_BODIES = 8
RDHUP = getattr(select, "POLLRDHUP", 0)  # Linux alone has it


class Head(Protocol):
    """What a turn needs to know of a request's head; `RequestHead` says what each is."""

    method: str
    path: str
    version: tuple[int, int]
    length: int | None
    keep_alive: bool
    request_id: str
    target: Any
    is_probe: bool

    @property
    def fields(self) -> Mapping[str, str]:
        """The headers, by names in lower case."""

    @property
    def facts(self) -> HeadFacts:
        """What log and spans report of it."""

    def closing(self) -> "Head":
        """Return the same head, but of the last request of its connection."""


class Asker(Protocol):
    """Where a request came from and its reply goes: a connection, or a call by gRPC.

    Attributes:
        ends: the addresses of its two ends, as in `Ends`.
        gone: whether nobody waits for a reply any more.
        file: the number of its socket's file; -1 without one. See `who_ended`.
    """

    @property
    def ends(self) -> Any: ...  # noqa: D102
    @property
    def gone(self) -> bool: ...  # noqa: D102
    @property
    def file(self) -> int: ...  # noqa: D102

    def send(self, content: Any) -> None:
        """Send a complete reply: as bytes for HTTP/1, else the outcome itself."""

    def go_on(self, keep: bool) -> None:
        """Wait for the next request, or hang up if there is to be none."""

    def hang_up(self) -> None:
        """Close, after the reply."""


class Item(NamedTuple):
    """An admitted request, which inference takes as an `Asked`.

    Attributes:
        target, body, request_id, since: see `Asked`.
        connection: where it came from.
        head: its head.
        deadline: when it has waited for too long, by the admission's clock.
        kind: for the admission; OTHER for what the application answers.
    """

    target: Target
    body: bytes
    request_id: str
    since: float
    connection: Asker
    head: Head
    deadline: float
    kind: int


class Callee(Protocol):
    """Takes requests; calls back `send`, and `go_on` or `hang_up`, now or later."""

    def take(
        self, connection: Asker, head: Head, body: bytes | memoryview, whole: bool
    ) -> None:
        """Answer a request, or refuse it.

        Args:
            connection: where the request came from, and where the reply goes.
            head: its head.
            body: its body; a view is valid only during the call.
            whole: whether that is all of it.
        """

    def refuse(self, connection: Asker, error: RequestError, head: Head | None) -> None:
        """Refuse what is not a whole request, and hang up.

        Args:
            connection: where it came from.
            error: why it is refused.
            head: its head, if that has arrived.
        """


class Client(Protocol):
    """A connection, as the worker's sweep knows it."""

    deadline: float

    def expire(self) -> None:
        """End what has waited for too long."""


class Pool:
    """Shared by the connections of one worker.

    Attributes:
        loop: the event loop, and the clock of deadlines.
        heads: parsed heads.
        connections: those that are open.
        client_seconds: time a client has for a head, for a body, or to read a reply.
        keepalive: seconds that a connection may wait for its next request.
        limits: most bytes of a body and of a request line.
        inbox: where the kernel writes what arrives, until the next read overwrites it.
        inbox_bytes: the same memory, which can be searched.
        held_bytes: bytes kept for unfinished clients.
        most_bytes: how many that may be.
        accepting: whether new connections are welcome.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        heads: KnownHeads,
        settings: Settings,
        cfg: Any,
        roster: Roster,
    ) -> None:
        self.loop, self.heads, self._roster = loop, heads, roster
        self.connections: set[Client] = set()
        self.client_seconds = settings.client_seconds
        self.keepalive = cfg.keepalive  # looking it up in cfg takes a microsecond
        self.limits = Limits(settings.max_body_bytes, cfg.limit_request_line)
        self.inbox_bytes = bytearray(INBOX_BYTES)
        self.inbox = memoryview(self.inbox_bytes)
        self.held_bytes = 0
        self.most_bytes = MOST_BODIES * settings.max_body_bytes
        self._most_connections = int(cfg.worker_connections)
        reserved = min(METRICS_PLACES, self._most_connections // 2)
        self._reserved = reserved if settings.metrics_bind else 0
        self.accepting = True

    def add(self, connection: Client) -> None:
        """Add an open connection."""
        self.connections.add(connection)
        self.publish()

    def discard(self, connection: Client) -> None:
        """Remove a closed connection."""
        self.connections.discard(connection)
        self.publish()

    def publish(self) -> None:
        """Tell the other workers how many connections are open."""
        if self.accepting:
            self._roster.count_connections(len(self.connections))

    def close(self) -> None:
        """Tell the other workers that this one accepts no more."""
        self.accepting = False
        self._roster.count_connections(NOBODY)

    def is_full(self, opening: int, at_metrics: bool = False) -> bool:
        """Whether there is no room beyond the connections that are opening.

        Args:
            opening: how many are opening.
            at_metrics: whether for a connection to the address of the metrics.
        """
        most = self._most_connections - (0 if at_metrics else self._reserved)
        return len(self.connections) + opening >= most

    def is_metrics(self, listener: socket.socket) -> bool:
        """Whether a socket listens at the address of the metrics."""
        return self.heads.is_metrics(listener.getsockname())

    def is_ahead(self) -> bool:
        """Whether another worker has fewer connections."""
        return len(self.connections) > self._roster.fewest_connections()

    def workers(self) -> int:
        """Return how many workers accept connections, including this one."""
        return self._roster.workers()


def who_ended(files: Iterable[int]) -> set[int]:
    """Return of which sockets the client has ended its side, though the loop may not know.

    The loop reads what a client has sent before it learns that nothing more will come. The
    kernel knows of all in one call, which takes 0.4 µs a socket, 2.3 µs for one (EPYC).
    Whether such a client has gone shows only once it is sent something: a close and a
    half-close are the same packet.

    Args:
        files: the numbers of the sockets' files; those below 0 are left out.
    """
    poll = select.poll()
    for file in files:
        if file >= 0:
            poll.register(file, RDHUP)
    return {file for file, _ in poll.poll(0)}


def in_kernel(transport: asyncio.Transport) -> bool:
    """Whether the kernel has bytes that the client has not taken yet."""
    try:
        queued = ioctl(transport.get_extra_info("socket").fileno(), TIOCOUTQ, bytes(4))
    except OSError:  # the client has gone
        return False
    return struct.unpack("=I", queued) > (0,)
