"""One client's connection: whole requests in, whole replies out, and it never waits.

A request is collected completely, bounded in size and time, before it is passed on, and the
reply is handed to the transport as a whole. So a slow client costs a little memory and none
of the worker's time.
"""

import asyncio
from enum import Enum
from math import inf
from typing import cast

from service.errors import RequestError
from service.http import overloaded
from service.server.http1.collector import Collected, Collector, Missing
from service.server.http1.request import END, Ends
from service.server.pool import Callee, Pool, in_kernel

# Seconds that a connection stays half open after its last reply. Closed at once with bytes
# unread, the kernel would reset it, and the client could lose the reply (RFC 9112, 9.6).
LINGER_S = 2
# Bytes of further requests that are read while one is answered; the kernel keeps the rest,
# so that a client that sends and never reads fills its own memory and not ours.
READ_AHEAD = 64 * 1024
# Bytes that a connection may always take, however many the others take.
FREE_BYTES = 16 * 1024


class State(Enum):
    """What the connection waits for; the comment says what ends the wait."""

    IDLE = "a request"  # closed without a word
    HEAD = "the rest of the head"  # 408
    BODY = "the rest of the body"  # 408
    ANSWER = "the application"
    LINGER = "the client to close"  # closed


WAITS = {Missing.HEAD: State.HEAD, Missing.BODY: State.BODY}


