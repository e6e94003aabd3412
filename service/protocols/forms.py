"""Multipart forms (RFC 7578): the contents of the files in the field ``image``."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import chain

from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.http import parse_options_header
from werkzeug.sansio.multipart import (
    Data,
    Epilogue,
    Event,
    Field,
    File,
    MultipartDecoder,
    NeedData,
)

from service.errors import RequestError

FIELD = "image"
# Bytes decoded at a time, as in werkzeug's own form parser: the decoder copies its buffer.
PIECE = 64 * 1024


def read_boundary(content_type: str) -> str:
    """Return the boundary in a Content-Type header, or raise RequestError (400)."""
    boundary = parse_options_header(content_type)[1].get("boundary", "")
    if not (boundary and boundary.isascii()):
        raise _unexpected_fields(())
    return boundary


def read_files(body: bytes, boundary: str, max_parts: int) -> list[bytes]:
    """Return the contents of the files in the field ``image``.

    Args:
        body: the form.
        boundary: returned by `read_boundary`.
        max_parts: most fields and files in the form.

    Raises:
        RequestError: 400 a damaged form, another field or no file; 413 too many parts.
    """
    files: list[bytes] = []
    others: set[str] = set()
    decoder = MultipartDecoder(boundary.encode(), max_parts=max_parts)
    try:
        with suppress(ValueError):  # a damaged form counts as one without fields
            files, others = _split(_events(decoder, body))
    except RequestEntityTooLarge:
        raise RequestError(413, "form has too many parts or too long a field") from None
    if others or not files:
        raise _unexpected_fields(others)
    return files


def _events(decoder: MultipartDecoder, body: bytes) -> Iterator[Event]:
    pieces = (body[start : start + PIECE] for start in range(0, len(body), PIECE))
    for piece in chain(pieces, [None]):  # None marks the end
        decoder.receive_data(piece)
        while not isinstance(event := decoder.next_event(), NeedData | Epilogue):
            yield event


def _split(events: Iterable[Event]) -> tuple[list[bytes], set[str]]:
    """Return the files in the field ``image`` and the names of all other fields."""
    files: list[bytes] = []
    others: set[str] = set()
    content: list[bytes] = []
    wanted = False  # whether the part being decoded is such a file
    for event in events:
        if isinstance(event, Field | File):
            wanted = isinstance(event, File) and event.name == FIELD
            if not wanted:
                others.add(event.name or "")
        elif isinstance(event, Data) and wanted:
            content.append(event.data)
            if not event.more_data:
                files.append(b"".join(content))
                content = []
    return files, others


def _unexpected_fields(names: Iterable[str]) -> RequestError:
    return RequestError(
        400,
        f"form has the fields {sorted(names)!r:.100}, expected files in the field "
        f"{FIELD!r}",
    )
