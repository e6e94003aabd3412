"""Bodies of requests while they come: bounded, and no larger than what has come of them."""

import httptools

from service.errors import RequestError

# Room that a body gets when it begins to come in pieces. A client that announces much and
# sends little is to cost little; one that goes on gets as much again as has come.
FIRST_ROOM = 16 * 1024


class SizedBody:
    """A body of a known length, which the kernel writes where it is to be.

    Attributes:
        length: bytes that it will have.
        size: bytes of memory that it takes now.
        complete: whether all of it has come.
    """

    def __init__(self, length: int, start: bytes | bytearray) -> None:
        """Begin with what has come, less than the length."""
        self.length = length
        self._parts: list[bytes | bytearray | memoryview] = [start] if start else []
        self._come = self.size = len(start)
        self.complete = False
        self._add_part()

    def room(self) -> memoryview:
        """Return where the next bytes go, at least one."""
        return self._part[self._filled :]

    def fill(self, count: int) -> None:
        """Take notice of bytes that were written to the room."""
        self._filled += count
        self._come += count
        self.complete = self._come == self.length
        if self._filled == len(self._part):
            self._parts.append(self._part)
            if not self.complete:
                self._add_part()

    def content(self) -> bytes:
        """Return what has come."""
        rest = [] if self.complete else [self._part[: self._filled]]
        return b"".join([*self._parts, *rest])

    def _add_part(self) -> None:
        size = min(self.length - self._come, max(self._come, FIRST_ROOM))
        self._part = memoryview(bytearray(size))
        self._filled = 0
        self.size += size


class ChunkedBody:
    """A chunked body, put together by llhttp and bounded.

    Attributes:
        size: bytes that have come.
        complete: whether the last chunk and the trailer have come.
    """

    def __init__(self, limit: int) -> None:
        self.complete = False
        self.size = 0
        self._limit = limit
        self._parts: list[bytes] = []
        self._fed = 0
        self._parser = httptools.HttpRequestParser(self)
        # A head of its own, since that of the request has been read already.
        self._parser.feed_data(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n")

    def on_body(self, part: bytes) -> None:  # noqa: D102
        if not self.complete:
            self._parts.append(part)
            self.size += len(part)

    def on_message_complete(self) -> None:  # noqa: D102
        self.complete = True

    def feed(self, data: bytes) -> None:
        """Take in what came; bytes after the end are another request's and are dropped.

        Raises:
            RequestError: 400 malformed, 413 over the limit.
        """
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            if not self.complete:
                raise RequestError(400, f"request is not HTTP/1.1: {error}") from None
        self._fed += len(data)
        # Chunks of a byte cost six on the line: that is no way to send an image.
        if self.size > self._limit or self._fed > 2 * self._limit:
            raise RequestError(
                413, f"chunked body is too long, expected at most {self._limit} bytes"
            )

    def content(self) -> bytes:
        """Return the bytes of the body."""
        return b"".join(self._parts)
