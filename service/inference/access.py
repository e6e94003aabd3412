"""Who may ask: API keys, host names, and the address of the metrics."""

import re
from collections.abc import Sequence
from hashlib import sha256
from hmac import compare_digest
from pathlib import Path
from typing import Any

from werkzeug.sansio.utils import host_is_trusted

from service.errors import RequestError, SettingsError
from service.http import Headers
from service.settings import Settings

# Open to all: probes and visitors of the pages send no key.
HEALTH = {"/livez", "/readyz", "/v2/health/live", "/v2/health/ready"}
PAGES = {"/", "/learn", "/docs", "/openapi.json", "/gallery.json"}
ASSETS = ("/static/", "/docs/")
METRICS = "/metrics"
AT_METRICS = (METRICS, "/livez", "/readyz")

KEY = re.compile(r"[A-Za-z0-9._~+/-]+=*")  # a bearer token (RFC 6750, 2.1)
ADDRESS = re.compile(r"([0-9.]+|\[[0-9A-Fa-f:.]+\])(:[0-9]+)?")  # a Host that is an address
LEAST_LENGTH = 16  # letters and digits: 95 bits, which nobody guesses


class Access:
    """Decides who may ask, before anything else of a request is read.

    Args:
        settings: path of the file of keys, host names, address of the metrics.
        keys: content of that file, or why it cannot be read; None without one.

    Raises:
        SettingsError: the file of keys cannot be used.
    """

    def __init__(self, settings: Settings, keys: bytes | OSError | None = None) -> None:
        self._keys = [] if keys is None else read_keys(settings.api_keys, keys)
        self._hosts = settings.trusted_hosts
        host, _, port = settings.metrics_bind.rpartition(":")
        self._metrics = (host.strip("[]"), int(port)) if port else None
        # Shared, so that refusals batch; never raise it (tracebacks would pile up).
        self._no_key = RequestError(
            401,
            "found no valid API key, expected the header Authorization: Bearer <key>",
            {"WWW-Authenticate": "Bearer"},
        )

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
            known = ", ".join(AT_METRICS)
            text = f"found no route {path!r:.100} at this address, expected {known}"
            return None if path in AT_METRICS else RequestError(404, text)
        if path in HEALTH:
            return None
        host = headers.get("host", "")
        # Prometheus resolves a name and scrapes addresses. A page that abuses DNS cannot:
        # its requests carry its own name.
        exempt = path == METRICS and ADDRESS.fullmatch(host)
        if self._hosts and not exempt and not host_is_trusted(host.lower(), self._hosts):
            return RequestError(
                400,
                f"header Host is {host!r:.100}, expected a name that is served here",
                reason="wrong_host",
            )
        if self._keys and not is_open(path) and not self._knows(headers):
            return self._no_key
        return no_route(path) if self._metrics and path == METRICS else None

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


def is_open(path: str) -> bool:
    """Whether a path is answered without a key."""
    return path in HEALTH or path in PAGES or path.startswith(ASSETS)


def no_route(path: str) -> RequestError:
    """Return the error for a path without a route."""
    found = f"{path!r:.100}"
    return RequestError(
        404, f"found no route {found}, expected one of those in /openapi.json"
    )


def read_keys(path: Path | None, content: bytes | OSError) -> Sequence[bytes]:
    """Return the SHA-256 of each key.

    Args:
        path: path of their file, from the settings.
        content: content of the file, or why it cannot be read.

    Raises:
        SettingsError: what is wrong with the file; never shows a key.
    """
    start = f"MNIST_API_KEYS has value {str(path)!r}"
    expected = "expected a file with keys"
    if isinstance(content, OSError):
        raise SettingsError(f"{start}, {expected}: {content.strerror}")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise SettingsError(f"{start}, {expected}: not UTF-8") from None
    lines = [line.strip() for line in text.splitlines()]
    keys = {n: line for n, line in enumerate(lines, 1) if line and line[0] != "#"}
    for number, key in keys.items():
        if len(key) < LEAST_LENGTH or not KEY.fullmatch(key):
            raise SettingsError(
                f"{start}, whose line {number} has {len(key)} characters and is no key, "
                f"expected at least {LEAST_LENGTH} letters, digits and any of -._~+/"
            )
    if not keys:
        raise SettingsError(f"{start}, a file without a key, expected one a line")
    return [sha256(key.encode()).digest() for key in keys.values()]
