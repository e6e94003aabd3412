"""A WSGI application without a framework, for the servers that run any."""

from collections.abc import Callable, Iterable
from typing import Any

from bench.peers.answers import ROUTES


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer by the path."""
    content = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    media_type, body = ROUTES[environ["PATH_INFO"]](content)
    headers = [("Content-Type", media_type), ("Content-Length", str(len(body)))]
    start_response("200 OK", headers)
    return [body]
