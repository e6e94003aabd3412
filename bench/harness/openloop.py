"""The open loop: requests at times set beforehand, however slow the server is.

A latency counts from the time at which the request was due, so a stall of the server is
seen by every request that was due during it (no coordinated omission). A request that finds
no idle connection opens one, up to a limit, and beyond it waits in the generator, which
counts too. How late the generator noticed that a request was due is reported beside the
latencies: where the two are close, the generator is the limit and not the server.

`OpenLoop` is the generator; `bench.harness.timed` runs it on a core of its own.
"""

import heapq
import math
import select
import socket
import time
from array import array
from collections import deque
from collections.abc import Callable, Sequence

from bench.harness.wire import Reply, parse

# For a reply, and after the last due time; what is open then has no answer.
PATIENCE_S = 10.0
SEND_BUFFER = 1 << 18  # a request goes out whole: the kernel doubles this, within its limit
PULSE_S = 1.0

Draw = Callable[[int], bytes | None]
Take = Callable[[int, Reply | None, float], None]
Patience = Callable[[int], float]


class Connection:
    """A kept-alive connection that never blocks, with at most one request on it.

    Attributes:
        number: of the request; -1 while idle.
        content: the request.
        sent: when, on `time.perf_counter`.
        used: whether it has brought a reply.
        received: what has come of the reply.
        left: what is still to be sent of the request.
    """

    def __init__(self, port: int) -> None:
        self.socket = socket.socket()
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        self.socket.setblocking(False)
        self.socket.connect_ex(("127.0.0.1", port))  # its end is seen when it is used
        self.number, self.content, self.sent = -1, b"", 0.0
        self.used, self.received = False, b""
        self.left = memoryview(b"")

    def send(self, number: int, content: bytes) -> bool:
        """Send as much of a request as fits; return whether that is all of it."""
        self.number, self.content, self.sent = number, content, time.perf_counter()
        self.left = memoryview(content)
        return self.send_rest()

    def send_rest(self) -> bool:
        """Send more of it; return whether nothing is left."""
        try:
            while self.left:
                self.left = self.left[self.socket.send(self.left) :]
        except BlockingIOError:
            return False
        return True

    def receive(self) -> Reply | None:
        """Read; return the reply once it is complete.

        Raises:
            OSError: BlockingIOError if nothing has come, otherwise it is broken.
            ValueError: what came is not a reply.
        """
        content = self.socket.recv(1 << 18)
        if not content:
            raise ConnectionError("the end")
        self.received += content
        return parse(self.received)


