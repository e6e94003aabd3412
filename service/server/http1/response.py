"""Replies as bytes, with the headers that gunicorn adds to every reply."""

from gunicorn import SERVER, util

from service.http import ALWAYS, PHRASES, Reply

# Beginnings kept between two ticks: of each status, type and length of a body.
MOST_STARTS = 256


class Writer:
    """Renders replies; the date in them is that of the last tick."""

    def __init__(self) -> None:
        self._starts: dict[tuple[object, ...], bytes] = {}
        self._headers: tuple[tuple[str, str], ...] = ()
        self._fields = _fields(())
        self.tick()

    def tick(self) -> None:
        """Update the date."""
        self._date = util.http_date()
        self._starts.clear()

    def write(self, reply: Reply, used_id: str, keep: bool, minor: int = 1) -> bytes:
        """Return a reply as bytes.

        Args:
            reply: the reply.
            used_id: its X-Request-ID.
            keep: whether the connection can be used again.
            minor: the request's version of HTTP, 1.0 or 1.1.
        """
        status, body, content_type, headers, _, _ = reply
        key = (status, content_type, len(body), keep, minor)
        start = self._starts.get(key)
        if start is None:
            if len(self._starts) == MOST_STARTS:
                self._starts.clear()
            start = self._starts[key] = self._start(reply, keep, minor)
        if headers != self._headers:  # replies that were answered together have the same
            self._headers, self._fields = headers, _fields(headers)
        return b"%b%b%b\r\n\r\n%b" % (start, self._fields, used_id.encode(), body)

    def _start(self, reply: Reply, keep: bool, minor: int) -> bytes:
        """Render what does not depend on the reply's own headers and id."""
        lines = [
            f"HTTP/1.{minor} {reply.status} {PHRASES[reply.status]}",
            f"Server: {SERVER}",
            f"Date: {self._date}",
            f"Connection: {'keep-alive' if keep else 'close'}",
            f"Content-Type: {reply.content_type}",
            f"Content-Length: {len(reply.body)}",
            "",
        ]
        return "\r\n".join(lines).encode("latin-1")


def _fields(headers: tuple[tuple[str, str], ...]) -> bytes:
    """Render a reply's own headers, and its last ones up to the request's id."""
    text = ""
    for name, value in (*headers, *ALWAYS):
        text += f"{name}: {value}\r\n"
    return f"{text}X-Request-ID: ".encode("latin-1")
