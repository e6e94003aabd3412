"""Heads of requests that have been read before: most clients send the same ones again."""

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from service.access import Access
from service.http1 import Request
from service.short_way import ShortWay

if TYPE_CHECKING:
    from service.connection import Connection

# Heads that are remembered: 4 MB at most, and as much again of those without their marks.
MOST_HEADS, MOST_HEAD_BYTES = 1024, 1024

# What a client may send anew with each request, and what nothing else in a head depends on.
# In a head that can be read, CRLF stands only between lines, so this is a header's line;
# and a value of such characters is taken as it is, so another one changes nothing else.
MARK = re.compile(
    rb"\r\n(?=[XxTt])((?i:x-request-id|traceparent|tracestate)):"
    rb"[ \t]*([!-~]{1,512})[ \t]*(?=\r\n)"
)
# Bytes of a header that always pass: a mark's with room to spare.
LEAST_FIELD_SIZE = 1024

Known = dict[bytes, Request]


class Marked(NamedTuple):
    """What a head was read as that has marks.

    Attributes:
        request: with the marks that it had first.
        names: of the marks, in lower case and in their order.
    """

    request: Request
    names: list[str]


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
        self._marked: dict[tuple[bytes, ...], Marked] = {}  # by all but the values
        self._takes_apart = not 0 < cfg.limit_request_field_size < LEAST_FIELD_SIZE

    def at(self, address: Any) -> Known:
        """Return those at an own address: the same head is answered differently."""
        if self._access and self._access.is_metrics_address(address):
            return self._metrics
        return self._main

    def find(self, head: bytes, connection: "Connection") -> Request | None:
        """Return what a head is read as, if only its marks are new."""
        if connection.known_heads is not self._main or not self._marked:
            return None
        parts = MARK.split(head)
        found = self._marked.get((*parts[::3], *parts[1::3]))
        if found is None:
            return None
        marks = {name: value.decode() for name, value in zip(found.names, parts[2::3])}
        request = found.request.with_values(marks)
        assert request.inquiry
        request.inquiry = request.inquiry.asked_by(request.fields)
        return request

    def read(self, head: bytes, connection: "Connection") -> Request:
        """Read a head, or take what it was read as.

        Raises:
            RequestError: what is wrong with it.
        """
        known = connection.known_heads
        request = known.get(head) or self.find(head, connection)
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
            self._keep(head, request, known)
        return request

    def _keep(self, head: bytes, request: Request, known: Known) -> None:
        parts = MARK.split(head) if request.inquiry and self._takes_apart else [head]
        names = [name.decode().lower() for name in parts[1::3]]
        marks = dict(zip(names, (value.decode() for value in parts[2::3])))
        # A header that is there twice has another value than either.
        if names and marks.items() <= request.fields.items():
            if len(self._marked) == MOST_HEADS:
                self._marked.clear()
            self._marked[*parts[::3], *parts[1::3]] = Marked(request, names)
        else:
            if len(known) == MOST_HEADS:
                known.clear()
            known[head] = request
