"""What a file is by its first bytes, and what is said of it."""

from typing import NamedTuple

from service.errors import RequestError

PNG, JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"
GIF = b"GIF8"
READ = "PNG, JPEG, WebP or GIF"
# By their first bytes: what it is, and what its owner can do. Pillow could read some. TIFF
# and AVIF are whole families of codings, each of which is more code that strangers reach;
# a BMP may be packed in a way that Pillow unpacks in Python; and it has no HEIC.
_OTHERS = [
    (b"BM", "a BMP", "save it as PNG"),
    (b"II*\0", "a TIFF", "save it as PNG"),
    (b"MM\0*", "a TIFF", "save it as PNG"),
    (b"%PDF", "a PDF", "send a picture of its page, as PNG"),
    (b"<svg", "an SVG", "send it drawn, as PNG"),
    (b"<?xml", "XML, as SVG is,", "send it drawn, as PNG"),
    (b"data:", "a data URL", "send the bytes that it has in base64"),
    (b"iVBORw0KGgo", "a PNG in base64", "send the bytes themselves"),
    (b"/9j/", "a JPEG in base64", "send the bytes themselves"),
]
# Brands of the container that HEIC and AVIF share: bytes 4 to 12.
_HEIC = (b"ftypheic", b"ftypheix", b"ftypheim", b"ftypheis", b"ftypmif1", b"ftypmsf1")

# Work is in samples: one byte of an unfiltered PNG, at most 7 ns on a Xeon of 2026.
# Opening it, and framing its digit: less than the 0.25 ms that these take, so that there is
# room for the 1,024 pictures of a request, which take 0.3 s.
WORK_A_PICTURE = 16 * 1024
WORK_A_PART = 1024  # in Pillow's Python code: 7 µs
_ORIENTATION = 0x0112


class Picture(NamedTuple):
    """What the parts of a file say.

    Attributes:
        size: width and height; zeros if there is no header.
        work: what decoding costs, in samples.
        content: the file without what pixels do not need.
        orientation: EXIF's, 1 to 8; 1 if there is none.
        scans: of a JPEG.
        memory: bytes that the decoder keeps at once, where they grow with the picture.
    """

    size: tuple[int, int]
    work: int
    content: bytes
    orientation: int = 1
    scans: int = 0
    memory: int = 0


def is_webp(content: bytes) -> bool:
    """Whether a file is a WebP."""
    return content.startswith(b"RIFF") and content[8:12] == b"WEBP"


def check(content: bytes, what: str) -> None:
    """Refuse what is no PNG, JPEG, WebP or GIF, and say what to do.

    Raises:
        RequestError: 400 if empty, 415 for another kind.
    """
    if not content:
        raise RequestError(400, f"{what} is empty, expected {READ}")
    if content.startswith((PNG, JPEG, GIF)) or is_webp(content):
        return
    start, advice = f"begins with {content[:4].hex(' ')}", ""
    if content[4:12] in _HEIC:
        start, advice = "is a HEIC, as iPhones make it", ": save or share it as JPEG"
    elif content[4:12] in (b"ftypavif", b"ftypavis"):
        start, advice = "is an AVIF", ": save it as JPEG"
    for first, name, act in _OTHERS:
        if content.startswith(first):
            start, advice = f"is {name}", f": {act}"
    raise RequestError(415, f"{what} {start}, expected {READ}{advice}")


def damaged(what: str) -> RequestError:
    """Return the error for a file that cannot be decoded."""
    return RequestError(
        400,
        f"{what} is damaged or cut short, expected a whole {READ}",
        reason="damaged_picture",
    )


def too_many(what: str, kind: str, most: int) -> RequestError:
    """Return the error for a file of too many parts."""
    return RequestError(413, f"{what} is a {kind}, expected at most {most}")


def orientation_of(exif: memoryview) -> int:
    """Return the orientation in EXIF's first directory; 1 if there is none."""
    order = {b"II": "little", b"MM": "big"}.get(bytes(exif[:2]))
    if order is None:
        return 1

    def number(at: int, size: int) -> int:
        return int.from_bytes(exif[at : at + size], order)  # type: ignore[arg-type]

    directory = number(4, 4)
    entries = number(directory, 2)
    for at in range(directory + 2, directory + 2 + 12 * min(entries, 200), 12):
        if number(at, 2) == _ORIENTATION:
            return number(at + 8, 2)
    return 1
