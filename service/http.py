"""HTTP values that every room shares: replies, header names, media types, request ids."""

import random
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

import orjson

from service.errors import RequestError

JSON, RAW = "application/json", "application/octet-stream"
FORM_DATA = "multipart/form-data"
PNG, JPEG = "image/png", "image/jpeg"

# Seconds after which a refused client should try again; overload is reviewed once a second.
RETRY_S = "1"
# Added to every reply: browsers must not guess another media type.
ALWAYS = (("X-Content-Type-Options", "nosniff"),)
# Of the statuses that a `Reply` may have, in upper case, as werkzeug writes them.
PHRASES = {
    200: "OK",
    400: "BAD REQUEST",
    401: "UNAUTHORIZED",
    403: "FORBIDDEN",
    404: "NOT FOUND",
    405: "METHOD NOT ALLOWED",
    408: "REQUEST TIMEOUT",
    411: "LENGTH REQUIRED",
    413: "REQUEST ENTITY TOO LARGE",
    414: "REQUEST URI TOO LONG",
    415: "UNSUPPORTED MEDIA TYPE",
    417: "EXPECTATION FAILED",
    422: "UNPROCESSABLE ENTITY",
    431: "REQUEST HEADER FIELDS TOO LARGE",
    499: "CLIENT CLOSED REQUEST",
    500: "INTERNAL SERVER ERROR",
    503: "SERVICE UNAVAILABLE",
    504: "GATEWAY TIMEOUT",
    507: "INSUFFICIENT STORAGE",
}
SANE_ID = re.compile(r"[A-Za-z0-9._:=+/-]{1,128}")


class Headers(Protocol):
    """Request headers, looked up by lower-case name."""

    def get(self, key: str, default: str, /) -> str:
        """Return a header's value, or the default."""


class Reply(NamedTuple):
    """An HTTP reply, before any server adds its own headers.

    Attributes:
        status: HTTP status.
        body: complete body.
        content_type: media type of the body.
        headers: further headers. A tuple, so that replies with equal heads can be found
            by hash and have their head rendered once.
        reason: one word for the metrics if the request was refused, else empty.
        images: number of images predicted.
    """

    status: int
    body: bytes
    content_type: str = JSON
    headers: tuple[tuple[str, str], ...] = ()
    reason: str = ""
    images: int = 0


def json(
    value: object, status: int = 200, headers: Mapping[str, str] | None = None
) -> Reply:
    """Return a JSON reply."""
    return Reply(status, orjson.dumps(value), JSON, tuple((headers or {}).items()))


def refusal(error: RequestError) -> Reply:
    """Return the reply to a request that cannot be answered."""
    reply = json({"error": error.message}, error.status, error.headers)
    return reply._replace(reason=error.reason)


# The client learns nothing about a bug but where it is logged.
INTERNAL_ERROR = json(
    {"error": "internal error; the log has it under this reply's X-Request-ID"}, 500
)


def overloaded(found: str) -> RequestError:
    """Return the error for a request that there is no time or memory for."""
    text = f"{found}, expected again in {RETRY_S} s"
    return RequestError(503, text, {"Retry-After": RETRY_S})


def readiness(ready: bool, **others: bool) -> Reply:
    """Return the reply to a readiness probe: 503 if no more requests should come."""
    value = {"ready": ready, **others}
    return json(value) if ready else json(value, 503, {"Retry-After": RETRY_S})


def sane_id(found: str) -> str:
    """Return the client's request id if it is safe to echo, else an empty string."""
    return found if SANE_ID.fullmatch(found) else ""


def request_id(found: str = "") -> str:
    """Return the client's request id if it is sane, else 32 random hexadecimal digits."""
    return request_ids([sane_id(found)])[0]


def request_ids(found: Sequence[str]) -> list[str]:
    """Return the ids, with new ones in place of the empty ones."""
    # Not uuid4, which makes a system call each time; an id need not be unpredictable.
    new = random.randbytes(16 * len(found)).hex()
    return [known or new[32 * at : 32 * at + 32] for at, known in enumerate(found)]
