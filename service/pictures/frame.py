"""Fit pen strokes, or a picture's ink, into the MNIST frame: 28 × 28, white on black."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

SIDE = 28  # pixels, side of an MNIST image
PIXELS = SIDE * SIDE  # 784
GLYPH = 20  # pixels; the digit fills a 20 × 20 box inside the image
LEAST_INK = 16  # of 255 grey levels from the paper; about what the eye can tell apart
FAINTEST = 0.1  # of the strongest ink; fainter is noise of a camera or JPEG

Stroke = Sequence[Sequence[float]]
Array = npt.NDArray[np.floating]


def draw(
    strokes: Iterable[Stroke], side: int = 112, pen: float = 0.1
) -> npt.NDArray[np.float32]:
    """Draw polylines with a round pen.

    Args:
        strokes: polylines of (x, y) points in the unit square, x right, y down.
        side: side of the square picture in pixels; 112 gives 4 × 4 samples per MNIST pixel.
        pen: pen width as a fraction of the side; 0.1 becomes about 2.5 MNIST pixels,
            within the training set's 2 to 4.

    Returns:
        Ink from 0 (none) to 1 (full), float32 ``[side, side]``, edges one pixel soft.
    """
    centre = (np.arange(side, dtype=np.float32) + 0.5) / side
    reach = pen / 2 + 1 / side  # soft edge of one pixel
    distance = np.full((side, side), np.inf, dtype=np.float32)
    for stroke in strokes:
        points = np.asarray(stroke, dtype=np.float32)
        for start, end in zip(points, points[1:] if len(points) > 1 else points):
            low = np.clip((np.minimum(start, end) - reach) * side, 0, side).astype(int)
            high = np.clip((np.maximum(start, end) + reach) * side + 1, 0, side).astype(int)
            x, y = (slice(*ends) for ends in zip(low, high))  # within the segment's reach
            near = _distance_to_segment(centre[x], centre[y, None], start, end)
            np.minimum(distance[y, x], near, out=distance[y, x])
    ink: npt.NDArray[np.float32] = np.clip((pen / 2 - distance) * side + 0.5, 0, 1)
    return ink


def ink(grey: npt.NDArray[np.generic], lossy: bool = False) -> Array:
    """Separate a picture's ink from its paper.

    The border is taken as paper. If it has a single grey level, every other level on the
    ink's side of it is ink, down to MNIST's faintest pixels. Otherwise, as in photographs,
    the paper is modelled as a smooth surface with noise; ink is what stands out from both.

    Args:
        grey: 0 (black) to 255 (white), any numeric dtype, ``[height, width]``.
        lossy: whether the picture was a JPEG, which has faint ringing around its ink.

    Returns:
        Ink from 0 (paper) up, float32 ``[height, width]``, whether it is brighter or darker
        than the paper. All zero if the strongest ink is below 16 grey levels.
    """
    levels = grey.astype(np.float32)
    border = np.concatenate([levels[0], levels[-1], levels[1:-1, 0], levels[1:-1, -1]])
    paper = np.median(border)
    if _is_clean(border - paper):
        excess, least = levels - np.float32(paper), 0.0
    else:
        levels = _without_specks(levels)
        surface, sigma = _surface(levels)
        # With normal noise, one in five pictures of 560 × 560 has a pixel beyond 5 sigma.
        excess, least = levels - surface, 5 * sigma
        lossy = True
    strongest = float(np.abs(excess).max())
    if strongest < LEAST_INK:
        return np.zeros_like(levels)
    if lossy:
        least = max(least, FAINTEST * strongest)
        excess[~_near_strokes(excess, least)] = 0
    excess[np.abs(excess) < least] = 0
    bright, dark = np.clip(excess, 0, None), np.clip(-excess, 0, None)
    found: Array = bright if np.vdot(bright, bright) >= np.vdot(dark, dark) else dark
    return found if found.max() >= LEAST_INK else np.zeros_like(levels)


def frame(ink: Array) -> npt.NDArray[np.uint8]:
    """Fit a glyph into the MNIST frame.

    Follows the preparation of the training set as reconstructed for QMNIST (Yadav and
    Bottou, "Cold Case: The Lost MNIST Digits", NeurIPS 2019): crop to the bounding box, pad
    to a square, average by area to 20 × 20, scale to a maximum of 255, centre by mass.

    Args:
        ink: 0 (paper) and up (more ink), any float dtype, ``[height, width]``.

    Returns:
        Grey levels, uint8 ``[28, 28]``; all zero if there is no ink.
    """
    rows, columns = np.nonzero(ink.any(axis=1))[0], np.nonzero(ink.any(axis=0))[0]
    if not rows.size:
        return np.zeros((SIDE, SIDE), dtype=np.uint8)
    box = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    glyph = _resample(_square(box), GLYPH)
    glyph *= 255 / glyph.max()
    # Room for the whole glyph at any offset; cropped to the frame below.
    top, left = (int(15 - centre) for centre in _centre_of_mass(glyph))
    canvas = np.zeros((SIDE + 2 * GLYPH, SIDE + 2 * GLYPH), dtype=np.float64)
    canvas[GLYPH + top : 2 * GLYPH + top, GLYPH + left : 2 * GLYPH + left] = glyph
    return np.rint(canvas[GLYPH:-GLYPH, GLYPH:-GLYPH]).astype(np.uint8)


def _is_clean(excess: Array) -> bool:
    """Whether a border, minus its median, is paper of a single grey level."""
    same = excess == 0
    # Noise clipped at white or black has half its pixels there and the rest close by. In a
    # clean border only the soft edges of strokes are close: a pixel or two.
    close = ~same & (np.abs(excess) < 2 * LEAST_INK)
    return bool(same.mean() >= 0.5 and close.mean() < 0.1)


def _without_specks(levels: Array) -> Array:
    """Apply a 3-pixel median filter on both axes, unless strokes may be as thin."""
    if min(levels.shape) < 4 * SIDE:  # a stroke 2 pixels wide in 28 is 8 wide here
        return levels
    for _ in range(2):
        first, middle, last = levels[:-2], levels[1:-1], levels[2:]
        low, high = np.minimum(first, last), np.maximum(first, last)
        levels = np.pad(np.clip(middle, low, high), [(1, 1), (0, 0)], mode="edge").T
    return levels


def _near_strokes(excess: Array, least: float) -> npt.NDArray[np.bool_]:
    """Mask the pixels within two pixels of strokes; specks vanish in a 5 × 5 mean."""
    if min(excess.shape) < 4 * SIDE:
        return np.ones(excess.shape, dtype=bool)
    mean = _windows(_windows(excess).mean(axis=-1).T).mean(axis=-1).T
    strokes: Any = np.abs(mean) >= least
    hit: Any = _windows(strokes).any(axis=-1)
    near: npt.NDArray[np.bool_] = np.asarray(_windows(hit.T).any(axis=-1).T)
    return near


def _windows(picture: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the 5-pixel vertical window around each pixel, as a new last axis."""
    padded = np.pad(picture, [(2, 2), (0, 0)], mode="edge")
    return np.lib.stride_tricks.sliding_window_view(padded, 5, axis=0)


