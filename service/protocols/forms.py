"""Multipart forms (RFC 7578): the contents of the files in the field ``image``."""

from collections.abc import Iterable, Iterator
from contextlib import suppress

from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.http import parse_options_header
from werkzeug.sansio.multipart import (
    BLANK_LINE_RE,
    Data,
    Epilogue,
    Event,
    Field,
    File,
    MultipartDecoder,
    NeedData,
    State,
)

from service.errors import RequestError

FIELD = "image"
# Bytes of the headers of one part, as of a request; and of all parts together, at that for
# each beyond. Names and types take 150; a hostile byte costs up to 0.3 µs to parse.
MAX_HEAD, HEAD = 8 * 1024, 256


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
        RequestError: 400 a damaged form, another field or no file; 413 too many parts, or
            their headers too long.
    """
    files: list[bytes] = []
    others: set[str] = set()
    decoder = MultipartDecoder(boundary.encode(), max_parts=max_parts)
    try:
        with suppress(ValueError):  # a damaged form counts as one without fields
            files, others = _split(_events(decoder, body, MAX_HEAD + HEAD * max_parts))
    except RequestEntityTooLarge:
        raise RequestError(413, "form has too many parts or too long a field") from None
    if FIELD in others:
        raise RequestError(
            400,
            f"form has a part {FIELD!r} without a filename, expected a file: "
            f'Content-Disposition: form-data; name="{FIELD}"; filename="..."',
        )
    if others or not files:
        raise _unexpected_fields(others)
    return files


def _events(decoder: MultipartDecoder, body: bytes, heads: int) -> Iterator[Event]:
    """Yield what is in a form, whose parts have so many bytes of headers at most."""
    # All at once, which is as quick: where a piece ends within the last boundary, between
    # its two hyphens, werkzeug 3.1 adds a CR to the file before it.
    for piece in (body, None):  # None marks the end
        decoder.receive_data(piece)
        while True:
            if decoder.state is State.PART:
                heads -= _head_length(decoder.buffer, min(heads, MAX_HEAD))
            event = decoder.next_event()
            if isinstance(event, NeedData | Epilogue):
                break
            yield event


def _head_length(buffer: bytearray, most: int) -> int:
    """Return the length of the headers that a buffer begins with; 0 without their end.

    Raises:
        RequestError: 413, they are longer.
    """
    end = BLANK_LINE_RE.search(buffer, 0, most + 4)
    if end is None and len(buffer) > most + 4:
        raise RequestError(
            413,
            f"form has too long headers in its parts, expected at most {MAX_HEAD} bytes "
            f"in a part and {HEAD} on average",
        )
    return end.start() if end else 0


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
