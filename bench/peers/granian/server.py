"""Granian's own interface, RSGI: a coroutine per request, and a reply in one call."""

from typing import Any

from bench.peers.answers import ROUTES


async def app(scope: Any, protocol: Any) -> None:
    """Answer by the path."""
    media_type, body = ROUTES[scope.path](await protocol())
    protocol.response_bytes(200, [("content-type", media_type)], body)
