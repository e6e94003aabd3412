"""The short way: inference requests answered without Flask's dispatch.

The same functions as behind the Flask routes, for the paths that those routes match, so the
reply is the same to the byte. What is not plain (another method, a form, a path that no
model has) is left to Flask.
"""

from collections.abc import Iterator, Mapping, Sequence
from time import perf_counter
from typing import NamedTuple
from urllib.parse import parse_qsl

from flask import Flask
from werkzeug.datastructures import MultiDict

from service.compression import inflate
from service.errors import RequestError
from service.inference import ROUTES, Asked, answer, asked_version
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


class Incoming(NamedTuple):
    """A POST request on its short way.

    Attributes:
        endpoint: where its path leads.
        query: what follows the question mark.
        headers: by names in lower case.
        body: the complete body, within the limit.
    """

    endpoint: Endpoint
    query: str
    headers: Mapping[str, str]
    body: bytes


class ShortWay:
    """Answers what it can for an application made by `create_app`."""

    def __init__(self, app: Flask) -> None:
        settings: Settings = app.extensions["settings"]
        self._repository: Repository = app.extensions["repository"]
        self._metrics: Metrics = app.extensions["metrics"]
        self._limits = Limits(settings.max_images, settings.max_pixels)
        self._max_body_bytes = settings.max_body_bytes
        self._endpoints = dict(_paths(self._repository))

    def find(self, path: str, headers: Mapping[str, str]) -> Endpoint | None:
        """Return where a path, as it was sent, leads; None for what is Flask's."""
        endpoint = self._endpoints.get(path)
        form = headers.get("content-type", "").startswith("multipart/")
        return None if form else endpoint

    def answer(self, batch: Sequence[Incoming]) -> list[Reply]:
        """Answer requests that are there at the same time."""
        start = perf_counter()
        ids = [request_id(one.headers.get("x-request-id", "")) for one in batch]
        replies = self._answer(batch, ids)
        seconds = perf_counter() - start
        for one, reply in zip(batch, replies):
            route = one.endpoint.route
            self._metrics.count_request("POST", route, reply.status, seconds)
        return [
            Reply(status, body, {**headers, "X-Request-ID": used_id})
            for (status, body, headers), used_id in zip(replies, ids)
        ]

    def _answer(self, batch: Sequence[Incoming], ids: Sequence[str]) -> list[Reply]:
        asked: list[Asked] = []
        results: list[Reply | RequestError | None] = []
        for one in batch:
            try:
                asked.append(self._ask(one))
                results.append(None)
            except RequestError as error:
                results.append(error)
        try:
            answers = iter(answer(asked, self._metrics, self._limits))
        except Exception as error:
            if len(batch) == 1:
                return [bug(error, ids[0])]
            # One of them has a fault; the others need not suffer from it.
            return [self._answer([one], [used_id])[0] for one, used_id in zip(batch, ids)]
        found = [next(answers) if result is None else result for result in results]
        return [refusal(x) if isinstance(x, RequestError) else x for x in found]

    def _ask(self, one: Incoming) -> Asked:
        endpoint, query, headers, body = one
        parameters = _parameters(query) if query else NO_PARAMETERS
        model = self._repository.get(endpoint.version or asked_version(parameters))
        if "content-encoding" in headers:
            body = inflate(body, headers["content-encoding"], self._max_body_bytes)
        return Asked(endpoint.dialect, Request(body, headers, parameters), model)


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