class Connection(asyncio.BufferedProtocol):
    """The protocol of one connection.

    The kernel writes what arrives into one piece of memory for all connections, where whole
    requests are taken from at once, and the rest of a longer body straight into its place.
    So a body is copied once. What is kept for an unfinished client is counted, and bounded
    for all clients together.

    Attributes:
        state: what it waits for.
        deadline: when it has waited long enough, in the loop's time.
        ends: the addresses of its two ends.
        gone: whether it is closed.
        ended: whether the client sends no more; it may still wait for a reply.
        file: the number of its socket's file.
    """

    gone = ended = False

    def __init__(self, pool: Pool, callee: Callee) -> None:
        self._pool, self._callee = pool, callee
        self.state = State.IDLE
        self.deadline = inf
        self._dropped = 0  # bytes that arrived after the last reply
        self._scheduled = False  # the next request is read in the loop's next turn
        self._full = False  # enough was read ahead: nothing is read for now
        self._paused = False  # the client does not read what it was sent
        self._since = self._seconds = 0.0  # since when it waits, and for how long
        self._held = 0  # bytes that are kept for this client

    # Called by asyncio.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:  # noqa: D102
        self.transport = cast(asyncio.Transport, transport)
        peer = transport.get_extra_info("peername")
        # A client that has reset the connection has none; one of a Unix socket, any name.
        peer = peer if isinstance(peer, tuple) else ("", 0)
        self.ends = Ends(peer, transport.get_extra_info("sockname"))
        self.file = transport.get_extra_info("socket").fileno()
        heads, limits = self._pool.heads, self._pool.limits
        self._known_heads = heads.at(self.ends)
        self._collector = Collector(heads, self._known_heads, self.ends, limits)
        self._wait(State.IDLE, self._pool.client_seconds)
        self._pool.add(self)

    def connection_lost(self, error: Exception | None) -> None:  # noqa: D102
        self.deadline, self.gone = inf, True
        self._collector.clear()
        self._count_bytes()
        self._pool.discard(self)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: D102
        body = self._collector.body
        return self._pool.inbox if body is None else body.room()

    def buffer_updated(self, nbytes: int) -> None:  # noqa: D102
        body = self._collector.body
        if body is not None:
            body.fill(nbytes)
            self._advance()
        elif self.state is State.LINGER:
            self._drop(nbytes)
        else:
            kept = self._collector.buffer
            first = self.state is State.IDLE and not (kept or self._paused)
            if not (first and self._take(nbytes)):
                self._keep(nbytes)

    def eof_received(self) -> bool:  # noqa: D102
        self.ended = True
        ended = self.state in (State.LINGER, State.ANSWER)
        if not (ended or self._paused or self._scheduled):
            self._advance()  # nothing more will arrive
        return self.state is not State.LINGER and not self.transport.is_closing()

    def pause_writing(self) -> None:  # noqa: D102
        self._paused = True
        self._wait(self.state, self._pool.client_seconds)
        if self._takes_too_much():
            self.transport.abort()

    def resume_writing(self) -> None:  # noqa: D102
        self._paused = False
        self._count_bytes()
        idle = self.state is State.IDLE
        self._wait(self.state, self._pool.keepalive if idle else self._pool.client_seconds)
        if self.state not in (State.LINGER, State.ANSWER) and not self._scheduled:
            self._advance()

    # Called by the worker and the callee.

    def expire(self) -> None:
        """End what has waited for too long, by what it waits for in fact."""
        unsent = self.transport.get_write_buffer_size()
        reads = unsent or self.state is State.IDLE and in_kernel(self.transport)
        until = self._since + (self._pool.client_seconds if reads else self._seconds)
        waits = unsent or self._pool.accepting  # a worker that ends waits only for readers
        if waits and self._pool.loop.time() < until:
            self.deadline = until
        elif unsent:
            self.transport.abort()  # close() would wait for the client to read
        elif self.state in (State.HEAD, State.BODY):
            waited = f"{self.state.value} did not come in {self._pool.client_seconds} s"
            self._refuse(RequestError(408, f"{waited}, expected a whole request"))
        else:
            self.transport.close()

    def send(self, content: bytes) -> None:
        """Send a complete reply."""
        if not self.transport.is_closing():  # the client may have gone
            self.transport.write(content)

    def go_on(self, keep: bool) -> None:
        """Wait for the next request, or hang up if there is to be none."""
        if self.transport.is_closing():
            return
        if not keep:
            self.hang_up()
            return
        self._wait(State.IDLE, self._pool.keepalive)
        if self._collector.buffer:
            # Not at once: a client that sends many must not keep the others waiting.
            self._scheduled = True
            self._pool.loop.call_soon(self._next)
        elif self.ended:
            self.transport.close()

    def hang_up(self) -> None:
        """Close, but not before the client has: see LINGER_S."""
        self._collector.clear()
        self._dropped = 0
        self._count_bytes()
        self._wait(State.LINGER, LINGER_S)
        if self.ended:
            self.transport.close()
        else:
            self.transport.write_eof()

    # From bytes to the callee.

    def _take(self, size: int) -> bool:
        """Pass on what is one whole request with a known head: nearly all are."""
        inbox = self._pool.inbox
        end = self._pool.inbox_bytes.find(END, 0, size) + len(END)
        content, known = bytes(inbox[:end]), self._known_heads
        head = known.get(content) or self._pool.heads.find(content, known)
        if head is None or head.length != size - end:
            return False
        self.state, self.deadline = State.ANSWER, inf
        self._callee.take(self, head, inbox[end:size], True)
        return True

    def _keep(self, size: int) -> None:
        """Add to what is kept, and go on if that is possible."""
        self._collector.feed(bytes(self._pool.inbox[:size]))
        if not (self._paused or self._scheduled or self.state is State.ANSWER):
            self._advance()
        elif len(self._collector.buffer) > READ_AHEAD and not self._full:
            self._full = True
            self.transport.pause_reading()
            if self._takes_too_much():
                self.transport.abort()

    def _advance(self) -> None:
        """Pass on the next request, if it has arrived."""
        self._scheduled = False
        waited_for_head = self._collector.head is None
        try:
            found = self._collector.collect(self.ended)
            if waited_for_head and self._collector.wants_continue():
                self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            if isinstance(found, Collected):
                self._pass_on(found)
            else:
                self._await(found)
        except RequestError as error:
            self._refuse(error)
        if self._full and len(self._collector.buffer) <= READ_AHEAD:
            self._read_on()

    def _next(self) -> None:
        self._scheduled = False
        if not (self._paused or self.transport.is_closing()):
            self._advance()

    def _await(self, missing: Missing) -> None:
        """Wait for what is missing, or end if it will never arrive."""
        if self.ended:
            self.transport.close()
            return
        if missing is Missing.REQUEST:
            return  # it waits already
        if self._takes_too_much():
            raise overloaded("too many requests are incomplete")
        if self._full:
            self._read_on()
        if self.state is not WAITS[missing]:
            self._wait(WAITS[missing], self._pool.client_seconds)

    def _pass_on(self, request: Collected) -> None:
        if self._held:
            self._count_bytes()
        self.state, self.deadline = State.ANSWER, inf
        self._callee.take(self, *request)

    def _refuse(self, error: RequestError) -> None:
        self._callee.refuse(self, error, self._collector.head)

    def _read_on(self) -> None:
        self._full = False
        if not self.transport.is_closing():
            self.transport.resume_reading()

    def _drop(self, size: int) -> None:
        self._dropped += size
        if self._dropped > 2 * self._pool.limits.body:
            self.transport.abort()

    def _count_bytes(self) -> None:
        held = self._collector.size
        held += self.transport.get_write_buffer_size() if self._paused else 0
        self._pool.held_bytes += held - self._held
        self._held = held

    def _takes_too_much(self) -> bool:
        """Count what is kept for this client; return whether there is no room for it."""
        self._count_bytes()
        return self._held > FREE_BYTES and self._pool.held_bytes > self._pool.most_bytes

    def _wait(self, state: State, seconds: float) -> None:
        self.state, self._seconds, self._since = state, seconds, self._pool.loop.time()
        # Has the reply been read by then? Only `expire` can know.
        self.deadline = self._since + min(seconds, self._pool.client_seconds)
