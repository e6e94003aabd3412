"""Who may ask: API keys, host names, and the address of the metrics."""

import re
from collections.abc import Sequence
from hashlib import sha256
from hmac import compare_digest
from typing import Any

from service.errors import RequestError, SettingsError
from service.http import Headers
from service.settings import Settings

# Open to all: probes and visitors of the pages send no key.
LIVE, METRICS = "/livez", "/metrics"
READY = ("/readyz", "/ping", "/health")  # Kubernetes', SageMaker's, MLflow's
HEALTH = {LIVE, *READY, "/v2/health/live", "/v2/health/ready"}
PAGES = {"/", "/learn", "/docs", "/openapi.json", "/gallery.json"}
ASSETS = ("/static/", "/docs/")
PROBES = (METRICS, LIVE, "/readyz")  # all that is served at the metrics' own address

KEY = re.compile(r"[A-Za-z0-9._~+/-]+=*")  # a bearer token (RFC 6750, 2.1)
# What pages of other sites may not ask, since it costs work or tells something; without a
# preflight a browser sends text/plain and forms. Rules and paths end alike.
RUNS = re.compile(
    r"/predict|/explain|/invocations|/feedback|/v1/.*:(predict|explain)|/v2/.*/infer"
)
# A Host and its name (RFC 9110, 7.2; RFC 3986, 3.2.2): an address in brackets, or a name.
HOST = re.compile(
    r"(\[[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*\]|\[v[0-9A-Fa-f]+\.[\w.~!$&'()*+,;=:-]+\]|"
    r"(?:[\w.~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+)(?::[0-9]*)?",
    re.ASCII,
)
# The start of a target in absolute form, and its host (RFC 9112, 3.2.2).
ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://([^/?#]*)")
NO_HOST = "\0"  # no header can have this value
ADDRESS = re.compile(r"([0-9.]+|\[[0-9A-Fa-f:.]+\])(:[0-9]+)?")  # a Host that is an address
LEAST_LENGTH = 16  # letters and digits: 95 bits, which nobody guesses


class Access:
    """Decides who may ask, before anything else of a request is read.

    Args:
        settings: path of the file of keys, host names, address of the metrics.
        keys: content of that file, or why it cannot be read; None without one.

    Attributes:
        health: paths of health checks, open to all.
        probes: paths that `Probes` answers.

    Raises:
        SettingsError: the file of keys, or the path of health checks, cannot be used.
    """

    def __init__(self, settings: Settings, keys: bytes | OSError | None = None) -> None:
        self._keys = [] if keys is None else read_keys(keys)
        route = settings.health_route
        if RUNS.fullmatch(route):  # it would need no key
            raise SettingsError(
                f"MNIST_HEALTH_ROUTE has value {route!r}, expected a path of its own"
            )
        self.health = HEALTH | ({route} if route else set())
        self.probes = {METRICS, LIVE, *READY} | self.health - HEALTH
        self._hosts = settings.trusted_hosts
        if self._hosts:  # importing werkzeug takes 30 ms
            from werkzeug.sansio.utils import host_is_trusted

            self._is_trusted = host_is_trusted
        host, _, port = settings.metrics_bind.rpartition(":")
        self._metrics = (host.strip("[]"), int(port)) if port else None
        # Shared, so that refusals batch; never raise them (tracebacks would pile up).
        self._cross_site = RequestError(
            403,
            "header Sec-Fetch-Site is 'cross-site', expected no page of another site",
            reason="cross_site",
        )
        self._no_key = RequestError(
            401,
            "found no valid API key, expected the header Authorization: Bearer <key>",
            {"WWW-Authenticate": "Bearer"},
        )

    @property
    def needs_key(self) -> bool:
        """Whether anything is answered only with a key."""
        return bool(self._keys)

    def refuse(
        self, path: str, headers: Headers, at_metrics: bool = False
    ) -> RequestError | None:
        """Return why a request is refused, or None.

        Args:
            path: path of the request.
            headers: its headers.
            at_metrics: whether it arrived at the address of the metrics.
        """
        if at_metrics:
            known = ", ".join(PROBES)
            text = f"found no route {path!r:.100} at this address, expected {known}"
            return None if path in PROBES else RequestError(404, text)
        host = headers.get("host", NO_HOST)
        found = HOST.fullmatch(host)
        if host != NO_HOST and not found:
            text = f"header Host is {host!r:.100}, expected a name or address, and its port"
            return RequestError(400, text)
        if path in self.health:
            return None
        name = found[1].lower().removesuffix(".") if found else ""
        # Prometheus resolves a name and scrapes addresses. A page that abuses DNS cannot:
        # its requests carry its own name.
        exempt = path == METRICS and ADDRESS.fullmatch(host)
        if self._hosts and not exempt and not self._is_trusted(name, self._hosts):
            text = f"header Host is {host.strip(NO_HOST)!r:.100}"
            expected = "expected a name that is served here"
            return RequestError(400, f"{text}, {expected}", reason="wrong_host")
        if "cross-site" in headers.get("sec-fetch-site", "") and RUNS.fullmatch(path):
            return self._cross_site
        if without_key := self.refuse_key(path, headers):
            return without_key
        return no_route(path) if self._metrics and path == METRICS else None

    def refuse_key(self, path: str, headers: Headers) -> RequestError | None:
        """Return why a request is refused if its key alone decides, or None."""
        if self._keys and not is_open(path) and not self._knows(headers):
            return self._no_key
        return None

    def is_metrics_address(self, own: Any) -> bool:
        """Whether a socket's own end is the address of the metrics.

        Args:
            own: as from ``getsockname``: host and port, or the path of a Unix socket.
        """
        if self._metrics is None or not isinstance(own, tuple):
            return False
        (host, port), found = self._metrics, own[0]
        # Bound to all addresses, a socket still accepts only those of its own family.
        every = host in ("0.0.0.0", "::") and (":" in host) == (":" in found)
        return bool(own[1] == port and (every or found == host))

    def _knows(self, headers: Headers) -> bool:
        """Compare digests, with every key: the time reveals nothing about any of them."""
        scheme, _, key = headers.get("authorization", "").partition(" ")
        digest = sha256(key.strip(" ").encode()).digest()
        equal = [compare_digest(digest, known) for known in self._keys]
        return scheme.lower() == "bearer" and any(equal)


