"""Fit pen strokes, or a picture's ink, into the MNIST frame: 28 × 28, white on black."""

from collections.abc import Iterable, Sequence
from typing import Any, Literal

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


def clean_paper(grey: npt.NDArray[np.generic]) -> float | None:
    """Return the grey level of a picture's border, or None if it has many."""
    levels = grey.astype(np.float32, copy=False)
    border = np.concatenate([levels[0], levels[-1], levels[1:-1, 0], levels[1:-1, -1]])
    paper = float(np.median(border))
    return paper if _is_clean(border - np.float32(paper)) else None


def ink(
    grey: npt.NDArray[np.generic], lossy: bool = False, paper: float | None = None
) -> Array:
    """Separate a picture's ink from its paper.

    The border is taken as paper. If it has a single grey level, every other level on the
    ink's side of it is ink, down to MNIST's faintest pixels, unless it is far from all that
    the eye can see. Otherwise, as in photographs, the paper is modelled as a smooth surface
    with noise; ink is what stands out from both.

    Args:
        grey: 0 (black) to 255 (white), any numeric dtype, ``[height, width]``.
        lossy: whether the picture was a JPEG, which has faint ringing around its ink.
        paper: returned by `clean_paper`, if the caller has asked it.

    Returns:
        Ink from 0 (paper) up, float32 ``[height, width]``, whether it is brighter or darker
        than the paper. All zero if the strongest ink is below 16 grey levels.
    """
    levels = grey.astype(np.float32)
    paper = clean_paper(levels) if paper is None else paper
    if paper is not None:
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
    found: Array = bright if _power(bright) >= _power(dark) else dark
    if found.max() < LEAST_INK:
        return np.zeros_like(levels)
    return found if lossy else _without_stray(found)


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
    return bool(
        np.count_nonzero(same) >= 0.5 * len(excess)
        and np.count_nonzero(close) < 0.1 * len(excess)
    )


def _power(ink: Array) -> float:
    """Sum the squares; by einsum, since `vdot` takes several cores for a large picture."""
    return float(np.einsum("ij,ij->", ink, ink))


def _without_stray(ink: Array) -> Array:
    """Clear specks, and faint ink away from the visible: no pixel alone makes the box."""
    if min(ink.shape) >= 4 * SIDE:  # a stroke 2 pixels wide in 28 is 8 wide here
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


def _crowded(inked: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Mask what is near a window of 5 × 5 with 5 inked pixels, as in a thin line."""
    centres = _sums(inked.view(np.uint8), "constant") >= 5
    crowded: npt.NDArray[np.bool_] = _sums(centres.view(np.uint8), "constant") > 0
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
    strokes = np.abs(_sums(excess, "edge")) >= 25 * least
    near: npt.NDArray[np.bool_] = _sums(strokes.view(np.uint8), "constant") > 0
    return near


def _surface(levels: Array) -> tuple[Array, float]:
    """Fit a quadratic surface to the paper: to the border, then to all pixels near it.

    Returns:
        The surface, float32 ``[height, width]``, and the noise's standard deviation.
    """
    step = -(-max(levels.shape) // 64)  # 4,096 samples are plenty for six unknowns
    grid = levels[::step, ::step].astype(np.float64)
    full = [np.broadcast_to(term, levels.shape) for term in _terms(levels.shape)]
    terms = np.stack([term[::step, ::step].reshape(-1) for term in full])
    inside = np.zeros(grid.shape, dtype=bool)
    inside[1:-1, 1:-1] = True
    border, sample = ~inside.reshape(-1), grid.reshape(-1)
    edges = np.flatnonzero(border)
    # 80 % of normal noise is within 1.28 sigma; the median would be 0 for noise on white,
    # half of which is clipped. Over the whole border, or it would shrink in each iteration.
    rank = len(edges) * 4 // 5
    both = np.vstack([terms, sample])  # one small product, which stays on one core
    near = border
    for iteration in range(10):  # converges after about five
        # The normal equations are a tenth of the work, and these terms condition them
        # well; lstsq for what a picture of one row or column leaves undetermined.
        moments = (terms * near) @ both.T
        weights = np.linalg.lstsq(moments[:, :6], moments[:, 6], rcond=None)[0]
        distance = np.abs(sample - (weights[:, None] * terms).sum(axis=0))
        sigma = float(np.partition(distance[edges], rank)[rank]) / 1.28
        before, near = near, distance <= max(3 * sigma, 1)
        if iteration < 3:  # first fit the border alone, minus strokes that cross it
            near &= border
        elif np.array_equal(near, before):
            break
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
    height, width = box.shape
    side = max(box.shape)
    top, left = (side - height) // 2, (side - width) // 2
    square = np.zeros((side, side))
    square[top : top + height, left : left + width] = box
    return square


def _resample(picture: Array, side: int) -> Array:
    """Average a square picture by area to ``side`` × ``side``.

    By sums, and not by a product with weights, which OpenBLAS divides among all cores.
    """
    return _average_rows(_average_rows(picture, side).T, side).T


def _average_rows(picture: Array, count: int) -> Array:
    step = len(picture) / count
    edges = np.arange(count + 1) * step
    whole = np.minimum(edges.astype(int), len(picture) - 1)
    sums = np.add.reduceat(picture, whole, axis=0)[:-1]
    sums[whole[1:] == whole[:-1]] = 0  # both edges in one row, which reduceat returns then
    above = picture[whole] * (edges - whole)[:, None]  # parts of the rows with edges
    averages: Array = (sums + above[1:] - above[:-1]) / step
    return averages


def _centre_of_mass(glyph: Array) -> tuple[float, float]:
    """Return row and column of the centre of mass; pixel centres are at +0.5."""
    position = np.arange(len(glyph)) + 0.5
    mass = glyph.sum()
    return (
        float(position @ glyph.sum(axis=1) / mass),
        float(position @ glyph.sum(axis=0) / mass),
    )
