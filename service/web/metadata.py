"""The metadata routes of other servers' protocols: models, their state, statistics.

Sources: TensorFlow Serving, ``g3doc/api_rest.md``; open-inference-protocol,
``inference_rest.md``; Triton Inference Server, ``docs/protocol/extension_*.md``.
"""

from collections.abc import Iterable
from typing import Any

import msgspec
from flask import Flask, Response, request

from service.errors import RequestError
from service.http import Reply, json, readiness
from service.inference import Inference, descriptions
from service.model.repository import Repository
from service.model.version import INPUT, OUTPUT, Model
from service.web.responses import response


def register(app: Flask, inference: Inference, release: str) -> None:
    """Add the routes."""
    _register_v1(app, inference.repository)
    _register_mlflow(app, release)
    _register_v2(app, inference, release)
    _register_triton(app, inference)


def _register_v1(app: Flask, repository: Repository) -> None:
    name = repository.default.name

    @app.get("/v1/models")
    def v1_models() -> Response:
        return response(json({"models": [name]}))

    @app.get("/v1/models/<model>")
    @app.get("/v1/models/<model>/versions/<int:version>")
    def v1_status(model: str, version: int | None = None) -> Response:
        repository.find(model, version)
        versions = repository.models if version is None else [version]
        # KServe reads name and ready, TensorFlow Serving the rest.
        return response(json({"name": name, "ready": True, **_status(versions)}))

    @app.get("/v1/models/<model>/metadata")
    @app.get("/v1/models/<model>/versions/<int:version>/metadata")
    def v1_metadata(model: str, version: int | None = None) -> Response:
        return response(json(_signature(repository.find(model, version))))


def _register_mlflow(app: Flask, release: str) -> None:
    @app.get("/version")
    def version() -> Response:
        # MLflow's clients take the body as it is.
        return response(Reply(200, release.encode(), "text/plain; charset=utf-8"))


def _register_v2(app: Flask, inference: Inference, release: str) -> None:
    repository, roster = inference.repository, inference.monitoring.roster
    name = repository.default.name

    @app.get("/v2")
    @app.get("/v2/")
    def v2_server() -> Response:
        return response(json(descriptions.server(release)))

    @app.get("/v2/health/live")
    def v2_live() -> Response:
        return response(json({"live": True}))

    @app.get("/v2/health/ready")
    def v2_ready() -> Response:
        # The specification's prose says live; KServe sends ready.
        return response(readiness(roster.is_open(), live=True))

    @app.get("/v2/models")
    def v2_models() -> Response:
        return response(json({"models": [name]}))

    @app.get("/v2/models/<model>")
    @app.get("/v2/models/<model>/versions/<int:version>")
    def v2_metadata(model: str, version: int | None = None) -> Response:
        return response(json(descriptions.metadata(repository, model, version)))

    @app.get("/v2/models/<model>/ready")
    @app.get("/v2/models/<model>/versions/<int:version>/ready")
    def v2_model_ready(model: str, version: int | None = None) -> Response:
        repository.find(model, version)
        return response(json({"name": name, "ready": True}))


def _register_triton(app: Flask, inference: Inference) -> None:
    settings, repository = inference.settings, inference.repository
    metrics = inference.monitoring.metrics

    @app.get("/v2/models/<model>/config")
    @app.get("/v2/models/<model>/versions/<int:version>/config")
    def v2_config(model: str, version: int | None = None) -> Response:
        found = repository.find(model, version)
        return response(json(descriptions.config(found, settings.max_images)))

    @app.get("/v2/models/stats")
    @app.get("/v2/models/<model>/stats")
    @app.get("/v2/models/<model>/versions/<int:version>/stats")
    def v2_statistics(model: str | None = None, version: int | None = None) -> Response:
        found = descriptions.statistics(repository, metrics, model, version)
        return response(json({"model_stats": found}))

    @app.post("/v2/repository/models/<model>/load", endpoint="load")
    @app.post("/v2/repository/models/<model>/unload", endpoint="unload")
    def v2_load(model: str) -> Response:
        repository.find(model, None)
        text = f"found a request to {request.endpoint} model {model!r:.100}, expected none"
        raise RequestError(403, f"{text}: the operator does that, with a reload (SIGHUP)")

    @app.post("/v2/repository/index")
    def v2_index() -> Response:
        only_ready = _only_ready(settings.max_body_bytes)
        return response(json(descriptions.index(repository, only_ready)))


def _status(versions: Iterable[int]) -> dict[str, Any]:
    fine = {"error_code": "OK", "error_message": ""}
    return {
        "model_version_status": [
            {"version": str(version), "state": "AVAILABLE", "status": fine}
            for version in versions
        ]
    }


def _signature(model: Model) -> dict[str, Any]:
    """Return TensorFlow Serving's metadata; the nesting is its own."""

    def tensor(name: str, width: int) -> dict[str, Any]:
        sizes = [{"size": str(size), "name": ""} for size in (-1, width)]
        shape = {"dim": sizes, "unknown_rank": False}
        return {name: {"dtype": "DT_FLOAT", "tensor_shape": shape, "name": name}}

    signature = {
        "inputs": tensor(INPUT[0], INPUT[2]),
        "outputs": tensor(OUTPUT[0], OUTPUT[2]),
        "method_name": "tensorflow/serving/predict",
        "defaults": {},
    }
    spec = {"name": model.name, "signature_name": "", "version": str(model.version)}
    definitions = {"signature_def": {"serving_default": signature}}
    return {"model_spec": spec, "metadata": {"signature_def": definitions}}


class _IndexBody(msgspec.Struct):
    ready: bool = False


def _only_ready(limit: int) -> bool:
    """Return the field ready of the index's body; both are optional."""
    length = request.content_length or 0
    if length > limit:
        raise RequestError(413, f"body has {length} bytes, expected at most {limit}")
    try:
        return msgspec.json.decode(request.stream.read() or b"{}", type=_IndexBody).ready
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RequestError(
            400, f'body is not {{"ready": true or false}}: {error}'.replace("`", "")
        ) from None
