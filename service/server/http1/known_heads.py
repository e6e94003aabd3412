"""Heads that were parsed before: most clients send the same ones again and again."""

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from service.inference import Inference
from service.inference.access import is_below
from service.server.http1.request import Ends, HeadLimits, RequestHead

# Memory for all heads that are remembered: five hundred usual ones, of ten headers.
MOST_BYTES = 4 << 20
# A longer head is not remembered.
MOST_HEAD_BYTES = 1024
# What one takes, at most, once it was used and logged: measured with tracemalloc for 4 to
# 94 headers, 82 to 998 bytes, with and without changing values: 2.8 to 44 kB.
HEAD_COST, BYTE_COST, FIELD_COST = 2000, 4, 450

# Headers that a client may change with each request, and that nothing else in a head
# depends on. In a head that can be parsed, CRLF stands only between lines, so this matches
# a header's line; and a value of such characters is taken as it is, so another one changes
# nothing else.
CHANGING = re.compile(
    rb"\r\n(?=[XxTt])((?i:x-request-id|traceparent|tracestate)):"
    rb"[ \t]*([!-~]{1,512})[ \t]*(?=\r\n)"
)
# Bytes of a header that are always allowed: those of a changing one, with room to spare.
LEAST_FIELD_SIZE = 1024

Known = dict[bytes, RequestHead]


class _Template(NamedTuple):
    """A head without the values that change.

    Attributes:
        head: with the values that it had first.
        names: of the changing headers, in lower case and in their order.
    """

    head: RequestHead
    names: list[str]


class KnownHeads:
    """Parsed heads by their bytes, for each address that clients connect to.

    Attributes:
        size: bytes of memory that they take, at most.

    Args:
        limits: gunicorn's limits.
        apply_policy: applies gunicorn's policy to a special head; raises RequestError.
        inference: reads targets, and knows the limit of bodies and the metrics' address.
        fast_path: whether targets are read at all.
    """

    def __init__(
        self,
        limits: HeadLimits,
        apply_policy: Callable[[RequestHead, Ends], None],
        inference: Inference,
        fast_path: bool,
    ) -> None:
        self._limits, self._apply_policy = limits, apply_policy
        self._inference, self._fast_path = inference, fast_path
        self._max_body_bytes = inference.settings.max_body_bytes
        self._main: Known = {}
        self._metrics: Known = {}
        self._templates: dict[tuple[bytes, ...], _Template] = {}
        self.size = 0
        self._has_templates = not 0 < limits.field_size < LEAST_FIELD_SIZE

    def at(self, address: Any) -> Known:
        """Return the heads known at an own address: each answers the same head its way."""
        return self._metrics if self.is_metrics(address) else self._main

    def is_metrics(self, address: Any) -> bool:
        """Whether an own address is that of the metrics."""
        return self._inference.access.is_metrics_address(address)

    def find(self, head: bytes, known: Known) -> RequestHead | None:
        """Return a parsed head that differs only in values that change."""
        if known is not self._main or not self._templates:
            return None
        parts = CHANGING.split(head)
        found = self._templates.get((*parts[::3], *parts[1::3]))
        if found is None:
            return None
        values = {name: value.decode() for name, value in zip(found.names, parts[2::3])}
        return found.head.with_values(values)

    def read(self, content: bytes, known: Known, ends: Ends) -> RequestHead:
        """Return a known head, or parse and remember it.

        Raises:
            RequestError: what is wrong with it.
        """
        found = known.get(content) or self.find(content, known)
        if found is not None:
            return found
        head = RequestHead(content, self._limits)
        if head.special:
            self._apply_policy(head, ends)
        if head.length is None or head.length > self._max_body_bytes:
            head.keep_alive = False  # where the next request begins is not known
        # A POST without a length is refused (411), and not by inference.
        bounded = head.length is None or "content-length" in head.fields
        inside = not head.prefix or is_below(head.full_path, head.prefix)
        if inside and head.prefix:
            head.path = head.full_path[len(head.prefix) :]
        fast = self._fast_path and inside
        if fast and head.method == "GET" and head.length == 0:
            at_metrics = known is self._metrics
            if self._inference.is_probe(head.path, head.fields, at_metrics):
                head.is_probe = True
        if fast and known is self._main and head.method == "POST" and bounded:
            endpoint = self._inference.endpoint(head.path)
            if endpoint is not None:
                head.target = self._inference.target(endpoint, head.query, head.fields)
        if head.keep_alive and not head.special and len(content) <= MOST_HEAD_BYTES:
            self._keep(content, head, known)
        return head

    def _keep(self, content: bytes, head: RequestHead, known: Known) -> None:
        templated = self._has_templates and head.target is not None
        parts = CHANGING.split(content) if templated else [content]
        names = [name.decode().lower() for name in parts[1::3]]
        values = dict(zip(names, (value.decode() for value in parts[2::3])))
        # A header that is there twice has another value than either.
        cost = HEAD_COST + BYTE_COST * len(content) + FIELD_COST * len(head.raw)
        if self.size + cost > MOST_BYTES:
            for kept in (self._main, self._metrics, self._templates):
                kept.clear()
            self.size = 0
        self.size += cost
        if names and values.items() <= head.fields.items():
            self._templates[*parts[::3], *parts[1::3]] = _Template(head, names)
        else:
            known[content] = head
