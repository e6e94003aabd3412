"""Decode a PNG or JPEG picture of a digit into an MNIST frame.

Every byte is untrusted: whatever is no picture, or costs too much to decode, is refused.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO

import numpy as np
import numpy.typing as npt
from PIL import Image

from service.errors import RequestError
from service.pictures.files import (
    JPEG,
    MAX_SCANS,
    MAX_SCANS_OF_LARGEST,
    PNG,
    SCAN,
    Picture,
    damaged,
    too_many,
    walk,
)
from service.pictures.frame import (
    GLYPH,
    LEAST_INK,
    SIDE,
    Array,
    clean_paper,
    frame,
    ink,
)

__all__ = ["JPEG", "PNG", "SCAN", "Budget", "decode", "read"]

# Work that a request may cause: 0.25 s, whatever is in its pictures. That is enough for
# 1,024 small ones, seven largest ones in grey, or one in RGBA of 16 bits.
LEAST_BUDGET = 32 * 1024 * 1024
SAMPLES_A_PIXEL = 8  # of the largest picture, where a setting allows larger ones
SPARE = 4 * 1024 * 1024  # for the parts of such a file, and its digit on uneven paper
FRAMING = 2  # samples for each pixel that is looked at: 14 ns
UNEVEN = 48 * 1024, 8  # samples to model uneven paper: 0.35 ms, and 50 ns a pixel
LONGEST = SIDE * GLYPH  # 560; a digit 1/28 of the side still fills 20 pixels
LEAST_BOX = 4  # pixels, longer side of the ink's box; rejects dots
OWN_PAPER = 32  # grey levels (standard deviation); ink alone is nearly uniform

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
        self._total = max(LEAST_BUDGET, SAMPLES_A_PIXEL * max_pixels) + SPARE
        self._left = self._total

    def spend(self, samples: int, what: str) -> None:
        """Take samples off, or raise RequestError (413) if there are not as many."""
        self._left -= samples
        if self._left < 0:
            raise RequestError(
                413,
                f"{what} takes more work than is left in the request, expected the work of "
                f"at most {self._total} samples of pixels in all",
            )


def decode(
    content: bytes, budget: Budget | int, name: str = "image 0"
) -> npt.NDArray[np.uint8]:
    """Decode a picture and fit its digit into an MNIST frame.

    Args:
        content: PNG or JPEG file.
        budget: the request's, or the largest accepted width × height of one alone.
        name: the picture's name in error messages.

    Returns:
        Grey levels, white on black, uint8 ``[784]``.

    Raises:
        RequestError: 400 if empty or damaged, 413 if too large, 415 for another format,
            422 if there is no digit.
    """
    budget = budget if isinstance(budget, Budget) else Budget(budget)
    grey = _grey(read(content, budget, name))
    budget.spend(FRAMING * grey.size, name)
    paper = clean_paper(grey)
    if paper is None:
        budget.spend(UNEVEN[0] + UNEVEN[1] * grey.size, name)
    glyph = ink(grey, content.startswith(JPEG), paper)
    _check_ink(glyph, name)
    return frame(glyph).reshape(-1)


def read(content: bytes, budget: Budget, what: str = "picture") -> Image.Image:
    """Decode a picture's first frame, upright and no larger than needed.

    Args:
        content: PNG or JPEG file.
        budget: the request's.
        what: the picture's name in error messages.

    Returns:
        Picture in mode L, LA, RGBA or CMYK, longer side at most 560 pixels.

    Raises:
        RequestError: 400 if empty or damaged, 413 if too large, 415 for another format.
    """
    _check_kind(content, what)
    with _refusing(what):
        found = walk(content, what)
        _check_size(found, budget.max_pixels, what)
        budget.spend(found.work, what)
        with Image.open(BytesIO(found.content), formats=("PNG", "JPEG")) as picture:
            if picture.size != found.size:  # a header that Pillow reads in another way
                raise damaged(what)
            picture.draft("L", (LONGEST, LONGEST))  # decodes a JPEG at reduced size
            picture.load()
            small = _shrink(_with_grey_levels(picture))
        turn = _UPRIGHT.get(found.orientation)
        return small if turn is None else small.transpose(turn)


def _check_kind(content: bytes, what: str) -> None:
    if not content:
        raise RequestError(400, f"{what} is empty, expected PNG or JPEG")
    if not content.startswith((PNG, JPEG)):
        raise RequestError(
            415, f"{what} begins with {content[:4].hex(' ')}, expected PNG or JPEG"
        )


def _check_size(picture: Picture, max_pixels: int, what: str) -> None:
    width, height = picture.size
    if width * height > max_pixels:
        raise RequestError(
            413,
            f"{what} has {width} × {height} pixels, expected at most {max_pixels} in all",
        )
    most = min(MAX_SCANS, MAX_SCANS_OF_LARGEST * max_pixels // max(1, width * height))
    if picture.scans > most:
        raise too_many(what, f"JPEG of {picture.scans} scans", most)


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
        raise damaged(what) from error


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
