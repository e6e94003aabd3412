"""The web: every route as a Flask route, correct under any WSGI server.

    __init__   inference routes, health, metrics, and what all requests and errors share
    metadata   GET routes of TensorFlow Serving, KServe and Triton
    pages      the pages and their data
    feedback   what sampled images really are
    assets     what the pages load, to be kept for good
    openapi    openapi.json, completed with this service's names and limits
    responses  replies as Flask's responses, and what clients may keep

An inference route is a batch of one: `Inference.target`, then `Inference.answer`.
"""

from dataclasses import replace
from functools import partial
from time import perf_counter
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound
from werkzeug.routing import BaseConverter, MapAdapter
from werkzeug.wrappers import Request

from service.errors import REASONS, RequestError
from service.http import ALWAYS, INTERNAL_ERROR, Reply, json, refusal, request_id
from service.inference import Call, Endpoint, Inference
from service.inference.access import METRICS, authority, is_below, no_route
from service.inference.target import ROUTES, V1
from service.monitoring import log_bug
from service.monitoring.outcome import OUTCOME, UNMATCHED, HeadFacts, Outcome
from service.monitoring.trace_context import read_trace
from service.web import feedback, metadata, pages
from service.web.responses import response

# Of targets that are no path: `OPTIONS *` asks for the server as a whole.
METHODS = {"Allow": "GET, HEAD, OPTIONS, POST"}


class _Segment(BaseConverter):
    """A segment of a path, such as a model's name, which has no colon."""

    part_isolating = True
    regex = "[^/:]+"  # or `:predict`, which is POST, would be the end of a name, with GET


class _Application(Flask):
    """Flask, with routes matched by path and method alone."""

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """Return what matches the request.

        Flask's own looks at the Host, which `Access` checks, and refuses a WebSocket's
        handshake, while an Upgrade may be ignored (RFC 9110, 7.8), as the fast path does.
        """
        if request is None:
            return super().create_url_adapter(request)
        return self.url_map.bind(
            "localhost",
            script_name=request.root_path,
            default_method=request.method,
            path_info=request.path,
            query_args=request.query_string.decode("latin-1"),
        )

    def url_for(self, /, endpoint: str, **values: Any) -> str:
        """Return a URL relative to the pages, all of which are at the top.

        Unlike an absolute path, it is right below whatever path a proxy has them.
        """
        path = super().url_for(endpoint, **values)
        return path.removeprefix(f"{request.root_path}/") or "."


def create(inference: Inference, release: str) -> Flask:
    """Return the Flask application.

    Args:
        inference: answers the inference routes.
        release: version of the software, as clients show it.
    """
    app = _Application(__name__, static_folder=None)  # the pages have their own
    app.extensions["inference"] = inference
    app.url_map.converters["default"] = _Segment
    app.url_map.merge_slashes = False  # a path with // inside is no route, and no redirect
    _add_probes(app, inference)
    _add_inference(app, inference)
    metadata.register(app, inference, release)
    pages.register(app, inference, release)
    feedback.register(app, inference)
    _add_hooks(app, inference)
    app.register_error_handler(RequestError, _request_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _bug)
    return app


def _add_inference(app: Flask, inference: Inference) -> None:
    limit = inference.settings.max_body_bytes

    def answer(route: str, **names: Any) -> Response:
        endpoint = Endpoint(route, **names)
        query = request.query_string.decode("latin-1")
        target = inference.target(endpoint, query, request.headers)
        # Refused whatever the body is: it need not be read.
        body = b"" if target.refusal else _body(limit)
        (g.outcome,) = inference.answer([Call(target, body, g.request_id, g.start)])
        return response(g.outcome.reply)

    for route in ROUTES:
        view = partial(answer, route)
        app.add_url_rule(route, endpoint=route, view_func=view, methods=["POST"])
    if inference.settings.predict_route:
        app.add_url_rule(inference.settings.predict_route, endpoint=V1, methods=["POST"])


def _add_probes(app: Flask, inference: Inference) -> None:
    def view() -> Response:
        return response(inference.probes.reply(request.path))

    for path in sorted(inference.access.probes):
        app.add_url_rule(path, endpoint=path[1:], view_func=view)


def _add_hooks(app: Flask, inference: Inference) -> None:
    access, monitoring = inference.access, inference.monitoring
    # Scraped and polled every few seconds: counting them would hide the traffic of clients.
    uncounted = access.health | {METRICS}

    @app.before_request
    def start() -> Response | None:
        g.start = perf_counter()
        g.request_id = request_id(request.headers.get("X-Request-ID", ""))
        early = _answer_early(request.environ)
        if early is not None:
            request.url_rule = None
            return response(early)
        at_metrics = access.is_metrics_address(_own_address())
        runs = request.endpoint in ROUTES and request.method == "POST"
        if runs and not at_metrics:
            return None  # `Inference.target` decides
        error = access.refuse(request.path, request.headers, at_metrics)
        return response(refusal(error)) if error else None

    @app.after_request
    def finish(found: Response) -> Response:
        found.headers.update((*ALWAYS, ("X-Request-ID", g.request_id)))
        if request.method in ("GET", "HEAD") and not found.cache_control:
            found.cache_control.no_store = True  # of this moment
        outcome = request.environ[OUTCOME] = _outcome(found)
        # But a client that is refused at these may be trying keys.
        if outcome.route not in uncounted or outcome.reply.reason:
            monitoring.count([outcome])
            monitoring.trace([outcome])
        return found


