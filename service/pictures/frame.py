"""Draw pen strokes, and fit ink into the MNIST frame: 28 × 28, white on black."""

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from service.pictures.shapes import bounds

SIDE = 28  # pixels, side of an MNIST image
PIXELS = SIDE * SIDE  # 784
GLYPH = 20  # pixels; the digit fills a 20 × 20 box inside the image
LEAST_INK = 16  # of 255 grey levels from the paper; about what the eye can tell apart

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
    box = bounds(ink > 0)
    return np.zeros((SIDE, SIDE), dtype=np.uint8) if box is None else fit(ink[box])


def fit(ink: Array) -> npt.NDArray[np.uint8]:
    """Return the `frame` of ink that has no empty rows or columns around it."""
    glyph = _average(_square(ink), GLYPH)
    glyph *= 255 / glyph.max()
    # Room for the whole glyph at any offset; cropped to the frame below.
    top, left = (int(15 - centre) for centre in _centre_of_mass(glyph))
    canvas = np.zeros((SIDE + 2 * GLYPH, SIDE + 2 * GLYPH), dtype=np.uint8)
    canvas[GLYPH + top : 2 * GLYPH + top, GLYPH + left : 2 * GLYPH + left] = np.rint(glyph)
    return canvas[GLYPH:-GLYPH, GLYPH:-GLYPH]


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


def _average(picture: Array, count: int) -> Array:
    """Average a square picture by area to ``count`` × ``count``.

    By sums, and not by a product with weights, which OpenBLAS divides among all cores.
    """
    step = len(picture) / count
    edges = np.arange(count + 1) * step
    whole = np.minimum(edges.astype(int), len(picture) - 1)
    rest = (edges - whole)[:, None]
    for _ in range(2):  # rows, then columns
        sums = np.add.reduceat(picture, whole, axis=0)[:-1]
        if step <= 1:  # both edges in one row, which reduceat returns then
            sums[whole[1:] == whole[:-1]] = 0
        above = picture[whole] * rest  # parts of the rows with edges
        picture = ((sums + above[1:] - above[:-1]) / step).T
    return picture


def _centre_of_mass(glyph: Array) -> tuple[float, float]:
    """Return row and column of the centre of mass; pixel centres are at +0.5."""
    position = np.arange(len(glyph)) + 0.5
    mass = glyph.sum()
    return (
        float(position @ glyph.sum(axis=1) / mass),
        float(position @ glyph.sum(axis=0) / mass),
    )
