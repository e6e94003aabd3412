"""The access log: one line per outcome, as JSON or in gunicorn's default text format.

Neither the body nor the query of a request is ever logged, and of its headers only the user
agent and the trace (in text also what gunicorn's format has: user name and referrer).
"""

import re
from collections.abc import Callable, Mapping, Sequence
from time import time
from typing import Any

from service.monitoring import json_lines
from service.monitoring.outcome import HeadFacts, Outcome
from service.monitoring.trace_context import context

# Control characters that a terminal obeys, of both sets; a traceback has feeds and tabs.
CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
# Returns the user name in a header Authorization, or None.
GetUser = Callable[[str], str | None]


def format_json(outcomes: Sequence[Outcome]) -> list[bytes]:
    """Return a line for each outcome that has just become known."""
    entry = json_lines.begin("info", "gunicorn.access", "request", time())
    start = json_lines.write(entry)[:-2]
    return [b"%b,%b,%b" % (start, _head(it), _result(it)) for it in outcomes]


def _head(outcome: Outcome) -> bytes:
    """Return the fields that all requests with the same head share."""
    facts = outcome.head
    if facts is None:
        return _inside({"route": outcome.route})
    if facts.json is not None and outcome.error is None:
        return facts.json
    fields = {
        "method": facts.method,
        "path": facts.path,
        "user_agent": facts.user_agent,
        "route": outcome.route,
    }
    if outcome.model_version is not None:
        fields["model_version"] = str(outcome.model_version)
    found = _inside(fields)
    if outcome.error is None:  # a bug may have hidden the route
        facts.json = found
    return found


def _inside(fields: Mapping[str, Any]) -> bytes:
    return json_lines.write(fields)[1:-2]


def _result(outcome: Outcome) -> bytes:
    reply = outcome.reply
    rest = {
        "client": outcome.client,
        "status": reply.status,
        "bytes_in": outcome.received,
        "bytes_out": outcome.bytes_out,
        "duration_ms": round(1000 * outcome.seconds, 3),
        "request_id": outcome.request_id,
    }
    if reply.images:
        rest["images"] = reply.images
    if reply.reason:
        rest["reason"] = reply.reason
    if outcome.trace is not None:
        rest |= context(outcome.request_id, outcome.trace)
    return json_lines.write(rest)[1:]


def format_text(outcomes: Sequence[Outcome], now: str, user: GetUser) -> list[bytes]:
    """Return a line in gunicorn's default format for each outcome with a readable head.

    gunicorn itself makes a WSGI environ and a dictionary of some seventy entries for each
    line, which takes 40 µs; these lines are the same to the byte.

    Args:
        outcomes: the outcomes.
        now: the time as gunicorn writes it.
        user: returns the user name in a header Authorization.
    """
    lines = []
    for outcome in outcomes:
        facts, reply = outcome.head, outcome.reply
        if facts is None:
            continue
        if facts.text is None:
            facts.text = _text_head(facts, user)
        name, request, others = facts.text
        result = f'"{request}" {reply.status} {outcome.bytes_out} {others}'
        text = f"{outcome.client} - {name} {now} {result}\n"
        lines.append(text.encode(errors="backslashreplace"))
    return lines


def escape(text: str) -> str:
    """Write control characters as Python does, in text for a log."""
    return CONTROLS.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


def _text_head(facts: HeadFacts, user: GetUser) -> tuple[str, str, str]:
    """Return user name, request line, and referrer with user agent."""
    version = ".".join(map(str, facts.version))
    parts = (
        user(facts.headers.get("authorization", "")) or "-",
        f"{facts.method} {facts.target} HTTP/{version}",
        *(facts.headers.get(name, "-") for name in ("referer", "user-agent")),
    )
    name, request, *others = (escape(part.replace('"', r"\"")) for part in parts)
    return name, request, '"{}" "{}"'.format(*others)
