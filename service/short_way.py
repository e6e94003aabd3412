"""The short way: inference requests answered without Flask's dispatch.

The same functions as behind the Flask routes, for the paths that those routes match, so the
reply is the same to the byte. What is not plain (another method, a form, a path that no
model has) is left to Flask.
"""

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from time import perf_counter
from typing import NamedTuple
from urllib.parse import parse_qsl

from flask import Flask
from werkzeug.datastructures import MultiDict

from service.access import Access
from service.compression import inflate
from service.errors import RequestError
from service.inference import (
    MOST_BYTES,
    ROUTES,
    Head,
    answer,
    asked_version,
    is_form,
    read_head,
)
from service.metrics import Metrics
from service.protocols import Dialect, Limits
from service.replies import Reply, bug, refusal, sane_id
from service.repository import Repository
from service.settings import Settings
from service.trace_context import Trace, read_trace

# Different questions that heads ask, most of them never seen in earnest.
MOST_HEADS = 256
NO_PARAMETERS: Mapping[str, str] = {}


class Endpoint(NamedTuple):
    """Where a path leads: the Flask rule that it matches, and what that rule does."""

    route: str
    dialect: Dialect
    version: int | None


class Inquiry(NamedTuple):
    """What the head of an inference request says, read once for all that have it.

    Attributes:
        route: the Flask rule that its path matches.
        head: what is asked, or why that cannot be answered.
        encoding: how the body is compressed.
        request_id: the client's, if it is sane.
        headers: all of them, by names in lower case.
    """

    route: str
    head: Head | RequestError
    encoding: str
    request_id: str
    headers: Mapping[str, str]

    @property
    def trace(self) -> Trace | None:
        """Where the request comes from; read when that is asked, which is seldom."""
        return read_trace(self.headers)

    def answered_by(self) -> dict[str, str]:
        """Return what the log tells of where a request went."""
        if isinstance(self.head, RequestError):
            return {"route": self.route}
        return {"route": self.route, "model_version": str(self.head.model.version)}

    def asked_by(self, headers: Mapping[str, str]) -> "Inquiry":
        """Return the same inquiry, of a request with another id and trace."""
        used_id = sane_id(headers.get("x-request-id", ""))
        return Inquiry(self.route, self.head, self.encoding, used_id, headers)


class ShortWay:
    """Answers what it can for an application made by `create_app`.

    Args:
        app: the application.
        learn: is told, of good requests that were answered together, what their head is
            (by identity), how many bytes their bodies have, and the seconds it took.
    """

    def __init__(self, app: Flask, learn: Callable[[int, int, float], None]) -> None:
        self._learn = learn
        settings: Settings = app.extensions["settings"]
        self._access: Access = app.extensions["access"]
        self._repository: Repository = app.extensions["repository"]
        self._metrics: Metrics = app.extensions["metrics"]
        self._limits = Limits(settings.max_images, settings.max_pixels)
        self._max_body_bytes = settings.max_body_bytes
        self._endpoints = dict(_paths(self._repository))
        # One object for all that ask for the same, by which they are found to do so.
        self._heads: dict[Head, Head] = {}

    def read(self, path: str, query: str, headers: Mapping[str, str]) -> Inquiry | None:
        """Read the head of a POST request; None for what is Flask's.

        Args:
            path: as it was sent.
            query: what follows the question mark.
            headers: by names in lower case.
        """
        endpoint = self._endpoints.get(path)
        if endpoint is None:
            return None
        refused = self._access.refuse(path, headers)
        head = refused or self._head(endpoint, query, headers)
        if isinstance(head, Head) and is_form(head):
            return None
        return Inquiry(
            endpoint.route,
            head,
            headers.get("content-encoding", ""),
            sane_id(headers.get("x-request-id", "")),
            headers,
        )

    def _head(
        self, endpoint: Endpoint, query: str, headers: Mapping[str, str]
    ) -> Head | RequestError:
        parameters = _parameters(query) if query else NO_PARAMETERS
        try:
            model = self._repository.get(endpoint.version or asked_version(parameters))
        except RequestError as error:
            return error.with_traceback(None)  # it is kept with the head
        head = read_head(endpoint.dialect, model, headers, parameters)
        if len(self._heads) == MOST_HEADS:
            self._heads.clear()
        return self._heads.setdefault(head, head)

    def answer(self, batch: Sequence[tuple[Inquiry, bytes]]) -> list[tuple[str, Reply]]:
        """Answer requests that are there at the same time.

        Args:
            batch: of each its head, and its complete body within the limit.

        Returns:
            Of each its id and the reply, whose headers lack that id.
        """
        start = perf_counter()
        new = random.randbytes(16 * len(batch)).hex()  # as in `replies.request_id`
        ids = [
            inquiry.request_id or new[32 * number : 32 * number + 32]
            for number, (inquiry, _) in enumerate(batch)
        ]
        replies: list[Reply | None] = [None] * len(batch)
        for places in _runs(batch):
            began = perf_counter()
            found = self._answer(places, batch, ids)
            if all(reply.status == 200 for reply in found):
                size = sum(len(batch[place][1]) for place in places)
                self._learn(id(batch[places[0]][0].head), size, perf_counter() - began)
            for place, reply in zip(places, found):
                replies[place] = reply
        seconds = perf_counter() - start
        done = [reply for reply in replies if reply]
        kinds = [
            (inquiry.route, x.status, x.reason) for (inquiry, _), x in zip(batch, done)
        ]
        for (route, status, reason), times in Counter(kinds).items():
            self._metrics.count_request("POST", route, status, seconds, times, reason)
        return list(zip(ids, done))

    def _answer(
        self,
        places: Sequence[int],
        batch: Sequence[tuple[Inquiry, bytes]],
        ids: Sequence[str],
    ) -> list[Reply]:
        """Answer those of a batch that can be answered together."""
        inquiry = batch[places[0]][0]
        try:
            if isinstance(inquiry.head, RequestError):
                return [refusal(inquiry.head) for _ in places]
            bodies = [batch[place][1] for place in places]
            if inquiry.encoding:
                bodies = [inflate(bodies[0], inquiry.encoding, self._max_body_bytes)]
            found = answer(inquiry.head, bodies, self._metrics, self._limits)
            replies = [x if isinstance(x, Reply) else refusal(x) for x in found]
            # No client must ever get another's answer.
            return [reply for reply, _ in zip(replies, places, strict=True)]
        except RequestError as error:
            return [refusal(error) for _ in places]
        except Exception as error:
            if len(places) == 1:
                return [bug(error, ids[places[0]], inquiry.trace)]
            # One of them has a fault; the others need not suffer from it.
            return [self._answer([place], batch, ids)[0] for place in places]


def _runs(batch: Sequence[tuple[Inquiry, bytes]]) -> Iterator[list[int]]:
    """Yield the places of what is answered together: one head, and not too much of it."""
    groups: dict[int, list[int]] = defaultdict(list)
    for place, (inquiry, _) in enumerate(batch):
        # A compressed body is not as small as it looks, and may be refused: alone.
        groups[-1 - place if inquiry.encoding else id(inquiry.head)].append(place)
    for places in groups.values():
        run: list[int] = []
        size = 0
        for place in places:
            length = len(batch[place][1])
            if run and size + length > MOST_BYTES:
                yield run
                run, size = [], 0
            run.append(place)
            size += length
        yield run


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
