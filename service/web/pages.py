"""The pages and everything they load, all from this server."""

from functools import lru_cache
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

import orjson
from flask import Blueprint, Flask, Response, render_template, request, send_file
from werkzeug.exceptions import NotFound
from werkzeug.security import safe_join

from service.errors import RequestError
from service.http import JSON, RAW
from service.inference import Inference, asked_version
from service.model import layers
from service.web import openapi

HERE = Path(__file__).parent
# Nothing from other sites, nothing inline, not framed by other sites. Pictures that a
# visitor opens are blob: URLs; canvases export data: URLs.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
# Swagger UI writes style attributes.
DOCS_POLICY = POLICY.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'")
# Browser features that no page uses.
UNUSED = (
    "camera display-capture fullscreen geolocation gyroscope hid magnetometer microphone "
    "midi payment picture-in-picture screen-wake-lock serial usb xr-spatial-tracking"
)
GUARDS = {
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": ", ".join(f"{name}=()" for name in UNUSED.split()),
}


def register(app: Flask, inference: Inference, release: str) -> None:
    """Add the routes."""
    settings, repository = inference.settings, inference.repository
    pages = Blueprint("pages", __name__)
    described = openapi.document(repository.default.name, settings, release)
    documents = {
        "/openapi.json": orjson.dumps(described),
        "/gallery.json": gallery(),
    }
    docs = _swagger_ui()

    @pages.get("/", strict_slashes=False)  # serves the empty path too, without a redirect
    def index() -> Response:
        return _page("index.html", repository=repository, settings=settings)

    @pages.get("/learn")
    def learn() -> Response:
        return _page("learn.html", repository=repository, settings=settings)

    @pages.get("/docs")
    def docs_page() -> Response:
        return _page("docs.html", DOCS_POLICY)

    @pages.get("/docs/<path:name>", endpoint="static-docs")
    def docs_asset(name: str) -> Response:
        return _file(docs, name)

    @pages.get("/static/<path:filename>", endpoint="static")
    def asset(filename: str) -> Response:
        return _file(HERE / "static", filename)

    @pages.get("/openapi.json", endpoint="openapi")
    @pages.get("/gallery.json", endpoint="gallery")
    def document() -> Response:
        content = documents[request.path]
        return _validated(Response(content, content_type=JSON), sha256(content).hexdigest())

    @pages.after_request
    def guard(response: Response) -> Response:
        response.headers.update(GUARDS)
        return response

    _register_data(pages, inference)
    app.register_blueprint(pages)


def _register_data(pages: Blueprint, inference: Inference) -> None:
    settings, repository = inference.settings, inference.repository
    folder = settings.model_root / settings.model_name

    @pages.get("/lesson.json")
    def lesson() -> Response:
        if not (folder / "lesson.json").is_file():
            raise RequestError(
                404,
                "found no lesson.json in the model repository, expected what "
                "`python -m training lesson` writes",
            )
        return _file(folder.resolve(), "lesson.json")

    @pages.get("/weights")
    def weights() -> Response:
        model = repository.get(asked_version(request.args))
        if model.layers is None:
            raise layers.not_dense(model.name, model.version)
        response = Response(layers.to_bytes(model.layers), content_type=RAW)
        return _validated(response, model.sha256)


def gallery() -> bytes:
    """Return the drawings that the pages offer, as JSON.

    ``{"digits": [...], "hard": [...]}``: a digit has ``label`` and ``strokes``; a hard
    drawing also ``name``, ``about`` and ``pen``, and a null ``label`` if it is no digit.
    Strokes and pen are those of ``service.pictures.frame.draw``.
    """
    digits = orjson.loads((HERE.parent / "model" / "digits.json").read_bytes())["digits"]
    hard = orjson.loads((HERE / "gallery.json").read_bytes())["drawings"]
    return orjson.dumps({"digits": digits, "hard": hard})


def _page(template: str, policy: str = POLICY, **values: object) -> Response:
    response = Response(render_template(template, **values))
    response.headers["Content-Security-Policy"] = policy
    return _validated(response, sha256(response.get_data()).hexdigest())


def _file(folder: Path, name: str) -> Response:
    """Return a file of a folder."""
    path = safe_join(str(folder), name)
    try:
        if path is None or not Path(path).is_file():
            raise NotFound
    except (OSError, ValueError):  # too long a name, a byte of 0
        raise NotFound from None
    state = Path(path).stat()
    # A file that is written again, of whatever size and time, changes its inode or ctime.
    digest = _digest(path, state.st_ino, state.st_ctime_ns)
    response = send_file(path, conditional=False, etag=False)
    del response.headers["Last-Modified"]  # all files of an image have the same
    return _validated(response, digest, state.st_size)


@lru_cache(maxsize=256)
def _digest(path: str, *_: int) -> str:
    return sha256(Path(path).read_bytes()).hexdigest()


def _validated(response: Response, digest: str, size: int | None = None) -> Response:
    """Let clients keep a response, and ask whether it still is what they have."""
    response.set_etag(digest)
    response.cache_control.no_cache = True
    ranges = size is not None
    response.make_conditional(request, accept_ranges=ranges, complete_length=size)
    return response


def _swagger_ui() -> Path:
    """Find the files of Swagger UI without importing the package and its dependencies."""
    spec = find_spec("flask_openapi3_swagger")
    if spec is None or spec.origin is None:
        raise RuntimeError("found no package flask_openapi3_swagger, expected it installed")
    return Path(spec.origin).parent / "templates" / "swagger"
