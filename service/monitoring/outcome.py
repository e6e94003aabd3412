"""One record per request: all that metrics, access log and spans need to know."""

from dataclasses import dataclass
from typing import NamedTuple

from service.http import Headers, Reply
from service.monitoring.trace_context import Trace

# Bounds what a client may choose freely, so that a log line is shorter than what the kernel
# writes into a pipe in one piece (4,096 bytes), even if each character is escaped as six.
MOST_TEXT = 256
UNMATCHED = "unmatched"  # the route of requests whose path leads nowhere
# Key under which an application leaves its outcome in the WSGI environ, for the access log.
OUTCOME = "mnist.outcome"


class Stages(NamedTuple):
    """Seconds that each stage of inference took, for all requests answered together."""

    decode: float
    infer: float
    encode: float


class HeadFacts:
    """What log and spans report of a request's head, kept for all requests with that head.

    Attributes:
        method: HTTP method.
        path: path of the target, bounded; never the query, which may hold a secret.
        user_agent: header User-Agent, bounded.
        headers: all headers, by lower-case name.
        target: request target as it was sent.
        version: HTTP version, such as ``(1, 1)``.
        json: the head as a part of a JSON line, once it has been rendered.
        text: the head as parts of a text line, once it has been rendered.
    """

    __slots__ = (
        "headers",
        "json",
        "method",
        "path",
        "target",
        "text",
        "user_agent",
        "version",
    )

    def __init__(
        self,
        method: str,
        path: str,
        headers: Headers,
        target: str = "",
        version: tuple[int, int] = (1, 1),
    ) -> None:
        self.method = method
        self.path = _bounded(path)
        self.user_agent = _bounded(headers.get("user-agent", ""))
        self.headers, self.target, self.version = headers, target, version
        self.json: bytes | None = None
        self.text: tuple[str, str, str] | None = None


@dataclass(slots=True, eq=False)
class Outcome:
    """What became of one request.

    Inference fills in the first fields; the door that took the request adds the last ones,
    but only if a log or spans are wanted, or if the request hit a bug.

    Attributes:
        method: HTTP method, for metrics.
        route: Flask rule that the path matches, or ``unmatched``.
        model_version: version that answered, None without one.
        request_id: the reply's X-Request-ID.
        reply: status, body, reason and number of images.
        received: bytes of the request body as sent.
        seconds: from dispatch to reply.
        stages: time of each stage of inference, None if nothing was predicted.
        error: the bug behind a reply of 500.
        client: address of the client.
        head: what log and spans report of the request's head; None if it cannot be read.
        trace: the client's trace.
        sent: bytes of the reply's body, if the reply does not hold it.
    """

    method: str
    route: str
    model_version: int | None
    request_id: str
    reply: Reply
    received: int = 0
    seconds: float = 0.0
    stages: Stages | None = None
    error: Exception | None = None
    client: str = ""
    head: HeadFacts | None = None
    trace: Trace | None = None
    sent: int | None = None

    @property
    def bytes_out(self) -> int:
        """Bytes of the reply's body."""
        return len(self.reply.body) if self.sent is None else self.sent


def _bounded(value: str) -> str:
    """Cut text that arrived as bytes, and decode it as the UTF-8 that it should be."""
    value = value[:MOST_TEXT]
    if value.isascii():
        return value
    return value.encode("latin-1").decode(errors="backslashreplace")
