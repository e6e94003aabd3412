"""From a picture of a digit, PNG or JPEG, to the frame that the network knows.

Every byte comes from a stranger: what is not a picture, or costs too much, is refused.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BytesIO

import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image, PngImagePlugin

from service import images
from service.errors import RequestError

PNG, JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"  # how their files begin
SCAN = b"\xff\xda"  # how each scan of a JPEG begins
MAX_SCANS = 100  # a usual progressive JPEG has 10; each goes over the whole picture
MAX_SCANS_OF_LARGEST = 16  # so that small files of many scans cost no more than usual ones
MAX_CHUNKS = 10_000  # of a PNG; 80 MB in the 8 KiB parts that libpng writes
LONGEST = images.SIDE * images.GLYPH  # a digit of 1/28 of the side still fills 20 pixels
LEAST_BOX = 4  # pixels of the ink's longer side; a dot is no digit
OWN_PAPER = 32  # grey levels (standard deviation); ink alone is of about one grey

# Text is never read, and Pillow inflates it: limits below its own 1 MiB and 64 MiB, and
# above a colour profile's usual 3 KiB and what cameras and editors write.
PngImagePlugin.MAX_TEXT_CHUNK = 64 * 1024
PngImagePlugin.MAX_TEXT_MEMORY = 256 * 1024
Image.MAX_IMAGE_PIXELS = None  # `read` compares the size with the caller's limit instead
warnings.filterwarnings("ignore", module=r"PIL\.")  # a stranger's file is not our defect

_UPRIGHT = {  # EXIF's orientation: what turns the picture back
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def decode(content: bytes, max_pixels: int, name: str = "image 0") -> npt.NDArray[np.uint8]:
    """Find the digit in a picture and bring it into the MNIST frame.

    Args:
        content: a PNG or JPEG file.
        max_pixels: the largest width × height that is decoded.
        name: what messages call the picture.

    Returns:
        Grey levels, white on black, uint8 ``[784]``.

    Raises:
        RequestError: 400 for what is empty or damaged, 413 for what is too large, 415 for
            another format, 422 for a picture without a digit.
    """
    grey = _grey(read(content, max_pixels, name))
    ink = images.ink(grey, lossy=content.startswith(JPEG))
    _check_ink(ink, name)
    return images.frame(ink).reshape(-1)


def read(content: bytes, max_pixels: int, what: str = "picture") -> Image.Image:
    """Decode a picture's first frame, upright and no larger than a digit needs.

    Args:
        content: a PNG or JPEG file.
        max_pixels: the largest width × height that is decoded.
        what: what messages call the picture.

    Returns:
        The picture in mode L, LA, RGBA or CMYK, its longer side at most 560.

    Raises:
        RequestError: 400 for what is empty or damaged, 413 for what is too large, 415 for
            another format.
    """
    _check_kind(content, what)
    with _refusing(what):
        with _open(content) as picture:
            _check_size(picture.size, max_pixels, what)
            _check_parts(content, picture.size, max_pixels, what)
            picture.verify()  # a PNG's checksums, which `load` does not compare
        with _open(content) as picture:
            picture.draft("L", (LONGEST, LONGEST))  # a JPEG is decoded smaller at once
            picture.load()
            small = _shrink(_with_grey_levels(picture))
            return _turn_upright(small, picture)


def size(content: bytes) -> tuple[int, int]:
    """Return width and height as the file announces them; (0, 0) if it does not."""
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
    """Refuse what takes long because of its many parts; ``limit`` is of pixels."""
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
    """Count chunks, and stop where they are too many."""
    count, at = 0, len(PNG)
    while at + 8 <= len(content) and count <= MAX_CHUNKS:
        at += 12 + int.from_bytes(content[at : at + 4], "big")
        count += 1
    return count


def _check_ink(ink: images.Array, name: str) -> None:
    rows, columns = np.nonzero(ink.any(axis=1))[0], np.nonzero(ink.any(axis=0))[0]
    if not rows.size:
        raise RequestError(
            422,
            f"{name} has no ink: nothing {images.LEAST_INK} grey levels from the paper, "
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
    """Answer whatever Pillow raises for damaged bytes.

    It raises what its parsers stumble over: OSError, SyntaxError, struct.error, KeyError
    and others, with texts about its own objects that are nothing for a client.
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
    """Bring a picture into a mode in which pixels can be averaged."""
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
    with suppress(Exception):  # a picture is whole without its EXIF
        orientation = source.getexif().get(ExifTags.Base.Orientation)
    turn = _UPRIGHT.get(orientation) if isinstance(orientation, int) else None
    return picture if turn is None else picture.transpose(turn)


def _grey(picture: Image.Image) -> images.Array:
    """Lay the picture on paper: grey levels, float32 ``[height, width]``, 0 to 255."""
    if picture.mode == "CMYK":
        picture = picture.convert("RGB")
    if not picture.has_transparency_data:
        return np.asarray(picture.convert("L"), dtype=np.float32)
    pair = np.asarray(picture.convert("LA"), dtype=np.float32)
    grey, alpha = pair[..., 0], pair[..., 1] / 255
    flat: images.Array = grey * alpha + _paper_beneath(grey, alpha) * (1 - alpha)
    return flat


def _paper_beneath(grey: images.Array, alpha: images.Array) -> float:
    """Choose the grey on which what is not transparent shows as ink."""
    weight = float(alpha.sum())
    if not weight:
        return 0
    mean = float((grey * alpha).sum()) / weight
    spread = (float((np.square(grey - mean) * alpha).sum()) / weight) ** 0.5
    if weight > alpha.size / 2 and spread > OWN_PAPER:
        # It has its own paper, only cut at the corners or the edge: that goes on.
        return float(np.median(grey[alpha > 0.5]))
    return 255 if mean < 128 else 0
