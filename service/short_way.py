"""The short way: inference requests answered without Flask's dispatch.

The same functions as behind the Flask routes, for the paths that those routes match, so the
reply is the same to the byte. What is not plain (another method, a form, a path that no
model has) is left to Flask.
"""

from collections.abc import Iterator, Mapping
from time import perf_counter
from typing import NamedTuple
from urllib.parse import parse_qsl

from flask import Flask
from werkzeug.datastructures import MultiDict

from service.compression import inflate
from service.errors import RequestError
from service.inference import ROUTES, answer, asked_version
from service.metrics import Metrics
from service.protocols import Dialect, Limits, Request
from service.replies import Reply, bug, refusal, request_id
from service.repository import Repository
from service.settings import Settings

NO_PARAMETERS: Mapping[str, str] = {}


class Endpoint(NamedTuple):
    """Where a path leads: the Flask rule that it matches, and what that rule does."""

    route: str
    dialect: Dialect
    version: int | None


class ShortWay:
    """Answers what it can for an application made by `create_app`."""

    def __init__(self, app: Flask) -> None:
        settings: Settings = app.extensions["settings"]
        self._repository: Repository = app.extensions["repository"]
        self._metrics: Metrics = app.extensions["metrics"]
        self._limits = Limits(settings.max_images, settings.max_pixels)
        self._max_body_bytes = settings.max_body_bytes
        self._endpoints = dict(_paths(self._repository))

    def __call__(
        self, path: str, query: str, headers: Mapping[str, str], body: bytes
    ) -> Reply | None:
        """Answer a POST request, or return None: it is Flask's.

        Args:
            path: as it was sent, percent-encoding and all.
            query: what follows the question mark.
            headers: by names in lower case.
            body: the complete body, within the limit.
        """
        endpoint = self._endpoints.get(path)
        if endpoint is None or headers.get("content-type", "").startswith("multipart/"):
            return None
        start = perf_counter()
        used_id = request_id(headers.get("x-request-id", ""))
        try:
            reply = self._answer(endpoint, query, headers, body)
        except RequestError as error:
            reply = refusal(error)
        except Exception as error:
            reply = bug(error, used_id)
        seconds = perf_counter() - start
        self._metrics.count_request("POST", endpoint.route, reply.status, seconds)
        return Reply(reply.status, reply.body, {**reply.headers, "X-Request-ID": used_id})

    def _answer(
        self, endpoint: Endpoint, query: str, headers: Mapping[str, str], body: bytes
    ) -> Reply:
        parameters = _parameters(query) if query else NO_PARAMETERS
        version = endpoint.version or asked_version(parameters)
        model = self._repository.get(version)
        if "content-encoding" in headers:
            body = inflate(body, headers["content-encoding"], self._max_body_bytes)
        request = Request(body, headers, parameters)
        return answer(endpoint.dialect, request, model, self._metrics, self._limits)


def _paths(repository: Repository) -> Iterator[tuple[str, Endpoint]]:
    """Write out the routes with the name and the versions of the model that is served."""
    for route, dialect in ROUTES.items():
        path = route.replace("<model>", repository.default.name)
        if "<int:version>" not in path:
            yield path, Endpoint(route, dialect, None)
            continue
        for version in repository.models:
            versioned = path.replace("<int:version>", str(version))
            yield versioned, Endpoint(route, dialect, version)


def _parameters(query: str) -> Mapping[str, str]:
    """Take a query string apart as werkzeug does for ``request.args``."""
    pairs = parse_qsl(query, keep_blank_values=True, errors="werkzeug.url_quote")
    return MultiDict(pairs)
