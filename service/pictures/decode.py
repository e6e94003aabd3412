"""Decode a PNG or JPEG picture of a digit into an MNIST frame.

Every byte is untrusted: whatever is no picture, or costs too much to decode, is refused.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BytesIO

import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image, PngImagePlugin

from service.errors import RequestError
from service.pictures.frame import GLYPH, LEAST_INK, SIDE, Array, frame, ink

PNG, JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"  # file signatures
SCAN = b"\xff\xda"  # start-of-scan marker of JPEG
MAX_SCANS = 100  # a typical progressive JPEG has 10; each covers the whole picture
MAX_SCANS_OF_LARGEST = 16  # at max_pixels, so that scan bombs cost no more than photos
MAX_CHUNKS = 10_000  # of a PNG; 80 MB in the 8 KiB chunks that libpng writes
LONGEST = SIDE * GLYPH  # 560; a digit 1/28 of the side still fills 20 pixels
LEAST_BOX = 4  # pixels, longer side of the ink's box; rejects dots
OWN_PAPER = 32  # grey levels (standard deviation); ink alone is nearly uniform

# Pillow inflates text that we never read. These limits are below its defaults (1 MiB and
# 64 MiB) and above a typical colour profile (3 KiB) and what cameras and editors write.
PngImagePlugin.MAX_TEXT_CHUNK = 64 * 1024
PngImagePlugin.MAX_TEXT_MEMORY = 256 * 1024
Image.MAX_IMAGE_PIXELS = None  # `read` checks the caller's limit instead
warnings.filterwarnings("ignore", module=r"PIL\.")  # a client's broken file is not our bug

_UPRIGHT = {  # EXIF orientation: the transposition that undoes it
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def decode(content: bytes, max_pixels: int, name: str = "image 0") -> npt.NDArray[np.uint8]:
    """Decode a picture and fit its digit into an MNIST frame.

    Args:
        content: PNG or JPEG file.
        max_pixels: largest accepted width × height.
        name: the picture's name in error messages.

    Returns:
        Grey levels, white on black, uint8 ``[784]``.

    Raises:
        RequestError: 400 if empty or damaged, 413 if too large, 415 for another format,
            422 if there is no digit.
    """
    grey = _grey(read(content, max_pixels, name))
    glyph = ink(grey, lossy=content.startswith(JPEG))
    _check_ink(glyph, name)
    return frame(glyph).reshape(-1)


def read(content: bytes, max_pixels: int, what: str = "picture") -> Image.Image:
    """Decode a picture's first frame, upright and no larger than needed.

    Args:
        content: PNG or JPEG file.
        max_pixels: largest accepted width × height.
        what: the picture's name in error messages.

    Returns:
        Picture in mode L, LA, RGBA or CMYK, longer side at most 560 pixels.

    Raises:
        RequestError: 400 if empty or damaged, 413 if too large, 415 for another format.
    """
    _check_kind(content, what)
    with _refusing(what):
        with _open(content) as picture:
            _check_size(picture.size, max_pixels, what)
            _check_parts(content, picture.size, max_pixels, what)
            picture.verify()  # PNG checksums, which `load` ignores; must reopen after
        with _open(content) as picture:
            picture.draft("L", (LONGEST, LONGEST))  # decodes a JPEG at reduced size
            picture.load()
            small = _shrink(_with_grey_levels(picture))
            return _turn_upright(small, picture)


def size(content: bytes) -> tuple[int, int]:
    """Return the width and height declared in the header; (0, 0) if unreadable."""
    with suppress(Exception), _open(content) as picture:
        return picture.size
    return 0, 0


def _open(content: bytes) -> Image.Image:
    return Image.open(BytesIO(content), formats=("PNG", "JPEG"))


def _check_kind(content: bytes, what: str) -> None:
    if not content:
        raise RequestError(400, f"{what} is empty, expected PNG or JPEG")
    if not content.startswith((PNG, JPEG)):
        raise RequestError(
            415, f"{what} begins with {content[:4].hex(' ')}, expected PNG or JPEG"
        )


def _check_size(size: tuple[int, int], max_pixels: int, what: str) -> None:
    width, height = size
    if width * height > max_pixels:
        raise RequestError(
            413,
            f"{what} has {width} × {height} pixels, expected at most {max_pixels} in all",
        )


def _check_parts(content: bytes, size: tuple[int, int], limit: int, what: str) -> None:
    """Refuse files with too many chunks or scans; ``limit`` is in pixels."""
    if content.startswith(PNG):
        kind, count, most = "PNG of {} chunks", _count_chunks(content), MAX_CHUNKS
    else:
        kind, count = "JPEG of {} scans", content.count(SCAN)
        most = min(MAX_SCANS, MAX_SCANS_OF_LARGEST * limit // (size[0] * size[1]))
    if count > most:
        raise RequestError(
            413, f"{what} is a {kind.format(count)}, expected at most {most}"
        )


def _count_chunks(content: bytes) -> int:
    """Count PNG chunks, stopping once there are too many."""
    count, at = 0, len(PNG)
    while at + 8 <= len(content) and count <= MAX_CHUNKS:
        at += 12 + int.from_bytes(content[at : at + 4], "big")
        count += 1
    return count


def _check_ink(glyph: Array, name: str) -> None:
    rows, columns = np.nonzero(glyph.any(axis=1))[0], np.nonzero(glyph.any(axis=0))[0]
    if not rows.size:
        raise RequestError(
            422,
            f"{name} has no ink: nothing {LEAST_INK} grey levels from the paper, "
            "expected a digit",
            reason="no_ink",
        )
    height, width = rows[-1] - rows[0] + 1, columns[-1] - columns[0] + 1
    if max(height, width) < LEAST_BOX:
        raise RequestError(
            422,
            f"{name} has ink of {width} × {height} pixels, expected a digit of at least "
            f"{LEAST_BOX}",
            reason="no_ink",
        )


@contextmanager
def _refusing(what: str) -> Iterator[None]:
    """Turn whatever Pillow raises into a RequestError 400.

    On damaged bytes its parsers raise OSError, SyntaxError, struct.error, KeyError and
    others, with internal details that are of no use to a client.
    """
    try:
        yield
    except RequestError:
        raise
    except Exception as error:
        raise RequestError(
            400,
            f"{what} is damaged or cut short, expected a whole PNG or JPEG",
            reason="damaged_picture",
        ) from error


def _with_grey_levels(picture: Image.Image) -> Image.Image:
    """Convert a picture to a mode whose pixels can be averaged."""
    if picture.mode.startswith("I"):  # 16 bits
        levels = np.asarray(picture)
        grey = Image.fromarray((levels >> 8).astype(np.uint8))
        if "transparency" in picture.info:
            inked = (levels != picture.info["transparency"]).astype(np.uint8)
            grey.putalpha(Image.fromarray(inked * np.uint8(255)))
        return grey
    if picture.has_transparency_data:
        return picture.convert("RGBA")
    return picture if picture.mode == "CMYK" else picture.convert("L")


def _shrink(picture: Image.Image) -> Image.Image:
    factor = -(-max(picture.size) // LONGEST)
    return picture.reduce(factor) if factor > 1 else picture


def _turn_upright(picture: Image.Image, source: Image.Image) -> Image.Image:
    orientation = None
    with suppress(Exception):  # EXIF is optional
        orientation = source.getexif().get(ExifTags.Base.Orientation)
    turn = _UPRIGHT.get(orientation) if isinstance(orientation, int) else None
    return picture if turn is None else picture.transpose(turn)


def _grey(picture: Image.Image) -> Array:
    """Flatten onto paper: grey levels 0 to 255, float32 ``[height, width]``."""
    if picture.mode == "CMYK":
        picture = picture.convert("RGB")
    if not picture.has_transparency_data:
        return np.asarray(picture.convert("L"), dtype=np.float32)
    pair = np.asarray(picture.convert("LA"), dtype=np.float32)
    grey, alpha = pair[..., 0], pair[..., 1] / 255
    flat: Array = grey * alpha + _paper_beneath(grey, alpha) * (1 - alpha)
    return flat


def _paper_beneath(grey: Array, alpha: Array) -> float:
    """Return the paper's grey level that makes opaque pixels stand out as ink."""
    weight = float(alpha.sum())
    if not weight:
        return 0
    mean = float((grey * alpha).sum()) / weight
    spread = (float((np.square(grey - mean) * alpha).sum()) / weight) ** 0.5
    if weight > alpha.size / 2 and spread > OWN_PAPER:
        # The picture has its own paper, transparent only at corners or edges: extend it.
        return float(np.median(grey[alpha > 0.5]))
    return 255 if mean < 128 else 0
