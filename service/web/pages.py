"""The pages and everything they load, all from this server."""

from collections.abc import Mapping
from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import orjson
from flask import Blueprint, Flask, Response, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from service.errors import RequestError
from service.http import JSON, RAW
from service.inference import Inference, asked_version
from service.model import layers
from service.web import openapi
from service.web.assets import Assets, Hash
from service.web.responses import Kept, kept, squeeze

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
# The front page's modules as one file, without and with what tells an answer wrong; the
# lesson's come when a chapter needs them.
BUNDLES = {"draw.bundle.js": "draw.js", "feedback.bundle.js": "feedback.js"}
# Of weights, little-endian: half precision is half as long.
DTYPES = {"float32": "<f4", "float16": "<f2"}
# Of documents; what they load needs none of it, and is many files.
GUARDS = {
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": ", ".join(f"{name}=()" for name in UNUSED.split()),
}


def register(app: Flask, inference: Inference, release: str) -> None:
    """Add the routes."""
    app.url_map.converters["hash"] = Hash
    pages = Blueprint("pages", __name__)
    static = Assets(HERE / "static", bundles=BUNDLES)
    served = {"pages.static": static, "pages.static-docs": Assets(_swagger_ui())}
    _register_pages(pages, inference, static)
    _register_assets(pages, served)
    _register_data(pages, inference, release)

    @pages.after_request
    def guard(response: Response) -> Response:
        response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
        return response

    app.register_blueprint(pages)


def _register_pages(pages: Blueprint, inference: Inference, static: Assets) -> None:
    common: dict[str, Any] = {
        "repository": inference.repository,
        "settings": inference.settings,
    }
    modules = cache(static.modules)
    draw_bundle, feedback_bundle = BUNDLES
    bundle = draw_bundle if inference.samples is None else feedback_bundle

    @pages.get("/", strict_slashes=False)  # the empty path is / (RFC 9110, 4.2.3)
    def index() -> BaseResponse:
        if request.root_path and not request.environ["PATH_INFO"]:
            # Relative URLs would lead from /mnist out of it, unlike those from /mnist/.
            query = request.query_string.decode("latin-1")
            return redirect(f"{request.root_path}/" + (f"?{query}" if query else ""), 308)
        return _page("index.html", bundle=bundle, **common)

    @pages.get("/learn")
    def learn() -> Response:
        return _page("learn.html", modules=modules("learn.js"), **common)

    @pages.get("/docs")
    def docs_page() -> Response:
        return _page("docs.html", DOCS_POLICY, **common)


def _register_assets(pages: Blueprint, served: dict[str, Assets]) -> None:
    @pages.get("/static/<path:filename>", endpoint="static")
    @pages.get("/static/<hash:tree>/<path:filename>", endpoint="static")
    @pages.get("/docs/<path:filename>", endpoint="static-docs")
    @pages.get("/docs/<hash:tree>/<path:filename>", endpoint="static-docs")
    def asset(filename: str, tree: str = "") -> Response:
        return served[request.endpoint or ""].send(filename, tree)

    @pages.url_defaults
    def add_hash(endpoint: str, values: dict[str, Any]) -> None:
        if endpoint in served:
            values["tree"] = served[endpoint].hash


def _register_data(pages: Blueprint, inference: Inference, release: str) -> None:
    settings, repository = inference.settings, inference.repository
    lesson_file = settings.model_root / settings.model_name / "lesson.json"
    described = openapi.document(repository.default.name, settings, release)
    documents = {
        "/openapi.json": orjson.dumps(described),
        "/gallery.json": gallery(),
    }

    @pages.get("/openapi.json", endpoint="openapi")
    @pages.get("/gallery.json", endpoint="gallery")
    def document() -> Response:
        return kept(_squeeze(documents[request.path], JSON))

    @pages.get("/lesson.json")
    def lesson() -> Response:
        try:
            content = lesson_file.read_bytes()
        except (FileNotFoundError, IsADirectoryError):
            raise RequestError(
                404,
                "found no lesson.json in the model repository, expected what "
                "`python -m training lesson` writes",
            ) from None
        return kept(_squeeze(content, JSON))

    @pages.get("/weights")
    def weights() -> Response:
        model = repository.get(asked_version(request.args))
        if model.layers is None:
            raise layers.not_dense(model.name, model.version)
        dtype = _dtype(request.args)
        content = layers.to_bytes(model.layers, DTYPES[dtype])
        digest = model.sha256 if dtype == "float32" else f"{model.sha256}-{dtype}"
        # Not behind a key: what a browser keeps, it would show to the next person.
        for_good = request.args.get("sha256") == model.sha256 and not settings.api_keys
        return kept(Kept(content, RAW, digest), for_good=for_good)


def _dtype(parameters: Mapping[str, str]) -> str:
    """Return the name of the numbers' type that a request for weights asks for."""
    for name in parameters:
        if name not in ("version", "dtype", "sha256"):
            expected = "version, dtype or sha256"
            raise RequestError(
                400, f"query parameter {name!r:.100} is unknown, expected {expected}"
            )
    dtype = parameters.get("dtype", "float32")
    if dtype not in DTYPES:
        raise RequestError(400, f"dtype is {dtype!r:.100}, expected {' or '.join(DTYPES)}")
    return dtype


def gallery() -> bytes:
    """Return the drawings that the pages offer, as JSON.

    ``{"digits": [...], "hard": [...]}``: a digit has ``label`` and ``strokes``; a hard
    drawing also ``name``, ``about`` and ``pen``, and a null ``label`` if it is no digit.
    Strokes and pen are those of ``service.pictures.frame.draw``.
    """
    digits = orjson.loads((HERE.parent / "model" / "digits.json").read_bytes())["digits"]
    hard = orjson.loads((HERE / "gallery.json").read_bytes())["drawings"]
    return orjson.dumps({"digits": digits, "hard": hard})


def _page(template: str, policy: str = POLICY, **values: Any) -> Response:
    content = render_template(template, **values).encode()
    response = kept(_squeeze(content, "text/html; charset=utf-8"))
    response.headers.update(GUARDS | {"Content-Security-Policy": policy})
    return response


# Of pages and documents: each page is another for each name that this host is asked by.
_squeeze = lru_cache(maxsize=16)(squeeze)


def _swagger_ui() -> Path:
    """Find the files of Swagger UI without importing the package and its dependencies."""
    spec = find_spec("flask_openapi3_swagger")
    if spec is None or spec.origin is None:
        raise RuntimeError("found no package flask_openapi3_swagger, expected it installed")
    return Path(spec.origin).parent / "templates" / "swagger"
