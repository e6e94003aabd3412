"""Compressed request bodies: inflate them up to a limit."""

import zlib

from service.errors import RequestError

# zlib's wbits: 31 is gzip; 15 is zlib, which HTTP calls deflate (RFC 9110, 8.4.1).
WINDOWS = {"gzip": 31, "x-gzip": 31, "deflate": 15}


# Bytes that a body may have inflated, for they cost its sender nothing: as 1,024 images
# have in JSON, about 2.6 kB each, and more than they have in any other format. Pictures,
# which may be larger, are compressed themselves.
MOST_INFLATED = 4 * 1024 * 1024


def inflate(body: bytes, encoding: str, limit: int) -> bytes:
    """Undo a ``Content-Encoding``.

    Args:
        body: the body as sent.
        encoding: the header's value; empty and identity return the body unchanged.
        limit: most bytes of a body; inflating stops there, or at `MOST_INFLATED`.

    Raises:
        RequestError: 400 damaged, 413 over the limit, 415 another encoding.
    """
    coding = encoding.strip().lower() or "identity"
    if coding == "identity":
        return body
    if coding not in WINDOWS:
        raise RequestError(
            415,
            f"Content-Encoding is {encoding!r:.100}, expected gzip, deflate or none",
            {"Accept-Encoding": "gzip, deflate"},
        )
    limit = min(limit, MOST_INFLATED)
    inflater = zlib.decompressobj(WINDOWS[coding])
    try:
        content = inflater.decompress(body, limit + 1)
    except zlib.error:
        raise RequestError(400, f"body is not {coding}, as its encoding says") from None
    if len(content) > limit:
        raise RequestError(
            413, f"body has more than {limit} bytes inflated, expected at most {limit}"
        )
    if not inflater.eof or inflater.unused_data:
        found = "has more bytes after its end" if inflater.eof else "is cut short"
        raise RequestError(400, f"{coding} body {found}, expected one whole stream")
    return content
