"""Numbers as text, and the sentences of the reports."""

import json
import math
from typing import Any

from load.record import Record, Tally

KEPT = {True: "✓", False: "✗"}
NOTHING = "–"


def ms(value: float | None, digits: int = 2) -> str:
    """Return milliseconds: ``1,234.50``; a dash if there is no such number."""
    return NOTHING if value is None or math.isnan(value) else f"{value:,.{digits}f}"


def rate(value: float | None) -> str:
    """Return a rate: ``2,000`` or ``0.5``; a dash if there is none, as in a closed loop."""
    if value is None or math.isnan(value):
        return NOTHING
    return f"{value:,.0f}" if value >= 100 else f"{value:,.3g}"


def failed(tally: Tally) -> str:
    """Return how many failed: ``0``, or ``12 (0.06 %)``."""
    share = (
        f" ({100 * tally.failed / tally.due:.2g} %)" if tally.failed and tally.due else ""
    )
    return f"{tally.failed:,}{share}"


def duration(seconds: float) -> str:
    """Return ``90 s`` or ``30 min``."""
    return f"{seconds:,.4g} s" if seconds < 600 else f"{seconds / 60:,.4g} min"


def plain(value: Any) -> str:
    """Return any value of a setting or a machine as text."""
    if value is None or isinstance(value, float) and math.isnan(value):
        return NOTHING
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def verdict(record: Record) -> str:
    """Return the verdict in a line."""
    if record.verdict.invalid:
        return "INVALID: these figures are not to be believed"
    limits = record.verdict.limits
    broken = sum(not kept for _, _, kept in limits)
    if not limits:
        return "No limit was set"
    if broken:
        return f"{broken} of {len(limits)} limits broken"
    return "Every limit kept" if len(limits) > 1 else "The limit was kept"


def asked(record: Record) -> str:
    """Return a one-line description of the load."""
    images = "1 image" if record.batch == 1 else f"{record.batch} images"
    loop = (
        f"open loop, {record.arrivals} arrivals, {record.connections:,} connections"
        if record.loop == "open"
        else f"closed loop, {record.connections:,} users"
    )
    return f"{record.payload}, {images} a request; {loop}; {duration(record.seconds)}"


def loop(record: Record, tally: Tally) -> str:
    """Return what the kind of loop means for the percentiles."""
    if record.loop == "closed":
        return (
            f"Closed loop: each of {record.connections:,} users sends its next request "
            "after its last reply, so a slow server gets fewer requests. Queueing is not "
            "in these latencies: independent clients would wait longer, which the open "
            "loop measures."
        )
    due, sent = tally.latency.percentile(99), tally.service.percentile(99)
    late = tally.late.percentile(99)
    own = (
        f" The generator itself was late, by {ms(late)} ms at the p99 of requests with a "
        "free connection: these latencies include it, and the server's are smaller."
    )
    return (
        "Open loop: requests were due on schedule, whether or not earlier ones had been "
        "answered, and latencies count from then, so they include queueing. Counted from "
        f"sending, as in a closed loop, the p99 would be {ms(sent)} ms instead of "
        f"{ms(due)} ms: {_hidden(due, sent, late)}." + (own if late > due / 10 else "")
    )


def _hidden(due: float, sent: float, late: float) -> str:
    if math.isnan(due) or due <= 0:
        return "nothing was answered"
    hidden = 100 * (1 - sent / due)
    # Less than the tenth within which two runs are taken for the same.
    if hidden < 10:
        return "the two hardly differ"
    if due - sent <= late:
        return "the difference is the late generator's, and no queueing"
    return f"{hidden:.0f} % of it hidden"


def growing(name: str, first: float, last: float) -> str:
    """Report a growing queue, by the medians of a phase's first and last third."""
    return (
        f"In {name} the median rose from {ms(first)} to {ms(last)} ms: requests queued up "
        "faster than they were answered, and a longer run would have larger percentiles."
    )
