"""Separate a picture's ink from its paper, and the digit from all else.

`reading` finds the digit in a picture of at most 128 pixels. Its ink is then cut out of
the full picture.
"""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from service.pictures.digit import Role
from service.pictures.frame import GLYPH, LEAST_INK, SIDE
from service.pictures.grey import undithered
from service.pictures.paper import COARSE, EVEN, Paper, grain
from service.pictures.reading import FAINTEST, Reading, read
from service.pictures.shapes import Floats, Mask, grow

FAINT_ENDS = 3  # pixels of the full picture at least, beyond what is surely ink
# Of pictures in which specks are looked for. In smaller ones strokes may be as thin: one
# of 2 pixels in 28 is 8 wide here.
LEAST_SIDE = 4 * SIDE
# What it takes, in samples as `kinds.Picture`: for each reading, for each pixel of the
# reduced picture, and of the full one. Of clean paper, and of any other.
CLEAN_WORK, UNEVEN_WORK = (4 * 1024, 3, 2), (768 * 1024, 8, 6)

See = Callable[[str, npt.NDArray[Any]], None]


class Ink(NamedTuple):
    """What was written.

    Attributes:
        levels: ink from 0 (paper) up, float32 ``[height, width]``; all zero if the
            strongest is below 16 grey levels.
        several: whether there is more than one digit.
        work: what it took, in samples of 7 ns, as of `kinds.Picture`.
    """

    levels: Floats
    several: bool
    work: int


