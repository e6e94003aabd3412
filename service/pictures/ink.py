"""Separate a picture's ink from its paper, and the digit from all else.

The paper is looked for in several ways, the next one where what the one before leaves is
no whole digit (`Reading.whole`), or no stroke:

1. `_clean`: the border has one grey level, and is the paper. Drawings and screenshots.
2. `paper.by_classes`: one of two classes of grey is the paper, by a vote. Photographs.
3. `paper.by_closing`: the paper is what is around strokes, wherever they are. Shadows, and
   reflections of lamps.
4. The other class of grey: a sheet on a table, whose ink has lost the vote.

Each is tried on a picture of at most 128 pixels, with a contrast to the paper, whose parts
`digit.find` sorts. The digit's ink is then cut out of the full picture.
"""

from collections.abc import Callable
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from service.pictures.digit import Digit, Role, find
from service.pictures.frame import LEAST_INK
from service.pictures.paper import (
    COARSE,
    Paper,
    by_classes,
    by_closing,
    clean_paper,
    grain,
    noise,
    threshold,
    undithered,
)
from service.pictures.shapes import (
    Floats,
    Mask,
    grow,
    shrink,
    span,
    without_specks,
    without_stray,
)

FAINTEST = 0.1  # of the strongest ink; fainter is noise of a camera or JPEG
# Of the strongest ink, where parts are taken: above the rings of a JPEG, and where that
# leaves no whole digit, above most ruled lines, which have 15 to 35 %. After these comes
# what is above the weaker of two kinds of ink, such as dark squares or shades.
PARTS_AT = 0.15, 0.35
# Of the longer side, windows that are closed: wider than most pens, and than nearly all.
WINDOWS = 0.2, 0.35
MOST_SPECKS = 0.01  # of a clean picture; dust and slips of a pen are less
LEAST_CLOSED = 40  # pixels; in smaller pictures a window is hardly wider than a pen
WIDEST_PEN = 0.36  # of the longer side, largest square in a bold digit that fills it
FAINT_ENDS = 3  # pixels of the full picture at least, beyond what is surely ink
# Of the ink, the range in 3 × 3 pixels at nine tenths of an outline: less is a shade of the
# light and no edge; and what another way of seeing needs to be preferred.
LEAST_SHARP, SHARP = 0.25, 0.32
# What it takes, in samples as `kinds.Picture`: for each reading, for each pixel of the
# reduced picture, and of the full one. Of clean paper, and of any other.
CLEAN_WORK, UNEVEN_WORK = (4 * 1024, 3, 2), (128 * 1024, 16, 10)

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


class Reading(NamedTuple):
    """One way to see a picture, reduced.

    Attributes:
        paper: its paper.
        contrast: how far each pixel is from it.
        strong: contrast of the ink, in grey levels; 0 if there is none.
        least: contrast of the faintest ink.
        digit: the digit.
        sharp: how sharp its outline is, as a fraction of the ink.
        clean: whether the paper has one grey level, and no noise.
    """

    paper: Paper
    contrast: Floats
    strong: float
    least: float
    digit: Digit
    sharp: float = 0.0
    clean: bool = False

    @property
    def whole(self) -> bool:
        """Whether it is a digit with paper all around, and not a shade of the light."""
        return self.digit.free and self.sharp > LEAST_SHARP


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
    reading, tried = _read(levels, coarse)
    see("paper", reading.paper.level)
    see("contrast", reading.contrast)
    see("roles", reading.digit.roles)
    found = _full(levels, reading, factor, lossy)
    see("ink", found)
    fixed, small, full = CLEAN_WORK if tried == 0 else UNEVEN_WORK
    work = max(tried, 1) * (fixed + small * coarse.size) + full * levels.size
    return Ink(found, reading.digit.several, work)


