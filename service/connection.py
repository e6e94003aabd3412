"""One client's connection: whole requests in, whole replies out, and never a wait.

A request is collected completely, bounded in size and time, before the application is
called, and the reply is handed to the transport as a whole. So a slow client costs a little
memory and no time of the application's.
"""

import asyncio
from enum import Enum
from math import inf
from typing import TYPE_CHECKING, cast

from service.bodies import ChunkedBody, SizedBody
from service.errors import RequestError
from service.http1 import (
    END,
    MAX_HEAD_BYTES,
    Request,
    too_large_fields,
    too_long_line,
)
from service.replies import overloaded, refusal, request_id

if TYPE_CHECKING:
    from service.worker import Worker

# Seconds that a connection stays half open after its last reply. Closed at once with bytes
# unread, the kernel would reset it, and the client could lose the reply (RFC 9112, 9.6).
LINGER_S = 2
# Bytes of requests to come that are taken in while one is answered; the kernel keeps the
# rest, so that a client that sends and never reads fills its own memory and not ours.
READ_AHEAD = 64 * 1024
# Bytes that a connection may always take, however much all others take.
FREE_BYTES = 16 * 1024


class State(Enum):
    """What the connection waits for, and what happens when the time for it is over."""

    IDLE = "a request"  # closed without a word
    HEAD = "the rest of the head"  # 408
    BODY = "the rest of the body"  # 408
    ANSWER = "the application"
    LINGER = "the client to close"  # closed


