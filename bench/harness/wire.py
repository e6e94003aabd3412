"""HTTP/1.1 as bytes: write a request, read a reply strictly."""

import select
import socket
from collections.abc import Mapping
from typing import NamedTuple, Self

END = b"\r\n\r\n"
LENGTH = b"\r\ncontent-length:"
MOST_HEAD = 1 << 16  # bytes; a reply's head of more than that is not one


class Reply(NamedTuple):
    """A whole reply.

    Attributes:
        status: its code.
        head: status line and headers in lower case, without the blank line.
        body: the content.
    """

    status: int
    head: bytes
    body: bytes

    @property
    def closes(self) -> bool:
        """Whether the server closes the connection after it."""
        return b"\r\nconnection: close" in self.head

    @property
    def sheds(self) -> bool:
        """Whether an overloaded server refused the request and said when to retry."""
        return self.status == 503 and b"\r\nretry-after: " in self.head

    @property
    def headers(self) -> dict[str, str]:
        """The headers, names in lower case."""
        lines = self.head.decode("latin-1").split("\r\n")[1:]
        return {
            name: value.strip() for name, _, value in (li.partition(":") for li in lines)
        }


def request(
    path: str,
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
    method: str = "POST",
) -> bytes:
    """Return the bytes of a request; Host and Content-Length are added."""
    fields = {"Host": "127.0.0.1", **(headers or {}), "Content-Length": str(len(body))}
    lines = [f"{method} {path} HTTP/1.1", *(f"{k}: {v}" for k, v in fields.items())]
    return "\r\n".join(lines).encode() + END + body


def parse(content: bytes) -> Reply | None:
    """Return the reply that the bytes are, or None while some of it is missing.

    Raises:
        ValueError: the bytes cannot become one HTTP/1.1 reply with one Content-Length.
    """
    end = content.find(END)
    if end < 0:
        if len(content) > MOST_HEAD:
            raise ValueError(f"found a head of over {MOST_HEAD} bytes: {content[:100]!r}")
        return None
    head = content[:end].lower()
    _, *lengths = head.split(LENGTH)
    length = lengths[0].partition(b"\r\n")[0].strip() if lengths else b""
    if head[:9] != b"http/1.1 " or len(lengths) != 1 or not length.isdigit():
        raise ValueError(f"found {head[:300]!r}, expected HTTP/1.1 and one Content-Length")
    missing = end + len(END) + int(length) - len(content)
    if missing < 0:
        raise ValueError(
            f"found {-missing} bytes after a reply: {content[missing:][:100]!r}"
        )
    return None if missing else Reply(int(head[9:12]), head, content[end + len(END) :])


class Client:
    """A connection to 127.0.0.1 with at most one request on it.

    Attributes:
        socket: the connection.
        received: how many bytes of the last reply have come.
    """

    def __init__(self, port: int, timeout: float = 10.0) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.received = 0

    def ask(self, content: bytes) -> Reply:
        """Send a request, and return its reply.

        Raises:
            OSError: the connection broke or timed out.
            ValueError: what came is not a reply.
        """
        found, self.received = b"", 0
        self.socket.sendall(content)
        while (reply := parse(found)) is None:
            part = self.socket.recv(1 << 18)
            if not part:
                raise ConnectionError(f"found the end after {found[:100]!r}")
            found += part
            self.received += len(part)
        return reply

    @property
    def is_closed(self) -> bool:
        """Whether the server has closed it: between requests nothing else can arrive."""
        poll = select.poll()
        poll.register(self.socket, select.POLLIN)
        return bool(poll.poll(0))

    def close(self) -> None:
        """Close the connection."""
        self.socket.close()

    def __enter__(self) -> Self:
        """Return the client."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connection."""
        self.close()
