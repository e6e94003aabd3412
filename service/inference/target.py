"""What a request's head asks for, read once for all requests that have that head."""

from collections.abc import Iterator, Mapping
from itertools import count
from math import inf
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from service.errors import RequestError
from service.http import Headers
from service.inference import deadline
from service.inference.access import Access
from service.inference.traffic import Canary, is_chosen
from service.model.repository import Repository
from service.model.version import Model
from service.protocols import Dialect, explain, invocations, oip, predict, tfserving

# Where a path leads that a cloud has chosen for predictions: Vertex AI sends this body.
V1 = "/v1/models/<model>:predict"
# Every route that runs the model, as a Flask rule, and the dialect it speaks.
ROUTES: dict[str, Dialect] = {
    "/predict": predict,
    "/explain": explain,
    "/invocations": invocations,
    V1: tfserving,
    "/v1/models/<model>/versions/<int:version>:predict": tfserving,
    "/v1/models/<model>:explain": explain,
    "/v1/models/<model>/versions/<int:version>:explain": explain,
    "/v2/models/<model>/infer": oip,
    "/v2/models/<model>/versions/<int:version>/infer": oip,
}
DIALECTS = sorted({dialect.NAME for dialect in ROUTES.values()})

# Distinct kinds of requests that are remembered; most services see fewer than ten.
MOST_KINDS = 256
NO_PARAMETERS: Mapping[str, str] = {}
CANARY = 1  # what a canary's kind is above the default's


class Endpoint(NamedTuple):
    """Where a path leads.

    Attributes:
        route: the Flask rule that the path matches.
        model: name of the model in the path, None without one.
        version: version in the path, None without one.
        dialect: what is spoken there, if it is a door of its own and none of `ROUTES`.
    """

    route: str
    model: str | None = None
    version: int | None = None
    dialect: Dialect | None = None


class Target(NamedTuple):
    """What a head asks for, or why that is refused.

    Attributes:
        route: the Flask rule that the path matches.
        kind: number that requests share which can be answered together, and whose cost
            is proportional to the size of their bodies.
        alone: whether such requests are to be answered one by one all the same.
        refusal: why any request with this head is refused, whatever its body.
        model: the version to ask; None if refused.
        dialect: how the body is to be read; None if refused.
        options: what the dialect has read in the head, or its RequestError.
        encoding: how the body is compressed.
        canary: the same of the canary, if the request's id decides between the two.
        timeout_s: seconds after which an answer comes too late; None if nothing says so,
            and inf if the body may.
    """

    route: str
    kind: int
    alone: bool = False
    refusal: RequestError | None = None
    model: Model | None = None
    dialect: Dialect | None = None
    options: Any = None
    encoding: str = ""
    canary: "Target | None" = None
    timeout_s: float | None = None

    @property
    def version(self) -> int | None:
        """The number of the version to ask."""
        return self.model.version if self.model else None

    def with_timeout(self, seconds: float) -> "Target":
        """Return the same for a client that waits for another time."""
        return self if self.refusal else self._replace(timeout_s=seconds)

    def allowed_s(self, body: bytes) -> float:
        """Return the seconds after which an answer to a body comes too late.

        Whatever a compressed body says is not looked for.
        """
        allowed = inf if self.timeout_s is None else self.timeout_s
        peek = getattr(self.dialect, "peek_timeout", None)
        if peek is not None and not self.encoding:
            allowed = min(allowed, peek(self.options, body))
        return allowed