class Connection(asyncio.BufferedProtocol):
    """The protocol of one connection.

    The kernel writes what comes into one piece of memory for all connections, where a
    request that is whole is taken from at once, and what is missing of a body straight to
    its place. So a body is copied once. What is kept for a client that is not done is
    counted, and is bounded for all clients together.

    Attributes:
        state: what it waits for.
        deadline: when it has waited long enough, in the loop's time.
        peer, server: the addresses of its two ends; the client's as ``(host, port, ...)``.
        known_heads: what heads are read as at this end.
    """

    def __init__(self, worker: "Worker") -> None:
        self.worker = worker
        self.state = State.IDLE
        self.deadline = inf
        self._buffer: bytes | bytearray = b""
        self._body: SizedBody | None = None  # one that comes in pieces
        self._request: Request | None = None  # whose body is still coming
        self._chunked: ChunkedBody | None = None
        self._dropped = 0  # bytes read and not kept
        self._scheduled = False  # another request is to be read in the loop's next turn
        self._full = False  # there is enough to answer: nothing is read for now
        self._paused = False  # the client does not read what it was sent
        self._eof = False
        self._held = 0  # bytes that are kept for this client

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:  # noqa: D102
        self.transport = cast(asyncio.Transport, transport)
        peer = transport.get_extra_info("peername")
        # A client that has reset the connection has none; one of a Unix socket, any name.
        self.peer = peer if isinstance(peer, tuple) else ("", 0)
        self.server = transport.get_extra_info("sockname")
        self.known_heads = self.worker.heads.at(self.server)
        self._wait(State.IDLE, self.worker.client_seconds)
        self.worker.add(self)

    def connection_lost(self, error: Exception | None) -> None:  # noqa: D102
        self.deadline = inf
        self._buffer, self._body, self._chunked = b"", None, None
        self._count_bytes()
        self.worker.discard(self)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: D102
        if self._body is not None:
            return self._body.room()
        return self.worker.inbox

    def buffer_updated(self, nbytes: int) -> None:  # noqa: D102
        if self._body is not None:
            self._body.fill(nbytes)
            self._advance()
        elif self.state is State.LINGER:
            self._drop(nbytes)
        else:
            first = self.state is State.IDLE and not (self._buffer or self._paused)
            if not (first and self._take(nbytes)):
                self._keep(nbytes)

    def eof_received(self) -> bool:  # noqa: D102
        self._eof = True
        ended = self.state in (State.LINGER, State.ANSWER)
        if not (ended or self._paused or self._scheduled):
            self._advance()  # what is there now is all that there will be
        return self.state is not State.LINGER and not self.transport.is_closing()

    def pause_writing(self) -> None:  # noqa: D102
        self._paused = True
        self._wait(self.state, self.worker.client_seconds)
        if self._takes_too_much():
            self.transport.abort()

    def resume_writing(self) -> None:  # noqa: D102
        self._paused = False
        self._count_bytes()
        self._wait(self.state, self.worker.client_seconds)
        if self.state not in (State.LINGER, State.ANSWER) and not self._scheduled:
            self._advance()

    # What the worker calls.

    def expire(self) -> None:
        """End what has waited for too long."""
        if self.transport.get_write_buffer_size():
            self.transport.abort()  # close() would wait for the client to read
        elif self.state in (State.HEAD, State.BODY):
            waited = f"{self.state.value} did not come in {self.worker.client_seconds} s"
            self._refuse(RequestError(408, f"{waited}, expected a whole request"))
        else:
            self.transport.close()

    # From bytes to requests.

    def _take(self, size: int) -> bool:
        """Answer what is one whole request with a head that is known: nearly all are."""
        inbox = self.worker.inbox
        end = self.worker.inbox_bytes.find(END, 0, size) + len(END)
        head = bytes(inbox[:end])
        request = self.known_heads.get(head) or self.worker.heads.find(head, self)
        if request is None or request.length != size - end:
            return False
        self.state, self.deadline = State.ANSWER, inf
        if self.worker.admit(self, request, size - end):
            self.worker.answer(self, request, bytes(inbox[end:size]), True)
        return True

    def _keep(self, size: int) -> None:
        """Add to what is there, and go on if that is possible."""
        data = bytes(self.worker.inbox[:size])
        if not self._buffer:
            self._buffer = data
        elif isinstance(self._buffer, bytearray):
            self._buffer += data
        else:  # from here on it grows in place
            self._buffer = bytearray(self._buffer) + data
        if not (self._paused or self._scheduled or self.state is State.ANSWER):
            self._advance()
        elif len(self._buffer) > READ_AHEAD and not self._full:
            self._full = True
            self.transport.pause_reading()
            if self._takes_too_much():
                self.transport.abort()

    def _advance(self) -> None:
        """Answer the next request, as far as it is there."""
        self._scheduled = False
        try:
            if self._request is None:
                self._read_head()
            if self._body is not None:
                self._read_rest(self._body)
            elif self._request is not None:
                self._read_body(self._request)
        except RequestError as error:
            self._refuse(error)
        if self._full and len(self._buffer) <= READ_AHEAD:
            self._read_on()

    def _read_on(self) -> None:
        self._full = False
        if not self.transport.is_closing():
            self.transport.resume_reading()

    def _read_head(self) -> None:
        data = self._buffer
        if data.startswith(b"\r\n"):  # some send it after a body (RFC 9112, 2.2)
            data = data[2:]
        end = data.find(END)
        if end > MAX_HEAD_BYTES or (end < 0 and len(data) > MAX_HEAD_BYTES):
            raise too_large_fields(f"a head of more than {MAX_HEAD_BYTES} bytes")
        if end < 0:
            limit = self.worker.cfg.limit_request_line
            if len(data) > limit > 0 and data.find(b"\r\n", 0, limit + 2) < 0:
                raise too_long_line(self.worker.cfg)
            if data or self._eof:
                self._await(State.HEAD)
            return
        end += len(END)
        head = bytes(data[:end])
        self._buffer = data[end:]
        self._begin(self.worker.heads.read(head, self))

    def _begin(self, request: Request) -> None:
        """Make ready for the body."""
        limit = self.worker.max_body_bytes
        self._request, self._chunked, self._dropped = request, None, 0
        if request.length is None:
            self._chunked = ChunkedBody(limit)
        elif request.expects_continue and request.length <= limit and not self._buffer:
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _read_body(self, request: Request) -> None:
        data, length = self._buffer, request.length
        if length is None:
            self._read_chunks(cast(ChunkedBody, self._chunked))
        elif length > self.worker.max_body_bytes:
            self._skip_body(length)
        elif len(data) < length:
            self._body, self._buffer = SizedBody(length, data), b""
            self._read_rest(self._body)
        else:
            self._buffer = data[length:]
            self._answer(cast(bytes, data[:length]))

    def _read_rest(self, body: SizedBody) -> None:
        if body.complete:
            self._answer(body.content())
        else:
            self._await(State.BODY)

    def _read_chunks(self, chunked: ChunkedBody) -> None:
        chunked.feed(bytes(self._buffer))
        self._buffer = b""
        if chunked.complete:
            self._answer(chunked.content())
        elif self._eof:
            raise RequestError(400, "chunked body is cut short, expected a last chunk")
        else:
            self._await(State.BODY)

    def _skip_body(self, length: int) -> None:
        """Let the application refuse a body that is too long.

        Most clients look for a reply only when they have sent everything, so a body that is
        not far too long is read and dropped first.
        """
        self._dropped += len(self._buffer)
        self._buffer = b""
        if self._dropped >= length or length > 2 * self.worker.max_body_bytes:
            self._answer(b"")
        else:
            self._await(State.BODY)

    def _await(self, state: State) -> None:
        """Wait for more bytes, or end if there will be none."""
        if self._takes_too_much():
            raise overloaded("too many requests are incomplete")
        if not self._eof:
            if self._full:
                self._read_on()
            if self.state is not state:
                self._wait(state, self.worker.client_seconds)
        elif self._request is not None:
            # Cut short: the application says so.
            self._answer(self._body.content() if self._body else b"")
        else:
            self.transport.close()

    # From requests to replies.

    def _answer(self, body: bytes) -> None:
        request = cast(Request, self._request)
        self._request = self._body = self._chunked = None
        if self._held:
            self._count_bytes()
        whole = len(body) == request.length
        if not whole:
            request = request.closing()
        self.state, self.deadline = State.ANSWER, inf
        if self.worker.admit(self, request, len(body)):
            self.worker.answer(self, request, body, whole)

    def send(self, content: bytes) -> None:
        """Send the reply to the request that was given to the worker, head included."""
        if not self.transport.is_closing():  # the client may have gone
            self.transport.write(content)

    def go_on(self, keep: bool) -> None:
        """Wait for the next request, or end if there is to be none."""
        if self.transport.is_closing():
            return
        if not keep:
            self._linger()
            return
        self._wait(State.IDLE, self.worker.keepalive)
        if self._buffer:
            # Not at once: a client that sends many must not keep the others waiting.
            self._scheduled = True
            self.worker.loop.call_soon(self._next)
        elif self._eof:
            self.transport.close()

    def _next(self) -> None:
        self._scheduled = False
        if not (self._paused or self.transport.is_closing()):
            self._advance()

    def _refuse(self, error: RequestError) -> None:
        """Answer what cannot be read as a request, and close."""
        reply, used_id = refusal(error), request_id("")
        self.transport.write(self.worker.writer.write(reply, used_id, False))
        self.worker.count_refusal(reply)
        self.worker.log_refusal(self, used_id, reply)
        self._linger()

    def _linger(self) -> None:
        """Close, but not before the client has: see LINGER_S."""
        self._buffer, self._request, self._body, self._dropped = b"", None, None, 0
        self._chunked = None
        self._count_bytes()
        self._wait(State.LINGER, LINGER_S)
        if self._eof:
            self.transport.close()
        else:
            self.transport.write_eof()

    def _drop(self, size: int) -> None:
        self._dropped += size
        if self._dropped > 2 * self.worker.max_body_bytes:
            self.transport.abort()

    def _count_bytes(self) -> None:
        held = len(self._buffer)
        held += self._body.size if self._body else 0
        held += self._chunked.size if self._chunked else 0
        held += self.transport.get_write_buffer_size() if self._paused else 0
        self.worker.held_bytes += held - self._held
        self._held = held

    def _takes_too_much(self) -> bool:
        """Count what is kept for this client, and tell whether there is room for it."""
        self._count_bytes()
        return self._held > FREE_BYTES and self.worker.held_bytes > self.worker.most_bytes

    def _wait(self, state: State, seconds: float) -> None:
        self.state = state
        self.deadline = self.worker.loop.time() + seconds
