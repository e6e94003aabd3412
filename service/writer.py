"""Replies as bytes: what gunicorn says in every head, and what the application adds."""

from gunicorn import SERVER, util

from service.replies import ALWAYS, PHRASES, Reply


class Writer:
    """Writes replies out; the date in them is that of the last tick."""

    def __init__(self) -> None:
        self._kept: dict[tuple[int, bool, int], bytes] = {}
        self.tick()

    def tick(self) -> None:
        """Take the time anew."""
        self._date = util.http_date()
        self._kept.clear()

    def write(self, reply: Reply, used_id: str, keep: bool, minor: int = 1) -> bytes:
        """Write a reply out.

        Args:
            reply: the reply.
            used_id: its X-Request-ID.
            keep: whether the connection can be used again.
            minor: the request's version of HTTP, 1.0 or 1.1.
        """
        return finish(self.head(reply, keep, minor), used_id, reply.body)

    def write_again(self, reply: Reply, used_id: str, keep: bool, minor: int = 1) -> bytes:
        """Do the same with a reply that lives as long as this, and comes often."""
        kind = id(reply), keep, minor
        if kind not in self._kept:
            self._kept[kind] = self.head(reply, keep, minor)
        return finish(self._kept[kind], used_id, reply.body)

    def head(self, reply: Reply, keep: bool, minor: int) -> bytes:
        """Write a head up to the request's id."""
        lines = [
            f"HTTP/1.{minor} {reply.status} {PHRASES[reply.status]}",
            f"Server: {SERVER}",
            f"Date: {self._date}",
            f"Connection: {'keep-alive' if keep else 'close'}",
            f"Content-Type: {reply.headers['Content-Type']}",
            f"Content-Length: {len(reply.body)}",
        ]
        for name, value in {**reply.headers, **ALWAYS}.items():
            if name != "Content-Type":
                lines.append(f"{name}: {value}")
        return "\r\n".join([*lines, "X-Request-ID: "]).encode("latin-1")


def finish(head: bytes, used_id: str, body: bytes) -> bytes:
    """Add the request's id and the body to a head."""
    return b"%b%b\r\n\r\n%b" % (head, used_id.encode(), body)
