"""Spans of OpenTelemetry: a request's, and of its stages, sent with OTLP over HTTP.

The SDK's own variables say where to and how many (OTEL_EXPORTER_OTLP_ENDPOINT,
OTEL_TRACES_SAMPLER, OTEL_BSP_MAX_QUEUE_SIZE and so on). Names are those of the semantic
conventions for HTTP servers. A span is made when its request has been answered, so that
nobody waits for it; a thread sends what has gathered, and what it cannot send is lost.
"""

import logging
import os
import re
import sys
import threading
from collections.abc import Mapping, Sequence
from time import monotonic, time_ns
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from gunicorn.util import split_request_uri
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

from service import request_lines
from service.errors import SettingsError
from service.request_lines import Result

if TYPE_CHECKING:
    from flask import Response

    from service.gateway import Done

PROTOCOL = "OTEL_EXPORTER_OTLP_PROTOCOL"
# The methods of RFC 9110 and PATCH; any other could make a name for itself in each span.
METHODS = {
    *("GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"),
}
STAGE = re.compile(r"(\w+);dur=([0-9.]+)")  # of the header Server-Timing, in milliseconds
# For what is left at the end: gunicorn gives a worker 15 s for all.
FLUSH_S = 2.0
# Between two lines of the log that say the same of spans that are lost.
SAY_AGAIN_S = 60.0
# How long the thread that sends may keep the loop waiting at a time. By default it is 5 ms,
# longer than most requests take.
SWITCH_S = 0.0005


class Tracing:
    """Makes spans and sends them; one a worker, made after the fork.

    Raises:
        SettingsError: one of the SDK's variables has a value that cannot work.
    """

    def __init__(self) -> None:
        if os.environ.get(PROTOCOL) not in (None, "", "http/protobuf"):
            found = os.environ[PROTOCOL]
            raise SettingsError(f"{PROTOCOL} has value {found!r}, expected http/protobuf")
        try:
            # Closed by hand: at the interpreter's own end there is nobody to wait for it.
            self._provider = TracerProvider(resource=_resource(), shutdown_on_exit=False)
            self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        except ValueError as error:
            raise SettingsError(f"a variable of OpenTelemetry: {error}") from None
        self._tracer = self._provider.get_tracer("service")
        sys.setswitchinterval(SWITCH_S)
        logger = logging.getLogger("opentelemetry")
        logger.handlers, logger.propagate = [_Seldom()], False

    def record(self, done: Sequence["Done"], seconds: float) -> None:
        """Make the spans of requests that were answered together, the short way.

        Args:
            done: the requests.
            seconds: how long that took, until now.
        """
        took = request_lines.milliseconds(seconds)
        for connection, request, used_id, reply in done:
            about = request_lines.describe(request)
            result = request_lines.result_of(request, used_id, reply, took)
            ends = request.fields.get("host", ""), connection.peer[0]
            self._record_one(about, result, ends, reply.headers.get("Server-Timing", ""))

    def record_wsgi(
        self, environ: Mapping[str, Any], response: "Response", seconds: float
    ) -> None:
        """Make the spans of a request that a WSGI application has answered.

        Args:
            environ: of WSGI, as gunicorn makes it.
            response: the reply, complete.
            seconds: how long it took, until now.
        """
        path = split_request_uri(environ["RAW_URI"]).path
        agent = environ.get("HTTP_USER_AGENT", "")
        sent, used_id = response.content_length or 0, response.headers["X-Request-ID"]
        status = response.status_code
        result = request_lines.result_of_wsgi(environ, status, sent, seconds, used_id)
        about = request_lines.head(environ["REQUEST_METHOD"], path, agent)
        ends = environ.get("HTTP_HOST", ""), environ.get("REMOTE_ADDR", "")
        self._record_one(about, result, ends, response.headers.get("Server-Timing", ""))

    def _record_one(
        self, about: Mapping[str, Any], result: Result, ends: tuple[str, str], timing: str
    ) -> None:
        """Make the spans of a request that ends now.

        Args:
            about: what its head says, as in the log.
            result: what became of it.
            ends: the header Host, and the client's address.
            timing: the reply's Server-Timing. Its stages are laid one after the other from
                the beginning on, as they nearly are.
        """
        end = time_ns()
        start = end - int(result.milliseconds * 1e6)
        attributes = _attributes(about, result, ends)
        method = attributes["http.request.method"]
        name = "HTTP" if method == "_OTHER" else method
        if "http.route" in attributes:
            name = f"{name} {attributes['http.route']}"
        context = _parent(result)
        span = self._tracer.start_span(
            name, context, SpanKind.SERVER, attributes, (), start
        )
        if span.is_recording():
            if result.status >= 500:
                span.set_status(StatusCode.ERROR)
            self._record_stages(span, start, timing)
        span.end(end)

    def _record_stages(self, span: Span, start: int, timing: str) -> None:
        inside = set_span_in_context(span, Context())
        for stage, milliseconds in STAGE.findall(timing):
            end = start + int(float(milliseconds) * 1e6)
            self._tracer.start_span(stage, inside, start_time=start).end(end)
            start = end

    def close(self) -> None:
        """Send what is left, in a bounded time: the collector may not be there."""
        thread = threading.Thread(target=self._provider.shutdown, daemon=True)
        thread.start()
        thread.join(FLUSH_S)


def _resource() -> Resource:
    """Return who speaks: what the variables say, and for what they do not, this service."""
    known = Resource.create({"process.pid": os.getpid()})
    unknown = str(known.attributes["service.name"]).startswith("unknown_service")
    return known.merge(Resource({"service.name": "mnist"})) if unknown else known


def _parent(result: Result) -> Context:
    """Return where a span hangs: below the client's, or nowhere."""
    trace = result.trace
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


def _attributes(
    about: Mapping[str, Any], result: Result, ends: tuple[str, str]
) -> dict[str, Any]:
    """Return a span's attributes: of what is in a picture or its answer there is none."""
    known = {**about, **result.more}
    method, (host, client) = known["method"], ends
    attributes: dict[str, Any] = {
        "http.request.method": method if method in METHODS else "_OTHER",
        "url.scheme": "http",
        "url.path": known["path"],
        "http.response.status_code": result.status,
        "http.request.body.size": result.received,
        "http.response.body.size": result.sent,
        "client.address": client,
        "mnist.request_id": result.request_id,
        **_server(host),
    }
    others = {
        "http.route": known.get("route"),
        "user_agent.original": known.get("user_agent"),
        "mnist.model.version": known.get("model_version"),
        "mnist.images": known.get("images"),
        "mnist.refused": known.get("reason"),
        "error.type": str(result.status) if result.status >= 500 else None,
    }
    if others["http.route"] == "unmatched":
        others["http.route"] = None
    return attributes | {name: value for name, value in others.items() if value}


def _server(host: str) -> dict[str, Any]:
    """Return where the client believes to be."""
    try:
        found = urlsplit(f"//{host[: request_lines.MOST_TEXT]}")
        address = {"server.address": found.hostname} if found.hostname else {}
        return address | ({"server.port": found.port} if found.port else {})
    except ValueError:  # no port, or no address in brackets
        return {}


class _Seldom(logging.Handler):
    """Passes on what the SDK says, the same thing once in a while."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._next: dict[tuple[str, int], float] = {}  # by the place in the code

    def emit(self, record: logging.LogRecord) -> None:
        """Give a record to the service's own log, if its like is long ago."""
        place, now = (record.pathname, record.lineno), monotonic()
        if now >= self._next.get(place, 0.0):
            self._next[place] = now + SAY_AGAIN_S
            logging.getLogger("service").handle(record)