def separate(
    grey: npt.NDArray[np.generic], lossy: bool = False, see: See = lambda name, array: None
) -> Ink:
    """Separate a picture's ink from its paper, and keep one digit's.

    Args:
        grey: 0 (black) to 255 (white), any numeric dtype, ``[height, width]``.
        lossy: whether the picture was a JPEG or the like, with faint rings around its ink.
        see: called with the name and the array of every step.
    """
    levels = np.ascontiguousarray(grey, np.float32)
    see("grey", levels)
    levels = undithered(levels)
    factor = -(-max(levels.shape) // COARSE)
    coarse = _reduced(levels, factor)
    see("reduced", coarse)
    reading, tried = read(levels, coarse)
    see("paper", reading.paper.level)
    see("contrast", reading.contrast)
    see("roles", reading.digit.roles)
    found = _full(levels, reading, factor, lossy)
    see("ink", found)
    fixed, small, full = CLEAN_WORK if tried == 0 else UNEVEN_WORK
    work = max(tried, 1) * (fixed + small * coarse.size) + full * levels.size
    return Ink(found, reading.digit.several, work)


def _full(levels: Floats, reading: Reading, factor: int, lossy: bool) -> Floats:
    """Cut the digit out of the picture of full size."""
    none = np.zeros_like(levels)
    if not reading.strong:
        return none
    excess = _excess(levels, reading.paper, factor, reading.clean)
    strongest = float(excess.max())
    if strongest < LEAST_INK:
        return none
    filled, region = reading.digit.filled, _region(reading, factor, lossy)
    if filled is not None:
        excess[_large(filled & reading.digit.mask, factor, levels.shape)] = strongest
    if region is not None:
        excess[~_large(region, factor, levels.shape)] = 0
    least = reading.least
    if not reading.clean:  # the noise of full size is that of the reduced one, and more
        least = max(least, min(4 * grain(levels), 0.4 * reading.strong))
    elif lossy:
        least = FAINTEST * strongest
    if least:
        excess[excess < least] = 0
    if region is not None and excess.max() < LEAST_INK:
        return none
    return _without_stray(excess) if reading.clean and not lossy else excess


def _excess(levels: Floats, paper: Paper, factor: int, clean: bool) -> Floats:
    """Return how far each pixel of the full picture is from the paper, 0 or more."""
    if not clean and min(levels.shape) > 3 and grain(levels) > 4:
        levels = _without_specks(levels)
    full = paper._replace(level=_enlarged(paper.level, factor, levels.shape))
    if paper.gain is not EVEN:
        full = full._replace(gain=_enlarged(paper.gain, factor, levels.shape))
    excess = full.contrast(levels)
    return np.maximum(excess, 0, out=excess)


def _region(reading: Reading, factor: int, lossy: bool) -> Mask | None:
    """Mask where the digit's ink may be, in the reduced picture; None: anywhere."""
    digit = reading.digit
    dropped = digit.roles > Role.DIGIT
    if reading.clean and not lossy:
        return ~grow(dropped) | digit.mask if dropped.any() else None
    near = grow(digit.mask, -(-FAINT_ENDS // factor))
    return near & ~grow(dropped) | digit.mask


def _large(mask: Mask, factor: int, shape: tuple[int, ...]) -> Mask:
    """Enlarge a mask of the reduced picture to the full one."""
    large = np.repeat(np.repeat(mask, factor, axis=0), factor, axis=1)
    return large[: shape[0], : shape[1]]


def _reduced(levels: Floats, factor: int) -> Floats:
    if factor == 1:
        return levels
    return np.asarray(Image.fromarray(levels).reduce(factor), np.float32)


def _enlarged(level: Floats, factor: int, shape: tuple[int, ...]) -> Floats:
    if factor == 1:
        return level
    if np.ptp(level) == 0:
        return level[:1, :1]
    size, box = (shape[1], shape[0]), (0, 0, shape[1] / factor, shape[0] / factor)
    picture = Image.fromarray(level).resize(size, Image.Resampling.BILINEAR, box)
    return np.asarray(picture, np.float32)


def _without_stray(ink: Floats) -> Floats:
    """Clear specks, and faint ink away from the visible: no pixel alone makes the box."""
    if min(ink.shape) >= LEAST_SIDE:
        strokes = _crowded(ink > 0)
        if (ink[strokes] >= LEAST_INK).any():
            ink = np.where(strokes, ink, np.float32(0))
    visible = ink >= LEAST_INK
    ends = []
    for axis in (1, 0):
        places = np.nonzero(visible.any(axis=axis))[0]
        ends.append((int(places[0]), int(places[-1]) + 1))
    # Two pixels of the frame: an MNIST digit's faintest are no farther from the others.
    reach = -(-2 * max(stop - start for start, stop in ends) // GLYPH)
    rows, columns = (slice(max(0, start - reach), stop + reach) for start, stop in ends)
    kept = np.zeros_like(ink)
    kept[rows, columns] = ink[rows, columns]
    return kept


def _without_specks(levels: Floats) -> Floats:
    """Apply a 3-pixel median filter on both axes, unless strokes may be as thin."""
    if min(levels.shape) < LEAST_SIDE:
        return levels
    for _ in range(2):
        first, middle, last = levels[:-2], levels[1:-1], levels[2:]
        low, high = np.minimum(first, last), np.maximum(first, last)
        levels = np.pad(np.clip(middle, low, high), [(1, 1), (0, 0)], mode="edge").T
    return levels


def _crowded(inked: Mask) -> Mask:
    """Mask what is near a window of 5 × 5 with 5 inked pixels, as in a thin line."""
    centres = _sums(inked.view(np.uint8), "constant") >= 5
    crowded: Mask = _sums(centres.view(np.uint8), "constant") > 0
    return crowded


def _sums(picture: Any, beyond: Literal["constant", "edge"]) -> Any:
    """Sum the 5 × 5 window around each pixel; zeros or the edge are beyond the edge."""
    height, width = picture.shape
    wide = np.zeros((height + 4, width + 4), picture.dtype)
    wide[2:-2, 2:-2] = picture
    if beyond == "edge":
        wide[2:-2, :2], wide[2:-2, -2:] = picture[:, :1], picture[:, -1:]
        wide[:2], wide[-2:] = wide[2], wide[-3]
    pairs = wide[:-1] + wide[1:]
    rows = pairs[:-3] + pairs[2:-1]
    rows += wide[4:]
    pairs = rows[:, :-1] + rows[:, 1:]
    sums = pairs[:, :-3] + pairs[:, 2:-1]
    sums += rows[:, 4:]
    return sums