def _surface(levels: Array) -> tuple[Array, float]:
    """Fit a quadratic surface to the paper: to the border, then to all pixels near it.

    Returns:
        The surface, float32 ``[height, width]``, and the noise's standard deviation.
    """
    step = -(-max(levels.shape) // 128)  # 16,384 samples are plenty for six unknowns
    sample = levels[::step, ::step].astype(np.float64)
    full = [np.broadcast_to(term, levels.shape) for term in _terms(levels.shape)]
    terms = np.stack([term[::step, ::step] for term in full], axis=-1)
    border = np.ones(sample.shape, dtype=bool)
    border[1:-1, 1:-1] = False
    near = border
    for iteration in range(10):  # converges after about five
        here = terms[near]
        weights = np.linalg.lstsq(here, sample[near], rcond=None)[0]
        distance = np.abs(sample - terms @ weights)
        # 80 % of normal noise is within 1.28 sigma; the median would be 0 for noise on
        # white, half of which is clipped. Over the whole border, or it would shrink in
        # each iteration.
        sigma = float(np.quantile(distance[border], 0.8)) / 1.28
        near = distance <= max(3 * sigma, 1)
        if iteration < 3:  # first fit the border alone, minus strokes that cross it
            near &= border
    surface = sum(w * t for w, t in zip(weights, _terms(levels.shape)))
    return np.asarray(surface, dtype=np.float32), sigma


def _terms(shape: tuple[int, ...]) -> list[npt.NDArray[np.float64]]:
    """Return 1, x, y, x², xy, y² for x and y from -1 to 1, broadcastable to the shape."""
    height, width = shape
    y, x = np.linspace(-1, 1, height)[:, None], np.linspace(-1, 1, width)
    return [np.ones((1, 1)), x, y, x * x, x * y, y * y]


def _distance_to_segment(
    x: Array,
    y: Array,
    start: Array,
    end: Array,
) -> Array:
    dx, dy = end - start
    length2 = dx * dx + dy * dy
    # 0 at the start, 1 at the end; a segment of length 0 is its start.
    along = (x - start[0]) * dx + (y - start[1]) * dy
    t = np.clip(along / length2, 0, 1) if length2 else np.float32(0)
    distance: Array = np.hypot(x - start[0] - t * dx, y - start[1] - t * dy)
    return distance


def _square(box: Array) -> Array:
    side = max(box.shape)
    spare = [side - length for length in box.shape]
    padded: Array = np.pad(box, [(n // 2, n - n // 2) for n in spare])
    return padded


def _resample(picture: Array, side: int) -> Array:
    """Average a square picture by area to ``side`` × ``side``."""
    step = len(picture) / side
    low = np.arange(side)[:, None] * step
    pixel = np.arange(len(picture))
    overlap = np.minimum(low + step, pixel + 1) - np.maximum(low, pixel)
    weights = np.clip(overlap, 0, None) / step
    resampled: Array = weights @ picture @ weights.T
    return resampled


def _centre_of_mass(glyph: Array) -> tuple[float, float]:
    """Return row and column of the centre of mass; pixel centres are at +0.5."""
    position = np.arange(len(glyph)) + 0.5
    mass = glyph.sum()
    return (
        float(position @ glyph.sum(axis=1) / mass),
        float(position @ glyph.sum(axis=0) / mass),
    )
