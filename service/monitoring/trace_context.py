"""The trace that a request belongs to, as its client sends it: W3C Trace Context.

Source: https://www.w3.org/TR/trace-context-2/, sections 2 and 3.
"""

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from service.http import Headers

# Version, trace, parent, flags, and further fields that only versions after 00 may have.
# Two headers arrive joined with a comma, which does not match.
HEADER = re.compile(
    r"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})"
    r"(-[^,]*)?"
)
SAMPLED = 0x01
# What a vendor should propagate at least (3.3.1.5); longer ones are dropped whole.
MOST_STATE = 512


class Trace(NamedTuple):
    """The client's end of a trace.

    Attributes:
        trace_id: 32 hexadecimal digits.
        parent_id: the client's span, 16 hexadecimal digits.
        flags: of version 00; bit 0 is set if the client samples the trace.
        state: entries of tracing systems, as they were sent.
    """

    trace_id: str
    parent_id: str
    flags: int
    state: str


def read_trace(headers: "Headers") -> Trace | None:
    """Return the trace of a request; None if there is none or it is malformed."""
    header = headers.get("traceparent", "")
    found = HEADER.fullmatch(header) if header else None
    if found is None:
        return None
    version, trace_id, parent_id, flags, more = found.groups()
    if version == "00" and more:
        return None
    known = 0xFF if version == "00" else SAMPLED  # the only flag known of later versions
    state = headers.get("tracestate", "")
    if len(state) > MOST_STATE:
        state = ""
    return Trace(trace_id, parent_id, int(flags, 16) & known, state)


def context(request_id: str, trace: Trace | None) -> dict[str, str]:
    """Return the ids under which the log files a request."""
    if trace is None:
        return {"request_id": request_id}
    return {
        "request_id": request_id,
        "trace_id": trace.trace_id,
        "parent_id": trace.parent_id,
    }