def _read(levels: Floats, coarse: Floats) -> tuple[Reading, int]:
    """Return the first reading with a whole digit, or the likeliest; and how many."""
    clean = _clean(levels, coarse)
    if clean is not None and not clean.digit.sheet:
        return clean, 0
    classes = by_classes(coarse)
    first = clean or _reading(coarse, next(classes))
    pen, side = first.digit.pen, max(coarse.shape)
    strokes = not (first.digit.sheet or first.digit.blob)
    if first.whole and pen <= WINDOWS[0] * side and strokes:
        return first, 1
    if first.sharp > SHARP and pen <= WIDEST_PEN * side and strokes:
        return first, 1  # which the border cuts
    if min(coarse.shape) < LEAST_CLOSED:
        return first, 1
    closings = (paper for window in WINDOWS if (paper := by_closing(coarse, window)))
    tried = 1
    for paper in chain(closings, classes):
        if first.whole and paper.light == first.paper.light:
            continue  # it could only be a part of the same
        tried += 1
        other = _reading(coarse, paper)
        opposite = other.paper.light != first.paper.light
        loop = other.digit.blob and opposite and not first.digit.sheet
        if other.whole and other.sharp > SHARP and not (loop or other.digit.sheet):
            return other, tried
    return first, tried


def _clean(levels: Floats, coarse: Floats) -> Reading | None:
    """Read a picture whose paper has one grey level; None if it has many."""
    level = clean_paper(levels)
    if level is None:
        return None
    inset = min(levels.shape) // 12
    if inset and clean_paper(levels[inset:-inset, inset:-inset]) != level:
        return None  # the border is a frame, or the ink is everywhere
    excess = coarse - np.float32(level)
    light = _power(np.clip(excess, 0, None)) >= _power(np.clip(-excess, 0, None))
    contrast = np.clip(excess if light else -excess, 0, None)
    strong = float(contrast.max())
    mask = contrast >= max(PARTS_AT[0] * strong, 1e-3)
    paper = Paper(bool(light), np.full(coarse.shape, level, np.float32))
    digit = find(mask, contrast)
    if np.count_nonzero(digit.roles == Role.SPECK) > MOST_SPECKS * mask.size:
        return None  # noise
    return Reading(paper, contrast, strong, 0, digit, 1, clean=True)


def _reading(coarse: Floats, paper: Paper) -> Reading:
    """Find the digit on a paper."""
    contrast = np.clip(paper.contrast(coarse), 0, None)
    split, apart = threshold(contrast)
    sigma = noise(coarse, paper.contrast(coarse), contrast <= split)
    inked = contrast[contrast > split]
    strong = float(np.percentile(inked, 75)) if inked.size else 0.0
    least = max(FAINTEST * strong, 4 * sigma)
    nothing = Digit(np.zeros(coarse.shape, bool), np.zeros(coarse.shape, np.uint8))
    reading = Reading(paper, contrast, 0, least, nothing)
    if strong < 0.6 * LEAST_INK or apart < max(0.6 * LEAST_INK, 3.5 * sigma):
        return reading
    edges = span(coarse)
    for share in PARTS_AT:
        found = max(share * strong, least, 1)
        reading = _parts(reading, edges, strong, least, found)
        if reading.whole:
            return reading
    # Where the ink is of two kinds, the stronger may be the digit.
    split = threshold(inked)[0]
    stronger = inked[inked > split]
    if stronger.size:
        strong = float(np.percentile(stronger, 75))
        other = _parts(reading, edges, strong, split, split)
        if other.whole:
            return other
    return reading


def _parts(
    reading: Reading, edges: Floats, strong: float, least: float, split: float
) -> Reading:
    """Find the digit in the ink above a contrast."""
    digit = find(reading.contrast >= split, reading.contrast)
    outline = digit.mask & ~shrink(digit.mask)
    sharp = float(np.quantile(edges[outline], 0.1)) / strong if outline.any() else 0.0
    return Reading(reading.paper, reading.contrast, strong, least, digit, sharp)


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
    return without_stray(excess) if reading.clean and not lossy else excess


def _excess(levels: Floats, paper: Paper, factor: int, clean: bool) -> Floats:
    """Return how far each pixel of the full picture is from the paper, 0 or more."""
    if not clean and min(levels.shape) > 3 and grain(levels) > 4:
        levels = without_specks(levels)
    full = _enlarged(paper.level, factor, levels.shape)
    excess = levels - full if paper.light else full - levels
    np.maximum(excess, 0, out=excess)
    if not clean and not paper.light:
        # In a shadow, ink is as much darker than its paper, and not by as many levels.
        brightest = paper.level.max()
        excess *= brightest / np.maximum(full, 0.3 * brightest)
    return excess


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


def _power(ink: Floats) -> float:
    """Sum the squares; by einsum, since `vdot` takes several cores for a large picture."""
    return float(np.einsum("ij,ij->", ink, ink))