def authority(target: str) -> str | None:
    """Return the host in a request's target, which counts instead of the header Host.

    Only a target in absolute form has one, as in ``GET http://host/path``.
    """
    found = ABSOLUTE.match(target)
    return found[1] if found else None


def is_below(path: str, prefix: str) -> bool:
    """Whether a path is the prefix, or begins with it as whole segments."""
    return path.startswith(prefix) and path[len(prefix) :][:1] in ("", "/")


def is_open(path: str) -> bool:
    """Whether a path is answered without a key."""
    return path in HEALTH or path in PAGES or path.startswith(ASSETS)


def no_route(path: str) -> RequestError:
    """Return the error for a path without a route."""
    found = f"{path!r:.100}"
    return RequestError(
        404, f"found no route {found}, expected one of those in /openapi.json"
    )


def read_keys(content: bytes | OSError) -> Sequence[bytes]:
    """Return the SHA-256 of each key.

    Args:
        content: content of the file, or why it cannot be read.

    Raises:
        SettingsError: what is wrong with the file; never shows a key, nor the path, which
            is one if someone has mistaken the setting for it.
    """
    expected = "expected the path of a file with keys"
    if isinstance(content, OSError):
        raise SettingsError(
            f"MNIST_API_KEYS cannot be read, {expected}: {content.strerror}"
        )
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise SettingsError(f"MNIST_API_KEYS is not in UTF-8, {expected}") from None
    lines = [line.strip() for line in text.splitlines()]
    keys = {n: line for n, line in enumerate(lines, 1) if line and line[0] != "#"}
    for number, key in keys.items():
        if len(key) < LEAST_LENGTH or not KEY.fullmatch(key):
            raise SettingsError(
                f"MNIST_API_KEYS is a file whose line {number} has {len(key)} characters "
                f"and is no key, expected at least {LEAST_LENGTH} letters, digits and any "
                "of -._~+/"
            )
    if not keys:
        raise SettingsError("MNIST_API_KEYS is a file without a key, expected one a line")
    return [sha256(key.encode()).digest() for key in keys.values()]
