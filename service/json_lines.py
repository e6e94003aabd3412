"""The log in JSON: one object a line, in ASCII, so that no client can forge a line.

What a client sends may hold a line's end that no eye sees (U+0085, U+2028) or a terminal's
commands; in JSON all of it is escaped. Neither bodies nor queries are ever in it, nor keys.
"""

import json
import logging
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from service.trace_context import Trace, context, read_trace

if TYPE_CHECKING:
    from service.http1 import Request
    from service.replies import Reply

# Of what a client may choose freely, so that a line is shorter than what the kernel writes
# into a pipe in one piece (4,096 bytes), also where each character takes six.
MOST_TEXT = 256
# What the service's messages may know besides.
CONTEXT = ("request_id", "trace_id", "parent_id")
# Where a WSGI environ says which route and which version have answered.
ANSWERED_BY = "mnist.answered_by"


def is_wanted() -> bool:
    """Tell whether the setting asks for JSON; the settings refuse what it may not be."""
    return os.environ.get("MNIST_LOG_FORMAT") == "json"


def write(entry: Mapping[str, Any]) -> bytes:
    """Return a line, with its end."""
    try:
        line = orjson.dumps(entry, option=orjson.OPT_APPEND_NEWLINE)
        if line.isascii():
            return line
    except orjson.JSONEncodeError:  # half a surrogate pair, as in names of files
        entry = {
            name: value.encode(errors="backslashreplace").decode()
            if isinstance(value, str)
            else value
            for name, value in entry.items()
        }
    return json.dumps(entry, separators=(",", ":")).encode() + b"\n"


def begin(level: str, logger: str, message: str, created: float) -> dict[str, Any]:
    """Return what every line begins with; created is in seconds of Unix time."""
    time = datetime.fromtimestamp(created, UTC).replace(tzinfo=None)
    return {
        "time": f"{time.isoformat(timespec='milliseconds')}Z",
        "level": level,
        "logger": logger,
        "message": message,
        "pid": os.getpid(),
    }


def say(message: str) -> str:
    """Return a message from before there is a log, or from where none is at hand."""
    if not is_wanted():
        return message
    now = datetime.now().timestamp()
    return write(begin("error", "service", message, now)).decode().rstrip()


class Formatter(logging.Formatter):
    """Writes records in JSON, a traceback in a field of its own."""

    def format(self, record: logging.LogRecord) -> str:
        """Return a line without its end."""
        level = record.levelname.lower()
        entry = begin(level, record.name, record.getMessage(), record.created)
        entry["pid"] = record.process
        for name in CONTEXT:
            if value := getattr(record, name, ""):
                entry[name] = value
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return write(entry).decode().rstrip()


# A line a request.


def requests(created: float) -> dict[str, Any]:
    """Return what the lines of requests begin with that are answered at one time."""
    return begin("info", "gunicorn.access", "request", created)


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
        seconds: how long it took.
        request_id: the reply's X-Request-ID.
        trace: where the request comes from.
        more: what else is told, as it is told.
    """

    status: int
    received: int
    sent: int
    seconds: float
    request_id: str
    trace: Trace | None
    more: Mapping[str, Any]


def result_of(request: "Request", used_id: str, reply: "Reply", seconds: float) -> Result:
    """Return what became of a request that was answered without an application."""
    inquiry = request.inquiry
    trace = inquiry.trace if inquiry else read_trace(request.fields)
    more: dict[str, Any] = {"images": reply.images} if reply.images else {}
    if reply.reason:
        more["reason"] = reply.reason
    received, sent = request.length or 0, len(reply.body)
    return Result(reply.status, received, sent, seconds, used_id, trace, more)


def request(
    start: Mapping[str, Any], about: Mapping[str, Any], client: Any, result: Result
) -> bytes:
    """Return the line of a request.

    Args:
        start: what it begins with.
        about: what its head says.
        client: the client's address, as the socket has it.
        result: what became of it.
    """
    status, received, sent, seconds, used_id, trace, more = result
    return write(
        {
            **start,
            **about,
            **more,
            "client": client[0] if isinstance(client, tuple) else "",
            "status": status,
            "bytes_in": received,
            "bytes_out": sent,
            "duration_ms": round(1000 * seconds, 3),
            **context(used_id, trace),
        }
    )
