"""HTTP/1.1 as the load test speaks it: one request at a time on a kept-alive connection.

The reader is strict and small: a status line, ``Content-Length``, a body. What else a
server may send (chunks, interim replies, no length) is a failure with its reason.
"""

import asyncio
import ssl
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple, cast
from urllib.parse import urlsplit

from load.payloads import Request

clock = time.perf_counter
END = b"\r\n\r\n"
# A head may take as much as the service itself reads of one; a reply that is longer than
# 64 MiB, 250 times the longest one, is not read to its end.
HEAD_MOST, BODY_MOST = 1 << 16, 1 << 26
VERSIONS = (b"HTTP/1.1 ", b"HTTP/1.0 ")
NO_BODY = (204, 304)


class ReplyError(Exception):
    """What came is no reply; the text says why, in few different words."""


class Head:
    """The head of a reply; names are found whatever their case.

    Attributes:
        lower: its bytes in lower case.
    """

    def __init__(self, raw: bytes) -> None:
        self._raw, self.lower = raw, raw.lower()

    def get(self, name: str, /) -> str | None:
        """Return the first value of a header, or None."""
        key = _key(name)
        start = self.lower.find(key)
        if start < 0:
            return None
        start += len(key)
        return self._raw[start : self._raw.find(b"\r\n", start)].decode("latin-1").strip()


@lru_cache
def _key(name: str) -> bytes:
    return b"\r\n%s:" % name.lower().encode()


class Reply(NamedTuple):
    """A whole reply.

    Attributes:
        status: its code.
        head: its headers.
        body: its bytes.
    """

    status: int
    head: Head
    body: bytes


def read_head(data: bytes) -> tuple[int, Head, int, int] | None:
    """Return status, headers, the body's start and end; None while the head is not whole.

    Raises:
        ReplyError: this is no head of a reply whose length is known.
    """
    end = data.find(END)
    if end < 0:
        if len(data) > HEAD_MOST:
            raise ReplyError("a head of more than 64 KiB")
        return None
    code = data[9:12]
    if not data.startswith(VERSIONS) or not code.isdigit() or code < b"200":
        raise ReplyError("not an HTTP/1.1 reply")
    status, head, start = int(code), Head(data[: end + 2]), end + 4
    if status in NO_BODY:
        return status, head, start, start
    if b"\r\ntransfer-encoding:" in head.lower:
        raise ReplyError("a reply in chunks, expected Content-Length")
    length = head.get("content-length")
    if length is None or not length.isdecimal() or int(length) > BODY_MOST:
        raise ReplyError("a reply without a valid Content-Length")
    return status, head, start, start + int(length)


class Target(NamedTuple):
    """Where requests go.

    Attributes:
        host, port: of the server.
        secure: whether it speaks TLS. Certificates are not verified.
        prefix: what comes before each path.
        name: for the header ``Host``.
    """

    host: str
    port: int
    secure: bool
    prefix: str
    name: str

    @classmethod
    def of(cls, url: str) -> "Target":
        """Return the target of a URL such as ``http://127.0.0.1:8000``."""
        parts = urlsplit(url)
        secure = parts.scheme == "https"
        port = parts.port or (443 if secure else 80)
        return cls(parts.hostname or "", port, secure, parts.path.rstrip("/"), parts.netloc)

    def render(self, request: Request, headers: dict[str, str]) -> bytes:
        """Return a request as it is sent, with further headers."""
        lines = [f"{request.method} {self.prefix}{request.path} HTTP/1.1"]
        lines += [f"Host: {self.name.rpartition('@')[2]}"]
        found = {**request.headers, **headers, "Content-Length": str(len(request.body))}
        lines += [f"{name}: {value}" for name, value in found.items()]
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + request.body


def context() -> ssl.SSLContext:
    """Return TLS that takes every certificate, as Locust's ``FastHttpUser`` does."""
    made = ssl.create_default_context()
    made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
    return made


class Connection(asyncio.Protocol):
    """A connection of one life: opened with its first request, dead once it is closed.

    Args:
        target: where to.
        done: called with this connection and the reply, or with why there is none.

    Attributes:
        sent: when the last request was sent, on this process's clock.
        dead: whether it cannot be used again.
        stale: whether it was closed upon a request when it had been idle, before an answer.
            A server may do so, and every client that keeps connections sends again.
        turn: whatever the caller wants to find again in ``done``.
    """

    def __init__(
        self, target: Target, done: Callable[["Connection", Reply | str], None]
    ) -> None:
        self._target, self._done = target, done
        self._transport: asyncio.Transport | None = None
        self._task: asyncio.Task[None] | None = None
        self._data: bytes | None = None  # of the request on its way
        self._received = b""
        self._needed = 0  # bytes of the whole reply, once that is known
        self._answers = 0
        self.sent = 0.0
        self.dead = self.stale = False
        self.turn: Any = None

    @property
    def unopened(self) -> bool:
        """Whether its life has not begun."""
        return self._transport is None and not self.dead

    async def open(self) -> None:
        """Open it; raises OSError if that fails."""
        secure = context() if self._target.secure else None
        await asyncio.get_running_loop().create_connection(
            lambda: self, self._target.host, self._target.port, ssl=secure
        )

    def send(self, data: bytes, sent: float | None = None) -> None:
        """Send a request, which counts from now or from an earlier time."""
        self.sent = clock() if sent is None else sent
        self._data = data
        if self._transport:
            self._transport.write(data)
        else:
            self._task = asyncio.ensure_future(self._open_and_send())

    def expire(self, now: float, seconds: float) -> None:
        """Give up a request that has had no answer for so long."""
        if self._data is not None and now - self.sent > seconds:
            self._end("no answer: TimeoutError", keep=False)

    def close(self) -> None:
        """Close it at once."""
        self.dead = True
        if self._transport:
            self._transport.abort()

    async def _open_and_send(self) -> None:
        try:
            await self.open()
        except OSError as error:
            if self._data is not None:
                self._end(f"no answer: {type(error).__name__}", keep=False)
            return
        if self._transport and self._data is not None:
            self._transport.write(self._data)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast(asyncio.Transport, transport)
        if self.dead:  # given up while it was being opened
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """End the request that was on its way."""
        self.dead = True
        if self._data is not None:
            self.stale = self._answers > 0 and not self._received
            self._end("no answer: the connection was closed", keep=False)

    def data_received(self, data: bytes) -> None:
        """Read a reply, or a part of one."""
        self._received = received = self._received + data if self._received else data
        if len(received) < self._needed:
            return
        if self._data is None:  # a reply to nothing
            self.close()
            return
        try:
            found = read_head(received)
            if found is None:
                return
            status, head, start, self._needed = found
            if len(received) > self._needed:
                raise ReplyError("a reply that is longer than its Content-Length")
        except ReplyError as error:
            self._end(str(error), keep=False)
            return
        if len(received) == self._needed:
            self._answers += 1
            keep = b"\r\nconnection: close" not in head.lower
            self._end(Reply(status, head, received[start:]), keep)

    def _end(self, found: Reply | str, keep: bool) -> None:
        self._data, self._received, self._needed = None, b"", 0
        if not keep:
            self.close()
        self._done(self, found)