def _answer_early(environ: dict[str, Any]) -> Reply | None:
    """Answer what is wrong, or complete, before its path and headers are looked at.

    What a server has made of the target is not all of it, so RAW_URI, the target as it was
    sent, counts where there is one: gunicorn has it.
    """
    target = environ.get("RAW_URI", "/")
    if request.method == "CONNECT":
        text = f"method CONNECT is not allowed, expected {METHODS['Allow']}"
        return refusal(RequestError(405, text, METHODS))
    if target == "*":
        return Reply(200, b"", headers=tuple(METHODS.items()))
    host = authority(target)
    if host is not None:
        environ["HTTP_HOST"] = host
    elif "HTTP_HOST" not in environ and environ.get("SERVER_PROTOCOL") == "HTTP/1.1":
        text = "request is not HTTP/1.1: there is no header Host, expected one"
        return refusal(RequestError(400, text))
    prefix = environ.get("SCRIPT_NAME", "").rstrip("/")
    outside = prefix and "RAW_URI" in environ and not is_below(_path(target), prefix)
    return refusal(no_route(request.path)) if outside else None


def _outcome(found: Response) -> Outcome:
    """Return what became of the request that this response answers."""
    reply: Reply = g.get("reply") or Reply(found.status_code, b"")
    route = request.url_rule.rule if request.url_rule else UNMATCHED
    outcome = Outcome(request.method, route, None, g.request_id, reply)
    if "outcome" in g:  # of inference, which does not know the body of a refused request
        outcome = replace(g.outcome, method=request.method)
    if reply.status != found.status_code:  # a page that has not changed, say
        outcome.reply = reply._replace(status=found.status_code)
    outcome.seconds = perf_counter() - g.start
    outcome.received = request.content_length or outcome.received
    outcome.sent = found.content_length or 0
    outcome.error = g.get("error") or outcome.error
    # Not request.path: a head is text as it arrives, a character per byte.
    target = request.environ.get("RAW_URI") or request.environ.get("PATH_INFO", "")
    outcome.client = request.environ.get("REMOTE_ADDR", "")
    outcome.head = HeadFacts(request.method, _path(target), request.headers, target)
    outcome.trace = read_trace(request.headers)
    if outcome.error is not None:
        log_bug(outcome)
    return outcome


def _path(target: str) -> str:
    """Return the path of a request target; two slashes do not start a host here."""
    if target.startswith("//"):
        return urlsplit("." + target).path[1:]
    return urlsplit(target).path


def _own_address() -> Any:
    """Return this end of the connection: the environ's can be what the client claims."""
    own = request.environ.get("gunicorn.socket")
    return own.getsockname() if own else None


def _body(limit: int) -> bytes:
    """Return the whole body as it was sent.

    Raises:
        RequestError: 400 cut short, 411 neither a length nor chunks, 413 too long.
    """
    length = request.content_length
    if request.headers.get("Transfer-Encoding", "").lower() == "chunked":
        return _chunked_body(limit)
    if length is None:
        raise RequestError(411, "found no Content-Length, expected the length of the body")
    if length > limit:
        # Most clients look for a reply only when they have sent everything, so a body
        # that is not far too long is read and dropped.
        left = length if length <= 2 * limit else 0
        while left and (dropped := request.stream.read(min(left, 1 << 16))):
            left -= len(dropped)
        raise RequestError(413, f"body has {length} bytes, expected at most {limit}")
    body = request.stream.read()
    if len(body) != length:  # the client closed its side early; WSGI servers pass that on
        raise RequestError(
            400, f"body ends after {len(body)} bytes, expected {length} (Content-Length)"
        )
    return body


def _chunked_body(limit: int) -> bytes:
    """Return a body that the server has put together from its chunks."""
    try:
        body = request.stream.read(limit + 1)
    except Exception as error:  # each server has errors of its own for this
        raise RequestError(
            400, "chunked body is damaged or cut short, expected a last chunk"
        ) from error
    if len(body) > limit:
        raise RequestError(413, f"chunked body is too long, expected at most {limit} bytes")
    return body


def _request_error(error: RequestError) -> Response:
    return response(refusal(error))


def _http_error(error: HTTPException) -> Response:
    """Give Flask's own errors the common form; keep headers such as Allow."""
    status = error.code or 500
    path = f"{request.path!r:.100}"
    if isinstance(error, NotFound):
        message = no_route(request.path).message
    elif isinstance(error, MethodNotAllowed):
        error.valid_methods = sorted(error.valid_methods or ())  # it is a set
        allowed = ", ".join(error.valid_methods)
        message = f"method {request.method} is not allowed on {path}, expected {allowed}"
    else:
        message = error.description or error.name
    reply = json({"error": message}, status)._replace(reason=REASONS.get(status, ""))
    found = response(reply)
    for name, value in error.get_headers():
        if name.lower() not in ("content-type", "content-length"):
            found.headers[name] = value
    return found


def _bug(error: Exception) -> Response:
    g.error = error
    return response(INTERNAL_ERROR)