class OpenLoop:
    """Sends each request when it is due; on a core of its own, since it never sleeps.

    Args:
        port: of the server, on 127.0.0.1.
        draw: returns the request of a number, or None if there is nothing to send.
        take: is called once per request with its number, the reply or None if there was
            none, and the seconds since it was due.
        connections: how many are opened before the start.
        most: how many there may be.
        resend: whether a request whose kept connection ended before any of the reply came
            goes out again on another (RFC 9110, 9.2.2), or has no reply.
        pulse: is called about once a second.
        patience: returns for how many seconds the client of a request waits for its reply.
            Then it closes the connection, and sends its next request on another.

    Attributes:
        late: seconds between each due time and when it was noticed.
        most_open: connections at the same time.
        resent: requests that went out again.
        left: numbers of the requests whose clients have waited for long enough.
    """

    def __init__(
        self,
        port: int,
        draw: Draw,
        take: Take,
        *,
        connections: int = 0,
        most: int,
        resend: bool = True,
        pulse: Callable[[], None] = lambda: None,
        patience: Patience = lambda number: math.inf,
    ) -> None:
        self._port, self._draw, self._take = port, draw, take
        self._most, self._resend, self._pulse = most, resend, pulse
        self._patience = patience
        self._leaving: list[tuple[float, int, Connection]] = []  # a heap
        self._poll = select.epoll()
        self._open: dict[int, Connection] = {}
        self._idle: deque[Connection] = deque()
        self._waiting: deque[int] = deque()
        self._again: dict[int, bytes] = {}  # requests that go out once more
        self.late = array("d")
        self.left = array("Q")
        self.most_open = self.resent = 0
        for _ in range(connections):
            self._idle.append(self._connect())

    def run(self, times: Sequence[float]) -> None:
        """Send a request at each of the times (s, rising), then hang up."""
        self._times, self._start = times, time.perf_counter()
        number, last, pulse = 0, times[-1] + PATIENCE_S, PULSE_S
        while number < len(times) or self._waiting or len(self._idle) < len(self._open):
            now = time.perf_counter() - self._start
            while number < len(times) and times[number] <= now:
                self.late.append(now - times[number])
                self._waiting.append(number)
                number += 1
            while self._waiting and (self._idle or len(self._open) < self._most):
                self._send(self._waiting.popleft())
            if now > pulse:
                self._expire()
                self._pulse()
                pulse += PULSE_S
            if now > last:
                break
            self._collect()
            self._leave(now)  # those whose replies had not come by then
        self._close()

    def _connect(self) -> Connection:
        connection = Connection(self._port)
        self._open[connection.socket.fileno()] = connection
        self._poll.register(connection.socket, select.EPOLLIN)
        self.most_open = max(self.most_open, len(self._open))
        return connection

    def _send(self, number: int) -> None:
        content = self._again.pop(number, None) or self._draw(number)
        if content is None:
            return
        # The one that has been idle for the longest, so that none goes stale.
        connection = self._idle.popleft() if self._idle else self._connect()
        try:
            if not connection.send(number, content):
                self._poll.modify(connection.socket, select.EPOLLIN | select.EPOLLOUT)
        except OSError:
            self._end(connection)
            return
        patience = self._patience(number)
        if patience < math.inf:
            leaves = connection.sent + patience
            heapq.heappush(self._leaving, (leaves, number, connection))

    def _collect(self) -> None:
        # Never waits: epoll's own clock has a resolution of 1 ms, and the core is ours.
        for file, event in self._poll.poll(0):
            if not (connection := self._open.get(file)):
                continue
            try:
                if event & select.EPOLLOUT and connection.send_rest():
                    self._poll.modify(connection.socket, select.EPOLLIN)
                reply = connection.receive() if event & ~select.EPOLLOUT else None
            except BlockingIOError:
                continue
            except (OSError, ValueError):
                self._end(connection)
                continue
            if reply:
                self._finish(connection, reply)

    def _finish(self, connection: Connection, reply: Reply) -> None:
        if connection.number < 0:  # nobody has asked
            self._end(connection)
            return
        self._take(connection.number, reply, self._since(connection.number))
        connection.number, connection.used, connection.received = -1, True, b""
        if reply.closes or connection.left:  # what is left belongs to no request now
            self._forget(connection)
        else:
            self._idle.append(connection)

    def _since(self, number: int) -> float:
        return time.perf_counter() - self._start - self._times[number]

    def _end(self, connection: Connection) -> None:
        """Handle a connection that has broken."""
        number = self._forget(connection)
        if number < 0:
            self._idle.remove(connection)  # the server ended an idle connection: no error
        elif self._resend and connection.used and not connection.received:
            self.resent += 1
            self._again[number] = connection.content
            self._waiting.appendleft(number)
        else:
            self._take(number, None, self._since(number))

    def _forget(self, connection: Connection) -> int:
        """Close a connection, and return the number of its request."""
        del self._open[connection.socket.fileno()]
        connection.socket.close()  # takes it out of epoll, too
        number, connection.number = connection.number, -1
        return number

    def _leave(self, now: float) -> None:
        """Close the connections of clients that had waited for long enough by then."""
        while self._leaving and self._leaving[0][0] <= self._start + now:
            _, number, connection = heapq.heappop(self._leaving)
            if connection.number == number:
                self._forget(connection)
                self.left.append(number)
                self._take(number, None, self._since(number))

    def _expire(self) -> None:
        """Give up requests that have waited too long for their replies."""
        before = time.perf_counter() - PATIENCE_S
        for connection in list(self._open.values()):
            if connection.number >= 0 and connection.sent < before:
                number = self._forget(connection)
                self._take(number, None, self._since(number))

    def _close(self) -> None:
        """Hang up; whatever is still open or has not been sent has no reply."""
        left = [one.number for one in self._open.values() if one.number >= 0]
        for number in (*left, *self._waiting):
            self._take(number, None, self._since(number))
        for connection in self._open.values():
            connection.socket.close()
        self._poll.close()
