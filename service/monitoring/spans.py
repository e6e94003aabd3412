"""OpenTelemetry spans of requests and of their stages, sent with OTLP over HTTP.

The SDK's own variables say where to and how many (OTEL_EXPORTER_OTLP_ENDPOINT,
OTEL_TRACES_SAMPLER, OTEL_BSP_MAX_QUEUE_SIZE and so on). Names follow the semantic
conventions for HTTP servers. Spans are made after the reply, so that no client waits for
them; a thread sends them in batches, and what it cannot send is lost.
"""

import logging
import os
import sys
import threading
from collections.abc import Mapping, Sequence
from time import monotonic, time_ns
from typing import Any
from urllib.parse import urlsplit

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import (
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    StatusCode,
    TraceFlags,
    TraceState,
    set_span_in_context,
)

from service.errors import SettingsError
from service.monitoring.outcome import MOST_TEXT, UNMATCHED, HeadFacts, Outcome, Stages
from service.monitoring.trace_context import Trace

PROTOCOL = "OTEL_EXPORTER_OTLP_PROTOCOL"
# The methods of RFC 9110 and PATCH; any other could name spans as it likes.
METHODS = {
    *("GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"),
}
# The SDK's module that reads OTEL_EXPORTER_OTLP_HEADERS. Its messages have the malformed
# header in them, which is often the collector's key.
READS_HEADERS = "opentelemetry.util.re"
MALFORMED_HEADER = (
    "OTEL_EXPORTER_OTLP_HEADERS has a malformed header, expected name=value between "
    "commas, URL-encoded"
)
# For the spans that are left at exit: gunicorn gives a worker 15 s in all.
FLUSH_S = 2.0
# Between two log lines with the same complaint about lost spans.
REPEAT_S = 60.0
# How long the sending thread may keep the loop waiting at a time. The default is 5 ms,
# longer than most requests take.
SWITCH_S = 0.0005


class Spans:
    """Makes spans and sends them; one per worker, made after the fork.

    Raises:
        SettingsError: one of the SDK's variables has a value that cannot work.
    """

    def __init__(self) -> None:
        if os.environ.get(PROTOCOL) not in (None, "", "http/protobuf"):
            found = os.environ[PROTOCOL]
            raise SettingsError(f"{PROTOCOL} has value {found!r}, expected http/protobuf")
        logger = logging.getLogger("opentelemetry")
        logger.handlers, logger.propagate = [_RateLimited()], False
        try:
            # Shut down by `close`: at interpreter exit it would wait without a bound.
            self._provider = TracerProvider(resource=_resource(), shutdown_on_exit=False)
            self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        except ValueError as error:
            raise SettingsError(f"a variable of OpenTelemetry: {error}") from None
        self._tracer = self._provider.get_tracer("service")
        sys.setswitchinterval(SWITCH_S)

    def record(self, outcomes: Sequence[Outcome]) -> None:
        """Make the spans of requests that have just been answered."""
        for outcome in outcomes:
            if outcome.head is not None:
                self._record(outcome, outcome.head)

    def _record(self, outcome: Outcome, head: HeadFacts) -> None:
        end = time_ns()
        start = end - int(round(1000 * outcome.seconds, 3) * 1e6)
        attributes = _attributes(outcome, head)
        method = attributes["http.request.method"]
        name = "HTTP" if method == "_OTHER" else method
        if "http.route" in attributes:
            name = f"{name} {attributes['http.route']}"
        context = _parent(outcome.trace)
        span = self._tracer.start_span(
            name, context, SpanKind.SERVER, attributes, (), start
        )
        if span.is_recording():
            if outcome.reply.status >= 500:
                span.set_status(StatusCode.ERROR)
            if outcome.stages is not None:
                self._record_stages(span, start, outcome.stages)
        span.end(end)

    def _record_stages(self, span: Span, start: int, stages: Stages) -> None:
        """Lay the stages one after the other from the start, which is nearly true."""
        inside = set_span_in_context(span, Context())
        for stage, seconds in zip(Stages._fields, stages):
            end = start + int(seconds * 1e9)
            self._tracer.start_span(stage, inside, start_time=start).end(end)
            start = end

    def close(self) -> None:
        """Send what is left, within a bounded time: the collector may be gone."""
        thread = threading.Thread(target=self._provider.shutdown, daemon=True)
        thread.start()
        thread.join(FLUSH_S)


def _resource() -> Resource:
    """Return the SDK's resource, with this service's name unless a variable sets one."""
    known = Resource.create({"process.pid": os.getpid()})
    unknown = str(known.attributes["service.name"]).startswith("unknown_service")
    return known.merge(Resource({"service.name": "mnist"})) if unknown else known


def _parent(trace: Trace | None) -> Context:
    """Return the context of the client's span, or an empty one."""
    if trace is None:
        return Context()
    client = SpanContext(
        int(trace.trace_id, 16),
        int(trace.parent_id, 16),
        is_remote=True,
        trace_flags=TraceFlags(trace.flags),
        trace_state=TraceState.from_header([trace.state]) if trace.state else None,
    )
    return set_span_in_context(NonRecordingSpan(client), Context())


def _attributes(outcome: Outcome, head: HeadFacts) -> dict[str, Any]:
    """Return a span's attributes; none comes from a picture or its prediction."""
    reply, version = outcome.reply, outcome.model_version
    attributes: dict[str, Any] = {
        "http.request.method": head.method if head.method in METHODS else "_OTHER",
        "url.scheme": "http",
        "url.path": head.path,
        "http.response.status_code": reply.status,
        "http.request.body.size": outcome.received,
        "http.response.body.size": outcome.bytes_out,
        "client.address": outcome.client,
        "mnist.request_id": outcome.request_id,
        **_server(head.headers.get("host", "")),
    }
    optional = {
        "http.route": None if outcome.route == UNMATCHED else outcome.route,
        "user_agent.original": head.user_agent,
        "mnist.model.version": None if version is None else str(version),
        "mnist.images": reply.images,
        "mnist.refused": reply.reason,
        "error.type": str(reply.status) if reply.status >= 500 else None,
    }
    return attributes | {name: value for name, value in optional.items() if value}


def _server(host: str) -> dict[str, Any]:
    """Return the address and port that the client named."""
    try:
        found = urlsplit(f"//{host[:MOST_TEXT]}")
        address: Mapping[str, Any] = (
            {"server.address": found.hostname} if found.hostname else {}
        )
        return {**address, **({"server.port": found.port} if found.port else {})}
    except ValueError:  # not a port, or no address in the brackets
        return {}


class _RateLimited(logging.Handler):
    """Passes on the SDK's log records, each kind once in a while."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._next: dict[tuple[str, int], float] = {}  # by place in the code

    def emit(self, record: logging.LogRecord) -> None:
        """Pass a record to the service's log unless its like was logged recently."""
        if record.name == READS_HEADERS:
            record.msg, record.args = MALFORMED_HEADER, ()
        place, now = (record.pathname, record.lineno), monotonic()
        if now >= self._next.get(place, 0.0):
            self._next[place] = now + REPEAT_S
            logging.getLogger("service").handle(record)
