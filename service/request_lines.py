"""A line of the log for each request, in JSON: what is told of it, and what is not.

Neither its body nor its query is ever told, and of its headers what the client calls itself
and its trace.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from service import json_lines
from service.trace_context import Trace, context, read_trace

if TYPE_CHECKING:
    from service.http1 import Request
    from service.replies import Reply

# Of what a client may choose freely, so that a line is shorter than what the kernel writes
# into a pipe in one piece (4,096 bytes), also where each character takes six.
MOST_TEXT = 256
# Where a WSGI environ says which route and which version have answered.
ANSWERED_BY = "mnist.answered_by"


def begin(created: float) -> bytes:
    """Return how the lines of requests begin that are answered at one time."""
    entry = json_lines.begin("info", "gunicorn.access", "request", created)
    return json_lines.write(entry)[:-2]


def head(method: str, path: str, agent: str) -> dict[str, Any]:
    """Return what a line tells of a request's head; the query may hold a secret."""
    return {"method": method, "path": _text(path), "user_agent": _text(agent)}


def _text(value: str) -> str:
    """Return, bounded, what arrived as bytes, as the UTF-8 that it should be."""
    value = value[:MOST_TEXT]
    if value.isascii():
        return value
    return value.encode("latin-1").decode(errors="backslashreplace")


def describe(request: "Request") -> dict[str, Any]:
    """Return what a request's head says, once for all requests that have it."""
    known = request.like or request
    if known.described is None:
        agent = known.fields.get("user-agent", "")
        known.described = head(known.method, known.path, agent)
        if known.inquiry is not None:
            known.described |= known.inquiry.answered_by()
    return known.described


class Result(NamedTuple):
    """What became of a request.

    Attributes:
        status: the HTTP status.
        received: bytes of the request's body.
        sent: bytes of the reply's body.
        milliseconds: how long it took, to the microsecond.
        request_id: the reply's X-Request-ID.
        trace: where the request comes from.
        more: what else is told, as it is told.
    """

    status: int
    received: int
    sent: int
    milliseconds: float
    request_id: str
    trace: Trace | None
    more: Mapping[str, Any]


def milliseconds(seconds: float) -> float:
    """Return a time as it is told."""
    return round(1000 * seconds, 3)


def result_of(request: "Request", used_id: str, reply: "Reply", took: float) -> Result:
    """Return what became of a request that was answered without an application."""
    inquiry = request.inquiry
    trace = inquiry.trace if inquiry else read_trace(request.fields)
    more: dict[str, Any] = {"images": reply.images} if reply.images else {}
    if reply.reason:
        more["reason"] = reply.reason
    received, sent = request.length or 0, len(reply.body)
    return Result(reply.status, received, sent, took, used_id, trace, more)


def result_of_wsgi(
    environ: Mapping[str, Any], status: int, sent: int, seconds: float, used_id: str
) -> Result:
    """Return what became of a request that a WSGI application has answered."""
    names = ("traceparent", "tracestate")
    return Result(
        status,
        int(environ.get("CONTENT_LENGTH") or 0),
        sent,
        milliseconds(seconds),
        used_id,
        read_trace({name: environ.get(f"HTTP_{name.upper()}", "") for name in names}),
        environ.get(ANSWERED_BY, {}),
    )


def tell(about: Mapping[str, Any]) -> bytes:
    """Return how a line goes on with what a head says."""
    return json_lines.write(about)[1:-2]


def told(request: "Request") -> bytes:
    """Return the same of a request, once for all that have its head."""
    known = request.like or request
    if not isinstance(known.told, bytes):
        known.told = tell(describe(known))
    return known.told


def write(start: bytes, about: bytes, client: Any, result: Result) -> bytes:
    """Return the line of a request.

    Args:
        start: how it begins.
        about: what its head says.
        client: the client's address, and more.
        result: what became of it.
    """
    status, received, sent, took, used_id, trace, more = result
    rest = {
        "client": client[0],
        "status": status,
        "bytes_in": received,
        "bytes_out": sent,
        "duration_ms": took,
        "request_id": used_id,
        **more,
    }
    if trace is not None:
        rest |= context(used_id, trace)
    return b"%b,%b,%b" % (start, about, json_lines.write(rest)[1:])
