"""The trace that a request belongs to, as its client says: W3C Trace Context.

Source: https://www.w3.org/TR/trace-context-2/, sections 2 and 3.
"""

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from service.protocols import Headers

# Version, trace, parent, flags, and what only a later version than 00 may have. Two headers
# arrive joined with a comma, and are none.
HEADER = re.compile(
    r"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})"
    r"(-[^,]*)?"
)
SAMPLED = 0x01
# What a vendor should pass along at least (3.3.1.5); longer ones are left out whole.
MOST_STATE = 512


class Trace(NamedTuple):
    """Where a request comes from.

    Attributes:
        trace_id: of the whole trace, 32 hexadecimal digits.
        parent_id: of the client's span, 16 hexadecimal digits.
        flags: of version 00: bit 0 says that the client keeps the trace.
        state: what tracing systems have added, as it was sent.
    """

    trace_id: str
    parent_id: str
    flags: int
    state: str


def read_trace(headers: "Headers") -> Trace | None:
    """Return the trace of a request; None without one, or where it is malformed.

    Args:
        headers: by names in lower case, or in any case if the mapping does not care.
    """
    header = headers.get("traceparent", "")
    found = HEADER.fullmatch(header) if header else None
    if found is None:
        return None
    version, trace_id, parent_id, flags, more = found.groups()
    if version == "00" and more:
        return None
    known = 0xFF if version == "00" else SAMPLED  # all that is known of a later version
    state = headers.get("tracestate", "")
    if len(state) > MOST_STATE:
        state = ""
    return Trace(trace_id, parent_id, int(flags, 16) & known, state)


def context(request_id: str, trace: Trace | None) -> dict[str, str]:
    """Return what the log tells of a request besides."""
    if trace is None:
        return {"request_id": request_id}
    return {
        "request_id": request_id,
        "trace_id": trace.trace_id,
        "parent_id": trace.parent_id,
    }
