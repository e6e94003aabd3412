"""From bytes to whole requests: bounded, without I/O and without a clock."""

from enum import Enum
from typing import NamedTuple

from service.errors import RequestError
from service.server.http1.body import ChunkedBody, SizedBody
from service.server.http1.known_heads import Known, KnownHeads
from service.server.http1.request import (
    END,
    MAX_HEAD_BYTES,
    Ends,
    RequestHead,
    malformed,
    too_large_head,
    too_long_line,
)


class Limits(NamedTuple):
    """How much a request may have.

    Attributes:
        body: most bytes of a body.
        line: most bytes of a request line, 0 for no limit.
    """

    body: int
    line: int


class Missing(Enum):
    """What has not arrived yet."""

    REQUEST = "a request"
    HEAD = "the rest of the head"
    BODY = "the rest of the body"


class Collected(NamedTuple):
    """A request, as far as it will be collected.

    Attributes:
        head: its head.
        body: its body.
        whole: whether that is all of the body.
    """

    head: RequestHead
    body: bytes
    whole: bool


class Collector:
    """Collects the requests that arrive on one connection, one after the other.

    Attributes:
        buffer: bytes that belong to no body yet.
        head: of the request whose body is arriving.
        body: the body, if it arrives in pieces: what arrives next goes into its room.
    """

    def __init__(self, heads: KnownHeads, known: Known, ends: Ends, limits: Limits) -> None:
        self._heads, self._known = heads, known
        self._ends, self._limits = ends, limits
        self.buffer: bytes | bytearray = b""
        self.head: RequestHead | None = None
        self.body: SizedBody | None = None
        self._chunked: ChunkedBody | None = None
        self._dropped = 0  # bytes of a body that is too long, read and not kept

    @property
    def size(self) -> int:
        """Bytes of memory that are kept."""
        size = len(self.buffer)
        size += self.body.size if self.body else 0
        return size + (self._chunked.size if self._chunked else 0)

    def feed(self, data: bytes) -> None:
        """Add bytes that have arrived."""
        if not self.buffer:
            self.buffer = data
        elif isinstance(self.buffer, bytearray):
            self.buffer += data
        else:  # from here on it grows in place
            self.buffer = bytearray(self.buffer) + data

    def clear(self) -> None:
        """Drop everything that is kept."""
        self.buffer, self.head, self.body, self._chunked = b"", None, None, None

    def collect(self, ended: bool) -> Collected | Missing:
        """Return the next request, or what is missing of it.

        Args:
            ended: whether nothing more will arrive.

        Raises:
            RequestError: it cannot be a request, or is too large.
        """
        if self.head is None:
            missing = self._read_head()
            if missing is not None:
                return missing
        head = self.head
        assert head is not None
        if self.body is not None:
            found = self.body.content() if self.body.complete else None
        elif head.length is None:
            found = self._read_chunks(ended)
        elif head.length > self._limits.body:
            return self._skip_body(head, ended)
        else:
            found = self._read_sized(head.length)
        if found is not None:
            return self._collected(found, True)
        if ended:  # cut short, which the application answers
            return self._collected(self.body.content() if self.body else b"", False)
        return Missing.BODY

    def wants_continue(self) -> bool:
        """Whether the client waits for a go-ahead before it sends a body that fits."""
        head = self.head
        if head is None or not head.expects_continue or self.buffer:
            return False
        return head.length is None or head.length <= self._limits.body

    def _read_head(self) -> Missing | None:
        data = self.buffer
        if data.startswith(b"\r\n"):  # some send it after a body (RFC 9112, 2.2)
            data = data[2:]
        end = data.find(END)
        if end > MAX_HEAD_BYTES or (end < 0 and len(data) > MAX_HEAD_BYTES):
            raise too_large_head(data)
        if end < 0:
            limit = self._limits.line
            if len(data) > limit > 0 and data.find(b"\r\n", 0, limit + 2) < 0:
                raise too_long_line(limit)
            if _has_half_ends(data):  # its end may have come already, or never will
                raise malformed("a line ends in a bare CR or LF, expected both")
            return Missing.HEAD if data else Missing.REQUEST
        end += len(END)
        content = bytes(data[:end])
        self.buffer = data[end:]
        self.head = self._heads.read(content, self._known, self._ends)
        if self.head.length is None:
            self._chunked = ChunkedBody(self._limits.body)
        return None

    def _read_sized(self, length: int) -> bytes | None:
        data = self.buffer
        if len(data) < length:
            self.body, self.buffer = SizedBody(length, data), b""
            return None
        self.buffer = data[length:]
        return bytes(data[:length])

    def _read_chunks(self, ended: bool) -> bytes | None:
        assert self._chunked is not None
        self._chunked.feed(bytes(self.buffer))
        self.buffer = b""
        if self._chunked.complete:
            return self._chunked.content()
        if ended:
            raise RequestError(400, "chunked body is cut short, expected a last chunk")
        return None

    def _skip_body(self, head: RequestHead, ended: bool) -> Collected | Missing:
        """Let the application refuse a body that is too long.

        Most clients look for a reply only when they have sent everything, so a body that is
        not far too long is read and dropped first; but a client that asks to go on is told
        not to.
        """
        assert head.length is not None
        self._dropped += len(self.buffer)
        self.buffer = b""
        done = self._dropped >= head.length or head.length > 2 * self._limits.body
        done = done or ended or head.expects_continue
        return self._collected(b"", False) if done else Missing.BODY

    def _collected(self, body: bytes, whole: bool) -> Collected:
        head = self.head
        assert head is not None
        self.head = self.body = self._chunked = None
        self._dropped = 0
        return Collected(head if whole else head.closing(), body, whole)


def _has_half_ends(data: bytes | bytearray) -> bool:
    """Whether a line ends in CR or LF alone; not in a CR at the end, whose LF may follow.

    Counting takes a few microseconds for 64 kB, and a client may send them byte by byte.
    """
    ends = data.count(b"\r\n")
    returns = data.count(b"\r") - data.endswith(b"\r")
    return data.count(b"\n") != ends or returns != ends
