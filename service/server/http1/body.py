"""Request bodies as they arrive: bounded, and never much larger than what has arrived."""

import httptools

from service.errors import RequestError

# Memory that a body gets when it starts to arrive in pieces. A client that announces much
# and sends little must cost little; one that goes on gets as much again as has arrived.
FIRST_ROOM = 16 * 1024


class SizedBody:
    """A body of known length, which the kernel writes straight into its place.

    Attributes:
        length: bytes that it will have.
        size: bytes of memory that it takes now.
        complete: whether all of it has arrived.
    """

    def __init__(self, length: int, start: bytes | bytearray) -> None:
        """Begin with what has arrived, less than the length."""
        self.length = length
        self._parts: list[bytes | bytearray | memoryview] = [start] if start else []
        self._come = self.size = len(start)
        self.complete = False
        self._add_part()

    def room(self) -> memoryview:
        """Return where the next bytes go, at least one."""
        return self._part[self._filled :]

    def fill(self, count: int) -> None:
        """Count bytes that were written to the room."""
        self._filled += count
        self._come += count
        self.complete = self._come == self.length
        if self._filled == len(self._part):
            self._parts.append(self._part)
            if not self.complete:
                self._add_part()

    def content(self) -> bytes:
        """Return what has arrived."""
        rest = [] if self.complete else [self._part[: self._filled]]
        return b"".join([*self._parts, *rest])

    def _add_part(self) -> None:
        size = min(self.length - self._come, max(self._come, FIRST_ROOM))
        self._part = memoryview(bytearray(size))
        self._filled = 0
        self.size += size


class ChunkedBody:
    """A chunked body, decoded by llhttp and bounded.

    Attributes:
        size: bytes that have arrived.
        complete: whether the last chunk and the trailer have arrived.
    """

    def __init__(self, limit: int) -> None:
        self.complete = False
        self.size = 0
        self._limit = limit
        self._parts: list[bytes] = []
        self._fed = 0
        self._parser = httptools.HttpRequestParser(self)
        # A head of its own, since that of the request has been parsed already.
        self._parser.feed_data(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n")

    def on_body(self, part: bytes) -> None:  # noqa: D102
        if not self.complete:
            self._parts.append(part)
            self.size += len(part)

    def on_message_complete(self) -> None:  # noqa: D102
        self.complete = True

    def feed(self, data: bytes) -> None:
        """Decode more bytes; those after the end belong to no body and are dropped.

        Raises:
            RequestError: 400 malformed, 413 over the limit.
        """
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            if not self.complete:
                raise RequestError(400, f"request is not HTTP/1.1: {error}") from None
        self._fed += len(data)
        # A chunk of one byte takes six on the wire: no client sends images like that.
        if self.size > self._limit or self._fed > 2 * self._limit:
            raise RequestError(
                413, f"chunked body is too long, expected at most {self._limit} bytes"
            )

    def content(self) -> bytes:
        """Return the bytes of the body."""
        return b"".join(self._parts)
