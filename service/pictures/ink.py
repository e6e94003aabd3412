"""Separate a picture's ink from its paper, and the digit from all else.

`reading` finds the digit in a picture of at most 128 pixels. Its ink is then cut out of
the full picture.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from service.pictures.digit import Digit, Role
from service.pictures.frame import GLYPH, LEAST_INK, SIDE
from service.pictures.grey import grain, undithered
from service.pictures.paper import COARSE, Paper
from service.pictures.reading import FAINTEST, Reading, read
from service.pictures.shapes import Box, Floats, Levels, Mask, bounds, grow, parts

FAINT_ENDS = 3  # pixels of the full picture at least, beyond what is surely ink
# Of pictures out of which single pixels are filtered, and how grained. In smaller ones
# strokes may be as thin: one of 2 pixels in 28 is 8 wide here.
LEAST_SIDE, ROUGH = 4 * SIDE, 4
# What it takes, in samples as `kinds.Picture`: for each reading, for each pixel of the
# reduced picture, and of the full one. Of clean paper, and of any other.
CLEAN_WORK, UNEVEN_WORK = (4 * 1024, 3, 2), (768 * 1024, 8, 6)

NOTHING = np.zeros((1, 1), np.float32)

See = Callable[[str, npt.NDArray[Any]], None]


class Ink(NamedTuple):
    """What was written.

    Attributes:
        levels: ink from 0 (paper) up in the smallest box around it, float32 ``[height,
            width]``; one zero if the strongest is below 16 grey levels.
        several: whether there is more than one digit.
        work: what it took, in samples of 7 ns, as of `kinds.Picture`.
    """

    levels: Floats
    several: bool
    work: int


def separate(
    levels: Levels, lossy: bool = False, see: See = lambda name, array: None
) -> Ink:
    """Separate a picture's ink from its paper, and keep one digit's.

    Args:
        levels: 0 (black) to 255 (white), uint8 ``[height, width]``.
        lossy: whether the picture was a JPEG or the like, with faint rings around its ink.
        see: called with the name and the array of every step.
    """
    see("grey", levels)
    levels = undithered(levels)
    factor = -(-max(levels.shape) // COARSE)
    coarse = _reduced(levels, factor)
    see("reduced", coarse)
    reading, tried = read(levels, coarse)
    see("paper", reading.paper.level)
    see("contrast", reading.contrast)
    see("roles", reading.digit.roles)
    found = _cut(levels, reading, factor, lossy)
    see("ink", found)
    fixed, small, full = CLEAN_WORK if tried == 0 else UNEVEN_WORK
    work = max(tried, 1) * (fixed + small * coarse.size) + full * levels.size
    return Ink(found, reading.digit.several, work)


def _cut(levels: Levels, reading: Reading, factor: int, lossy: bool) -> Floats:
    """Cut the digit out of the picture of full size."""
    box, region = _place(reading, factor, lossy)
    if box is None or not reading.strong:
        return NOTHING
    rows, columns = (slice(n.start * factor, n.stop * factor) for n in box)
    part = levels[rows, columns].astype(np.float32)
    strong, least = reading.strong, reading.least
    if not reading.clean:  # the noise of full size is that of the reduced one, and more
        rough = grain(levels)
        least = max(least, min(4 * rough, 0.4 * strong))
        if rough > ROUGH and min(levels.shape) >= LEAST_SIDE:
            part = _without_specks(part)
    excess = _enlarged(reading.paper, box, factor, part.shape).contrast(part)
    np.maximum(excess, 0, out=excess)
    filled = reading.digit.filled
    if filled is not None:
        inner = filled[box] & reading.digit.mask[box]
        excess[_large(inner, factor, part.shape)] = excess.max()
    if region is not None:
        excess *= _large(region[box], factor, part.shape)
    if reading.clean and lossy:
        least = FAINTEST * float(excess.max())
    if least:
        excess[excess < least] = 0
    inked = bounds(excess > 0)
    return NOTHING if inked is None or excess.max() < LEAST_INK else excess[inked]


def _place(reading: Reading, factor: int, lossy: bool) -> tuple[Box | None, Mask | None]:
    """Return the box of the digit in the reduced picture, and where in that its ink may be.

    Both with its faint ends; None is nowhere for the box, and anywhere for the rest.
    """
    digit = reading.digit
    dropped = digit.roles > Role.DIGIT
    if reading.clean and not lossy:
        return _with_faint_ends(digit, dropped, reading.contrast > 0)
    near = grow(digit.mask, -(-FAINT_ENDS // factor))
    near = near & ~grow(dropped) | digit.mask
    return bounds(near), near


def _with_faint_ends(
    digit: Digit, dropped: Mask, inked: Mask
) -> tuple[Box | None, Mask | None]:
    """Return the place of a digit, with all ink that hangs together with it, or nearly."""
    if digit.box is None:
        return None, None
    # Two pixels of the frame: an MNIST digit's faintest are no farther from the others.
    reach = -(-2 * max(place.stop - place.start for place in digit.box) // GLYPH)
    every = replace(digit, mask=inked)
    strange = dropped.any() or (every.cut and not digit.cut)  # something is at the border
    if every.box is not None and not strange and _within(every.box, digit.box, reach // 2):
        return every.box, None
    ends = parts(inked).reaching(grow(digit.mask, reach // 2)) & ~grow(dropped) | digit.mask
    rows, columns = (slice(max(0, n.start - reach), n.stop + reach) for n in digit.box)
    return (rows, columns), ends


def _within(box: Box, other: Box, reach: int) -> bool:
    """Whether a box goes beyond another by no more than some pixels on each side."""
    return all(
        inner.start >= outer.start - reach and inner.stop <= outer.stop + reach
        for inner, outer in zip(box, other)
    )


def _enlarged(paper: Paper, box: Box, factor: int, shape: tuple[int, ...]) -> Paper:
    """Return the part of a paper that is in a box, enlarged to the full picture."""
    level, gain = (_of_full_size(values, box, factor, shape) for values in paper[1:])
    return paper._replace(level=level, gain=gain)


def _large(mask: Mask, factor: int, shape: tuple[int, ...]) -> Mask:
    """Enlarge a mask of the reduced picture to the full one."""
    large = np.repeat(np.repeat(mask, factor, axis=0), factor, axis=1)
    return large[: shape[0], : shape[1]]


def _reduced(levels: Levels, factor: int) -> Floats:
    """Average squares of pixels; those at the last edges may be smaller."""
    if factor == 1:
        return levels.astype(np.float32)
    height, width = (-(-n // factor) * factor for n in levels.shape)
    whole = np.zeros((height, width), np.uint8)
    whole[: levels.shape[0], : levels.shape[1]] = levels
    for _ in range(2):  # rows, then columns
        sums = np.add(whole[::factor], whole[1::factor], dtype=np.float32)
        for place in range(2, factor):
            sums += whole[place::factor]
        whole = np.ascontiguousarray(sums.T)
    down, across = (np.minimum(factor, n - np.arange(0, n, factor)) for n in levels.shape)
    means: Floats = (whole * (1 / (down[:, None] * across))).astype(np.float32)
    return means


def _of_full_size(values: Floats, box: Box, factor: int, shape: tuple[int, ...]) -> Floats:
    if values.size == 1:
        return values
    if factor == 1:
        return values[box]
    top, left = (place.start for place in box)
    ends = left, top, left + shape[1] / factor, top + shape[0] / factor
    size = shape[1], shape[0]
    picture = Image.fromarray(values).resize(size, Image.Resampling.BILINEAR, ends)
    return np.asarray(picture, np.float32)


def _without_specks(levels: Floats) -> Floats:
    """Apply a 3-pixel median filter on both axes."""
    for _ in range(2):
        first, middle, last = levels[:-2], levels[1:-1], levels[2:]
        low, high = np.minimum(first, last), np.maximum(first, last)
        levels = np.pad(np.clip(middle, low, high), [(1, 1), (0, 0)], mode="edge").T
    return levels
