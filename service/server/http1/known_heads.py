"""Heads that were parsed before: most clients send the same ones again and again."""

import re
from typing import Any, NamedTuple, Protocol

from service.inference import Inference, deadline
from service.inference.access import is_below
from service.server.http1.request import Ends, HeadLimits, RequestHead

# Memory for all heads that are remembered: five hundred usual ones, of ten headers.
MOST_BYTES = 4 << 20
# One that is longer without its changing values is not remembered.
MOST_HEAD_BYTES = 1024
# What one takes, at most, once it was used and logged: measured with tracemalloc for 4 to
# 94 headers, 82 to 998 bytes, with and without changing values: 2.8 to 44 kB.
HEAD_COST, BYTE_COST, FIELD_COST = 2000, 4, 450

# Headers that a client or a proxy may change with each request, and that nothing else in a
# head depends on: ids, traces, cookies, the time, addresses. Of `Authorization`, tokens:
# the name in Basic's value is logged. In a head that can be parsed, CRLF stands only
# between lines, so `CHANGING` matches a header's line; and a value of such characters is
# taken as it is, so another one changes nothing else.
NAMES = (
    *("x-request-id", "x-correlation-id", "traceparent", "tracestate", "baggage"),
    *("x-amzn-trace-id", "x-cloud-trace-context", "cookie", "date"),
    *("x-forwarded-for", "x-real-ip", "forwarded"),
)
TOKEN = r"authorization(?=:[ \t]*bearer )"
# What is no timeout is refused, so only its values are.
TIMEOUT = rf"{deadline.HEADER}(?=:[ \t]*{deadline.VALUE}[ \t]*\r\n)"
CHANGING = r"\r\n(?=[ABCDFRTX])(%s):[ \t]*([!-~](?:[ -~]{0,%d}[!-~])?)[ \t]*(?=\r\n)"
# A token with a few claims takes a kilobyte.
MOST_VALUE = 2048
# Bytes of a header that are always allowed: those of a changing one, with room to spare.
LEAST_FIELD_SIZE = MOST_VALUE + 512


class Policy(Protocol):
    """gunicorn's policy for headers."""

    def apply(self, head: RequestHead, ends: Ends) -> None:
        """Apply it to a special head; raises RequestError if that is refused."""

    def trusts(self, host: str) -> bool:
        """Return whether a client is trusted with headers such as X-Forwarded-Proto."""


class _Template(NamedTuple):
    """A head without the values that change.

    Attributes:
        head: with the values that it had first.
        names: of the changing headers, in lower case and in their order.
    """

    head: RequestHead
    names: list[str]


class Known(dict[bytes, RequestHead]):
    """Parsed heads by their bytes, which mean the same for some clients at an address.

    Attributes:
        templates: heads by what does not change.
    """

    def __init__(self) -> None:
        self.templates: dict[tuple[bytes, ...], _Template] = {}


class KnownHeads:
    """Parsed heads by their bytes, for each address that clients connect to.

    Attributes:
        size: bytes of memory that they take, at most.

    Args:
        limits: gunicorn's limits.
        policy: gunicorn's policy for headers.
        inference: reads targets, and knows the limit of bodies and the metrics' address.
        fast_path: whether targets are read at all.
    """

    def __init__(
        self, limits: HeadLimits, policy: Policy, inference: Inference, fast_path: bool
    ) -> None:
        self._limits, self._policy = limits, policy
        self._inference, self._fast_path = inference, fast_path
        self._max_body_bytes = inference.settings.max_body_bytes
        self._main, self._proxies, self._metrics = Known(), Known(), Known()
        self.size = 0
        self._has_templates = not 0 < limits.field_size < LEAST_FIELD_SIZE
        fixed = {*limits.special, inference.canary and inference.canary.header}
        names = [re.escape(name) for name in NAMES if name not in fixed]
        if deadline.HEADER not in fixed:
            names.append(TIMEOUT)
        if not inference.access.needs_key:
            names.append(TOKEN)
        pattern = CHANGING % ("|".join(names), MOST_VALUE - 2)
        self._changing = re.compile(pattern.encode(), re.IGNORECASE)

    def at(self, ends: Ends) -> Known:
        """Return the heads known for a connection.

        Each own address answers the same head its way, and so do clients that gunicorn
        trusts with headers such as X-Forwarded-Proto: proxies.
        """
        if self.is_metrics(ends.server):
            return self._metrics
        return self._proxies if self._policy.trusts(ends.peer[0]) else self._main

    def is_metrics(self, address: Any) -> bool:
        """Whether an own address is that of the metrics."""
        return self._inference.access.is_metrics_address(address)

    def find(self, head: bytes, known: Known) -> RequestHead | None:
        """Return a parsed head that differs only in values that change."""
        if not known.templates:
            return None
        parts = self._changing.split(head)
        found = known.templates.get((*parts[::3], *parts[1::3]))
        if found is None:
            return None
        values = {name: value.decode() for name, value in zip(found.names, parts[2::3])}
        changed = found.head.with_values(values)
        if deadline.HEADER in values:
            seconds = deadline.read(values[deadline.HEADER])
            changed.target = changed.target.with_timeout(seconds)
        return changed

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
            self._policy.apply(head, ends)
        if head.length is None or head.length > self._max_body_bytes:
            head.keep_alive = False  # where the next request begins is not known
        # A POST without a length is refused (411), and not by inference.
        bounded = head.length is None or "content-length" in head.fields
        inside = not head.prefix or is_below(head.full_path, head.prefix)
        if inside and head.prefix:
            head.path = head.full_path[len(head.prefix) :]
        fast = self._fast_path and inside
        at_metrics = known is self._metrics
        plain_get = fast and head.method == "GET" and head.length == 0
        if plain_get and self._inference.is_probe(head.path, head.fields, at_metrics):
            head.is_probe = True
        if fast and not at_metrics and head.method == "POST" and bounded:
            endpoint = self._inference.endpoint(head.path)
            if endpoint is not None:
                head.target = self._inference.target(endpoint, head.query, head.fields)
        # The policy sets more than the head for what the application answers.
        again = not head.special or (head.target is not None and head.can_return)
        if head.keep_alive and again:
            self._keep(content, head, known)
        return head

    def _keep(self, content: bytes, head: RequestHead, known: Known) -> None:
        templated = self._has_templates and head.target is not None
        parts = self._changing.split(content) if templated else [content]
        names = [name.decode().lower() for name in parts[1::3]]
        values = dict(zip(names, (value.decode() for value in parts[2::3])))
        if len(content) - sum(map(len, values.values())) > MOST_HEAD_BYTES:
            return
        cost = HEAD_COST + BYTE_COST * len(content) + FIELD_COST * len(head.raw)
        if self.size + cost > MOST_BYTES:
            for kept in (self._main, self._proxies, self._metrics):
                kept.clear()
                kept.templates.clear()
            self.size = 0
        self.size += cost
        # A header that is there twice has another value than either.
        if names and values.items() <= head.fields.items():
            known.templates[*parts[::3], *parts[1::3]] = _Template(head, names)
        else:
            known[content] = head