class Targets:
    """Reads heads of inference requests.

    Args:
        repository: the versions that are served.
        access: who may ask.
        predict_route: one more path that leads to `V1`; none if empty.
        canary: which requests without a version go to another one than the default.
    """

    def __init__(
        self,
        repository: Repository,
        access: Access,
        predict_route: str = "",
        canary: Canary | None = None,
    ) -> None:
        self._repository, self._access = repository, access
        self._canary = canary
        self.endpoints: Mapping[str, Endpoint] = dict(_paths(repository, predict_route))
        self._kinds: dict[Any, int] = {}
        # Never reused; 0 is for what inference does not answer, and the number after a kind
        # for the same of the canary.
        self._numbers = count(CANARY + 1, CANARY + 1)

    def read(self, endpoint: Endpoint, query: str, headers: Headers) -> Target:
        """Read a head; never raises a RequestError, but returns it in the target.

        Args:
            endpoint: where the path leads.
            query: what follows the question mark, as it was sent.
            headers: by lower-case name.
        """
        own = endpoint.dialect
        # A browser, and so a page of another site, cannot reach another door than HTTP's.
        refuse = self._access.refuse if own is None else self._access.refuse_key
        refusal = refuse(endpoint.route, headers)
        if refusal is not None:
            return Target(endpoint.route, self._kind(refusal), refusal=refusal)
        parameters = parse_query(query) if query else NO_PARAMETERS
        version = endpoint.version
        try:
            if version is None:
                version = asked_version(parameters)
            model = self._repository.find(endpoint.model, version)
            dialect = own or ROUTES[endpoint.route]
            timeout = _timeout(dialect, headers, own is not None)
        except RequestError as error:
            refusal = error.without_frames()
            return Target(endpoint.route, self._kind(refusal), refusal=refusal)
        try:
            options = dialect.read_head(headers, parameters)
        except RequestError as error:
            options = error.without_frames()
        encoding = headers.get("content-encoding", "")
        target = Target(
            endpoint.route,
            self._kind((dialect.NAME, model.version, options, timeout is None)),
            # A compressed body is larger than it looks, and may be refused; each form has
            # a boundary of its own.
            bool(encoding or getattr(options, "boundary", "")),
            None,
            model,
            dialect,
            options,
            encoding,
            None,
            timeout,
        )
        if self._canary is None or version is not None:
            return target
        return self._divert(target, self._canary, headers)

    def _divert(self, target: Target, canary: Canary, headers: Headers) -> Target:
        """Return the canary's target, or the default's with what is left to decide."""
        other = target._replace(
            kind=target.kind + CANARY, model=self._repository.get(canary.version)
        )
        if not canary.header:
            return target._replace(canary=other)
        value = headers.get(canary.header, "")
        return other if value and is_chosen(value, canary.percent) else target

    def _kind(self, key: Any) -> int:
        if len(self._kinds) == MOST_KINDS:
            self._kinds.clear()
        return self._kinds.setdefault(key, next(self._numbers))


def _timeout(dialect: Dialect, headers: Headers, by_call: bool) -> float | None:
    """Return a target's `timeout_s`; by gRPC, each call has its own.

    Raises:
        RequestError: 400, the header is malformed.
    """
    value = "" if by_call else headers.get(deadline.HEADER, "")
    if value:
        return deadline.read(value)
    return inf if by_call or hasattr(dialect, "peek_timeout") else None


def asked_version(parameters: Mapping[str, str]) -> int | None:
    """Read ``?version=``, for paths that name no version.

    Raises:
        RequestError: 400, it is not a number.
    """
    version = parameters.get("version")
    if version is None:
        return None
    # A number of any size, as in a path; gunicorn's limit of the request line, 4,094 bytes,
    # is below what int() refuses, 4,300 digits.
    try:
        if version.isascii() and version.isdecimal():
            return int(version)
    except ValueError:
        pass
    raise RequestError(400, f"version is {version!r:.100}, expected a whole number")


def parse_query(query: str) -> Mapping[str, str]:
    """Parse a query string as werkzeug does for ``request.args``."""
    from werkzeug.datastructures import MultiDict  # and the handler of errors named here

    pairs = parse_qsl(query, keep_blank_values=True, errors="werkzeug.url_quote")
    return MultiDict(pairs)


def _paths(repository: Repository, more: str) -> Iterator[tuple[str, Endpoint]]:
    """Yield every path of the routes, with the model and the versions that are served."""
    if not repository.models:
        return
    name = repository.default.name
    if more:
        yield more, Endpoint(V1, name)
    for route in ROUTES:
        model = name if "<model>" in route else None
        path = route.replace("<model>", name)
        if "<int:version>" not in path:
            yield path, Endpoint(route, model)
            continue
        for version in repository.models:
            versioned = path.replace("<int:version>", str(version))
            yield versioned, Endpoint(route, model, version)
