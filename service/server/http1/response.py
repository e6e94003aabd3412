"""Replies as bytes, with the headers that gunicorn adds to every reply."""

from gunicorn import SERVER, util

from service.http import ALWAYS, PHRASES, Reply

# Heads kept between two ticks; those of answered batches have a Server-Timing of their own.
MOST_HEADS = 256


class Writer:
    """Renders replies; the date in them is that of the last tick."""

    def __init__(self) -> None:
        self._heads: dict[tuple[object, ...], bytes] = {}
        self.tick()

    def tick(self) -> None:
        """Update the date."""
        self._date = util.http_date()
        self._heads.clear()

    def write(self, reply: Reply, used_id: str, keep: bool, minor: int = 1) -> bytes:
        """Return a reply as bytes.

        Args:
            reply: the reply.
            used_id: its X-Request-ID.
            keep: whether the connection can be used again.
            minor: the request's version of HTTP, 1.0 or 1.1.
        """
        status, body, content_type, headers, _, _ = reply
        # Replies that were answered together share all of their head but the id.
        key = (status, content_type, headers, len(body), keep, minor)
        head = self._heads.get(key)
        if head is None:
            if len(self._heads) == MOST_HEADS:
                self._heads.clear()
            head = self._heads[key] = self._head(reply, keep, minor)
        return b"%b%b\r\n\r\n%b" % (head, used_id.encode(), body)

    def _head(self, reply: Reply, keep: bool, minor: int) -> bytes:
        """Render a head up to the request's id."""
        lines = [
            f"HTTP/1.{minor} {reply.status} {PHRASES[reply.status]}",
            f"Server: {SERVER}",
            f"Date: {self._date}",
            f"Connection: {'keep-alive' if keep else 'close'}",
            f"Content-Type: {reply.content_type}",
            f"Content-Length: {len(reply.body)}",
            *(f"{name}: {value}" for name, value in (*reply.headers, *ALWAYS)),
            "X-Request-ID: ",
        ]
        return "\r\n".join(lines).encode("latin-1")
