"""The routes, on Flask: what every request and every error has in common is here too."""

from io import BytesIO
from time import perf_counter
from typing import TYPE_CHECKING, Any

from flask import (
    Flask,
    Response,
    current_app,
    g,
    request,
)
from werkzeug.exceptions import (
    HTTPException,
    MethodNotAllowed,
    NotFound,
    RequestEntityTooLarge,
)
from werkzeug.formparser import FormDataParser
from werkzeug.routing.exceptions import WebsocketMismatch

from service import board, catalogue, pages
from service.access import HEALTH, METRICS, Access, no_route
from service.compression import inflate
from service.errors import REASONS, RequestError
from service.exposition import Exposition
from service.inference import ROUTES, answer, asked_version, is_form, read_head
from service.metrics import Metrics
from service.protocols import Dialect, Limits
from service.protocols.predict import FORM_DATA
from service.replies import ALWAYS, Reply, bug, json, readiness, refusal, request_id
from service.repository import Repository
from service.request_lines import ANSWERED_BY
from service.settings import Settings
from service.trace_context import read_trace

if TYPE_CHECKING:
    from service.tracing import Tracing

# Scraped and polled every few seconds: counting them would hide the traffic of clients.
UNCOUNTED = {*HEALTH, METRICS}


def register(app: Flask) -> None:
    """Add the routes and the error handlers; the extensions must be there."""
    access: Access = app.extensions["access"]
    metrics: Metrics = app.extensions["metrics"]
    tracing: Tracing | None = app.extensions["tracing"]
    exposition = Exposition(metrics)
    app.url_map.merge_slashes = False  # a path with // inside is no route, and no redirect

    for path, dialect in ROUTES.items():
        _add_inference(app, path, dialect)
    catalogue.register(app)
    pages.register(app)

    @app.get("/livez")
    def livez() -> Response:
        return _response(json({"live": True}))

    @app.get("/readyz")
    def readyz() -> Response:
        # A worker answers only once its models are loaded, checked and warmed up.
        return _response(readiness(board.is_open()))

    @app.get("/metrics")
    def metrics_page() -> Response:
        text, content_type = exposition.text()
        return Response(text, content_type=content_type)

    @app.before_request
    def start() -> Response | None:
        g.start = perf_counter()
        g.request_id = request_id(request.headers.get("X-Request-ID", ""))
        error = access.refuse(
            request.path, request.headers, access.is_metrics_address(_own_address())
        )
        return _request_error(error) if error else None

    @app.after_request
    def finish(response: Response) -> Response:
        response.headers.update({**ALWAYS, "X-Request-ID": g.request_id})
        route = request.url_rule.rule if request.url_rule else "unmatched"
        request.environ[ANSWERED_BY] = {"route": route, **_answered()}
        # But who is refused there may be trying keys.
        if route not in UNCOUNTED or g.get("reason"):
            seconds = perf_counter() - g.start
            if tracing is not None:
                tracing.record_wsgi(request.environ, response, seconds)
            metrics.count_request(
                request.method,
                route,
                response.status_code,
                seconds,
                reason=g.get("reason", ""),
            )
        return response

    app.register_error_handler(RequestError, _request_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _bug)


def _answered() -> dict[str, Any]:
    """Return what the log tells of an answer."""
    known = {name: g.get(name) for name in ("model_version", "images", "reason")}
    return {name: value for name, value in known.items() if value}


def _own_address() -> Any:
    """Return this end of the connection: the environ's can be what the client said."""
    own = request.environ.get("gunicorn.socket")
    return own.getsockname() if own else None


def _add_inference(app: Flask, path: str, dialect: Dialect) -> None:
    settings: Settings = app.extensions["settings"]
    repository: Repository = app.extensions["repository"]
    metrics: Metrics = app.extensions["metrics"]

    limits = Limits(settings.max_images, settings.max_pixels)

    def view(model: str | None = None, version: int | None = None) -> Response:
        asked_for = asked_version(request.args) if version is None else version
        found = repository.find(model, asked_for)
        body = _body(settings.max_body_bytes)
        g.model_version = str(found.version)
        head = read_head(dialect, found, request.headers, request.args)
        content = _files(body) if is_form(head) else body
        (result,) = answer(head, [content], metrics, limits)
        return _response(refusal(result) if isinstance(result, RequestError) else result)

    app.add_url_rule(path, endpoint=path, view_func=view, methods=["POST"])


def _in_memory(*_: object, **__: object) -> BytesIO:
    return BytesIO()


def _files(body: bytes) -> list[bytes]:
    """Take a form apart: the contents of its files in the field ``image``."""
    parser = FormDataParser(
        # In memory, which the limit of the body bounds: the disk may be read-only.
        stream_factory=_in_memory,
        max_form_parts=current_app.extensions["settings"].max_images,
    )
    options = request.mimetype_params
    try:
        _, fields, found = parser.parse(BytesIO(body), FORM_DATA, len(body), options)
    except RequestEntityTooLarge:
        raise RequestError(413, "form has too many parts or too long a field") from None
    except ValueError:
        raise RequestError(
            400, "form cannot be taken apart, expected multipart/form-data as in RFC 7578"
        ) from None
    names = sorted({name or "" for name in (*fields, *(found.keys() - {"image"}))})
    if names or not found:
        raise RequestError(
            400, f"form has the fields {names!r:.100}, expected files in the field 'image'"
        )
    return [file.read() for file in found.getlist("image")]


def _body(limit: int) -> bytes:
    """Return the whole body, or refuse it: 411 of unknown length, 413 too long, 400 cut."""
    length = request.content_length
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
    return inflate(body, request.headers.get("Content-Encoding", ""), limit)


def _response(reply: Reply) -> Response:
    """Return a reply as Flask's; the content type comes first, then the length."""
    g.reason, g.images = reply.reason, reply.images
    response = Response(
        reply.body, reply.status, content_type=reply.headers["Content-Type"]
    )
    response.headers.update(reply.headers)
    return response


def _request_error(error: RequestError) -> Response:
    return _response(refusal(error))


def _http_error(error: HTTPException) -> Response:
    """Give Flask's own errors the one shape; keep headers such as Allow."""
    status = error.code or 500
    path = f"{request.path!r:.100}"
    if isinstance(error, NotFound):
        message = no_route(request.path).message
    elif isinstance(error, MethodNotAllowed):
        error.valid_methods = sorted(error.valid_methods or ())  # comes as a set
        allowed = ", ".join(error.valid_methods)
        message = f"method {request.method} is not allowed on {path}, expected {allowed}"
    elif isinstance(error, WebsocketMismatch):
        message = f"found a WebSocket's handshake on {path}, expected a request"
    else:
        message = error.description or error.name
    reply = json({"error": message}, status)._replace(reason=REASONS.get(status, ""))
    response = _response(reply)
    for name, value in error.get_headers():
        if name.lower() not in ("content-type", "content-length"):
            response.headers[name] = value
    return response


def _bug(error: Exception) -> Response:
    return _response(bug(error, g.request_id, read_trace(request.headers)))
