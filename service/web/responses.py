"""Flask's responses: replies, and what clients may keep."""

import gzip
from hashlib import sha256
from typing import NamedTuple

from flask import Response, g, request

from service.http import Reply

YEAR_S = 365 * 24 * 3600  # as long as caches understand
LEVEL = 6  # of gzip: 9 takes a third longer for 0.1 % less


class Kept(NamedTuple):
    """Content that a client may keep, and how the client recognises it.

    Attributes:
        content: the bytes.
        content_type: media type.
        digest: differs for other content; becomes the validator (ETag).
        squeezed: the content compressed with gzip; None where that hardly helps.
    """

    content: bytes
    content_type: str
    digest: str
    squeezed: bytes | None = None


def response(reply: Reply) -> Response:
    """Return a reply as Flask's response; ``g.reply`` keeps it for metrics and log."""
    g.reply = reply
    found = Response(reply.body, reply.status, content_type=reply.content_type)
    found.headers.update(reply.headers)
    return found


def squeeze(content: bytes, content_type: str) -> Kept:
    """Return content with its SHA-256 and compressed."""
    squeezed = gzip.compress(content, LEVEL, mtime=0)
    worth = len(squeezed) < 0.9 * len(content)  # not of a PNG, say
    digest = sha256(content).hexdigest()
    return Kept(content, content_type, digest, squeezed if worth else None)


def kept(what: Kept, *, for_good: bool = False) -> Response:
    """Return what the client needs: everything, a part, or that nothing has changed.

    Args:
        what: the content.
        for_good: whether the URL never has other content, so that nobody need ask again.
    """
    body, tag = what.content, what.digest
    if what.squeezed is not None and _prefers_gzip():
        # A strong validator differs between encodings (RFC 9110, 8.8.3.3).
        body, tag = what.squeezed, f"{what.digest}-gzip"
    found = Response(body, content_type=what.content_type)
    if body is what.squeezed:
        found.content_encoding = "gzip"
    if what.squeezed is not None:
        found.vary.add("Accept-Encoding")
    found.set_etag(tag)
    cache = found.cache_control
    if for_good:
        cache.public, cache.max_age, cache.immutable = True, YEAR_S, True
    else:
        cache.no_cache = True
    found.make_conditional(request, _asks_for_part(), len(body))
    return found


def _asks_for_part() -> bool:
    """Whether Range is one that can be met; werkzeug would refuse it, not ignore it."""
    asked = request.range  # None for none, and for what is no range
    return asked is not None and asked.units == "bytes" and len(asked.ranges) == 1


def _prefers_gzip() -> bool:
    return request.accept_encodings.best_match(("gzip", "identity"), "identity") == "gzip"
