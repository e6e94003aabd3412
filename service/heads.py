"""Heads of requests that have been read before: most clients send the same ones again."""

from typing import TYPE_CHECKING, Any

from service.access import Access
from service.http1 import Request
from service.short_way import ShortWay

if TYPE_CHECKING:
    from service.connection import Connection

# Heads that are remembered: 4 MB at most.
MOST_HEADS, MOST_HEAD_BYTES = 1024, 1024

Known = dict[bytes, Request]


class Heads:
    """What heads were read as, by their bytes, at each address.

    Args:
        cfg: gunicorn's settings.
        max_body_bytes: most bytes of a body.
        access: knows the address of the metrics; None where there is none.
        short_way: reads what it can answer; None without it.
    """

    def __init__(
        self,
        cfg: Any,
        max_body_bytes: int,
        access: Access | None,
        short_way: ShortWay | None,
    ) -> None:
        self._cfg, self._max_body_bytes = cfg, max_body_bytes
        self._access, self._short_way = access, short_way
        self._main: Known = {}
        self._metrics: Known = {}

    def at(self, address: Any) -> Known:
        """Return those at an own address: the same head is answered differently."""
        if self._access and self._access.is_metrics_address(address):
            return self._metrics
        return self._main

    def read(self, head: bytes, connection: "Connection") -> Request:
        """Read a head, or take what it was read as.

        Raises:
            RequestError: what is wrong with it.
        """
        known = connection.known_heads
        request = known.get(head)
        if request is not None:
            return request
        request = Request(head, self._cfg, connection.peer)
        if request.length is None or request.length > self._max_body_bytes:
            request.keep_alive = False  # where the next request begins is not known
        short = self._short_way if known is self._main else None
        known_length = "content-length" in request.fields  # or it is a 411
        if short and request.method == "POST" and known_length:
            request.inquiry = short.read(request.path, request.query, request.fields)
        if request.keep_alive and not request.special and len(head) <= MOST_HEAD_BYTES:
            if len(known) == MOST_HEADS:
                known.clear()
            known[head] = request
        return request
