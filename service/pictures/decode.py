"""Decode a file with the picture of a digit into an MNIST frame.

Every byte is untrusted: whatever is no picture, or costs too much to decode, is refused.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from service.errors import RequestError
from service.pictures import strips
from service.pictures.files import MAX_SCANS, MAX_SCANS_OF_LARGEST, SCAN, walk
from service.pictures.frame import LEAST_INK, Array, fit
from service.pictures.grey import LONGEST, averageable, factor_of, grey, shrunk
from service.pictures.ink import See, separate
from service.pictures.kinds import JPEG, PNG, Picture, check, damaged, is_webp, too_many

__all__ = ["JPEG", "PNG", "SCAN", "Budget", "decode", "read"]

# Work that the pictures of a request may cause, in samples of 7 ns: 0.26 s, which is
# enough for 1,024 small drawings or 30 photographs. The first may be as large as any, and
# have four samples a pixel: decoding it is not counted.
BUDGET = 36 * 1024 * 1024
SAMPLES_A_PIXEL = 4
# Bytes that a decoder may keep at once: 50 megapixels of a progressive JPEG, 12 of a WebP.
MOST_MEMORY = 192 * 1024 * 1024
LEAST_BOX = 4  # pixels, longer side of the ink's box; rejects dots

FORMATS = "PNG", "JPEG", "WEBP", "GIF"

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


class Budget:
    """What decoding the pictures of one request may cost, by what they announce.

    Args:
        max_pixels: largest accepted width × height of one picture.
    """

    def __init__(self, max_pixels: int) -> None:
        self.max_pixels = max_pixels
        self._free = SAMPLES_A_PIXEL * max_pixels
        self._left = BUDGET

    def spend(self, samples: int, what: str) -> None:
        """Take samples off, or raise RequestError (413) if there are not as many."""
        self._left -= max(0, samples - self._free)
        self._free = 0
        if self._left < 0:
            raise RequestError(
                413,
                f"{what} takes more work than is left in the request, expected the work of "
                f"at most {BUDGET} samples of pixels beside the first picture",
            )


class Decoded(NamedTuple):
    """A picture's frame.

    Attributes:
        pixels: grey levels, white on black, uint8 ``[784]``.
        several: whether the picture shows more than one digit.
    """

    pixels: npt.NDArray[np.uint8]
    several: bool


def decode(
    content: bytes,
    budget: Budget | int,
    name: str = "image 0",
    see: See = lambda name, array: None,
) -> npt.NDArray[np.uint8]:
    """Return the pixels of `decode_digits`."""
    return decode_digits(content, budget, name, see).pixels


def decode_digits(
    content: bytes,
    budget: Budget | int,
    name: str = "image 0",
    see: See = lambda name, array: None,
) -> Decoded:
    """Decode a picture and fit its digit into an MNIST frame.

    Args:
        content: PNG, JPEG, WebP or GIF file.
        budget: the request's, or the largest accepted width × height of one alone.
        name: the picture's name in error messages.
        see: called with the name and the array of every step.

    Raises:
        RequestError: 400 if empty or damaged, 413 if too large, 415 for another format,
            422 if there is no digit.
    """
    budget = budget if isinstance(budget, Budget) else Budget(budget)
    levels = grey(read(content, budget, name))
    glyph, several, work = separate(
        levels, content.startswith(JPEG) or is_webp(content), see
    )
    budget.spend(work, name)
    _check_ink(glyph, name)
    return Decoded(fit(glyph).reshape(-1), several)


def read(content: bytes, budget: Budget, what: str = "picture") -> Image.Image:
    """Decode a file's first picture, upright and no larger than needed.

    Args:
        content: PNG, JPEG, WebP or GIF file.
        budget: the request's.
        what: the picture's name in error messages.

    Returns:
        Picture in mode L, LA, RGB, RGBA, YCbCr or CMYK, longer side at most 560 pixels.

    Raises:
        RequestError: 400 if empty or damaged, 413 if too large, 415 for another format.
    """
    check(content, what)
    with _refusing(what):
        found = walk(content, what)
        _check_size(found, budget.max_pixels, what)
        budget.spend(found.work, what)
        small = _decoded(found, what)
        turn = _UPRIGHT.get(found.orientation)
        return small if turn is None else small.transpose(turn)


def _decoded(found: Picture, what: str) -> Image.Image:
    """Decode a file, large ones in parts or at a reduced size."""
    factor = factor_of(found.size)
    if found.content.startswith(PNG) and strips.able(strips.header_of(found.content)):
        return strips.decode(found.content, factor, averageable)
    with Image.open(BytesIO(found.content), formats=FORMATS) as picture:
        if picture.size != found.size:  # a header that Pillow reads in another way
            raise damaged(what)
        picture.draft("YCbCr", (LONGEST, LONGEST))  # decodes a JPEG at reduced size
        picture.load()
        return _shrunk(picture)


def _shrunk(picture: Image.Image) -> Image.Image:
    """Average a picture's pixels, a band of rows at a time: conversions take memory."""
    factor = factor_of(picture.size)
    if picture.width * picture.height <= strips.LARGE:
        return shrunk(averageable(picture), factor)
    height = factor * max(1, strips.STRIP // (factor * picture.width))
    found = None
    for top in range(0, picture.height, height):
        box = 0, top, picture.width, min(top + height, picture.height)
        part = shrunk(averageable(picture.crop(box)), factor)
        if found is None:
            found = Image.new(part.mode, (part.width, -(-picture.height // factor)))
        found.paste(part, (0, top // factor))
    assert found is not None
    return found


def _check_size(picture: Picture, max_pixels: int, what: str) -> None:
    width, height = picture.size
    if width * height > max_pixels:
        raise RequestError(
            413,
            f"{what} has {width} × {height} pixels, expected at most {max_pixels} in all",
        )
    if picture.memory > MOST_MEMORY:
        pixels = width * height * MOST_MEMORY // picture.memory
        raise RequestError(
            413,
            f"{what} has {width} × {height} pixels in a coding that is decoded at once, "
            f"expected at most {pixels} in all: save it smaller, or as a JPEG",
        )
    most = min(MAX_SCANS, MAX_SCANS_OF_LARGEST * max_pixels // max(1, width * height))
    if picture.scans > most:
        raise too_many(what, f"JPEG of {picture.scans} scans", most)


def _check_ink(glyph: Array, name: str) -> None:
    if not glyph.any():
        raise RequestError(
            422,
            f"{name} has no ink: nothing is {LEAST_INK} grey levels from the paper, and "
            "more than its noise, expected a digit",
            reason="no_ink",
        )
    height, width = glyph.shape
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
        raise damaged(what) from error
