"""Replies as every layer gives them: the shape of errors, and the request's id."""

import logging
import random
import re
from collections.abc import Mapping
from typing import NamedTuple

import orjson
from werkzeug.http import HTTP_STATUS_CODES

from service.errors import RequestError
from service.trace_context import Trace, context

logger = logging.getLogger(__name__)

# When a client should come again: a rush is looked at once a second.
RETRY_S = "1"
# On every reply, after its own headers: no browser may take it for what it does not say.
ALWAYS: Mapping[str, str] = {"X-Content-Type-Options": "nosniff"}
# In capitals, as werkzeug has them.
PHRASES = {code: phrase.upper() for code, phrase in HTTP_STATUS_CODES.items()}
SANE_ID = re.compile(r"[A-Za-z0-9._:=+/-]{1,128}")


class Reply(NamedTuple):
    """An HTTP reply, before any server has added to it.

    Attributes:
        status: the HTTP status.
        body: the whole body.
        headers: beside the length; the content type is among them.
        reason: in a word, why the request is refused; empty if it is not.
        images: how many were predicted.
    """

    status: int
    body: bytes
    headers: Mapping[str, str]
    reason: str = ""
    images: int = 0


def json(
    value: object, status: int = 200, headers: Mapping[str, str] | None = None
) -> Reply:
    """Return a reply in JSON."""
    fields = {"Content-Type": "application/json", **(headers or {})}
    return Reply(status, orjson.dumps(value), fields)


def refusal(error: RequestError) -> Reply:
    """Return the reply to a request that cannot be answered."""
    reply = json({"error": error.message}, error.status, error.headers)
    return reply._replace(reason=error.reason)


def overloaded(found: str) -> RequestError:
    """Return the error for a request that there is no time or room for."""
    text = f"{found}, expected again in {RETRY_S} s"
    return RequestError(503, text, {"Retry-After": RETRY_S})


def readiness(ready: bool, **others: bool) -> Reply:
    """Return the reply to a probe: 503 where no more requests should come."""
    value = {"ready": ready, **others}
    return json(value) if ready else json(value, 503, {"Retry-After": RETRY_S})


def bug(error: Exception, request_id: str, trace: Trace | None = None) -> Reply:
    """Log what nobody expected; the client gets a fixed text and where to look."""
    of = f" of trace {trace.trace_id} from span {trace.parent_id}" if trace else ""
    known = context(request_id, trace)
    logger.error("request %s%s failed", request_id, of, exc_info=error, extra=known)
    message = "internal error; the log has it under this reply's X-Request-ID"
    return json({"error": message}, 500)


def sane_id(found: str) -> str:
    """Return the client's id if it is sane, else nothing."""
    return found if SANE_ID.fullmatch(found) else ""


def request_id(found: str) -> str:
    """Return the client's id if it is sane, else a new one of 32 hexadecimal digits."""
    # Not uuid4: that asks the kernel each time, and an id need not be unpredictable.
    return sane_id(found) or f"{random.getrandbits(128):032x}"
