"""From pen strokes to the frame that the network knows: 28 × 28, white on black."""

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

SIDE = 28  # pixels; the side of an MNIST image
GLYPH = 20  # pixels; the digit itself fills a 20 × 20 box inside it

Stroke = Sequence[Sequence[float]]
Array = npt.NDArray[np.floating]


def draw(
    strokes: Iterable[Stroke], side: int = 112, pen: float = 0.1
) -> npt.NDArray[np.float32]:
    """Draw polylines with a round pen.

    Args:
        strokes: polylines of (x, y) points in the unit square, x to the right, y down.
        side: pixels of the square picture; 112 gives 4 × 4 samples for one MNIST pixel.
        pen: width of the pen as a fraction of the picture; 0.1 becomes about 2.5 MNIST
            pixels, within the 2 to 4 of the training set's own strokes.

    Returns:
        Ink from 0 (none) to 1 (full), float32 ``[side, side]``, with edges one pixel soft.
    """
    centre = (np.arange(side, dtype=np.float32) + 0.5) / side
    reach = pen / 2 + 1 / side  # the ink's edge is one pixel soft
    distance = np.full((side, side), np.inf, dtype=np.float32)
    for stroke in strokes:
        points = np.asarray(stroke, dtype=np.float32)
        for start, end in zip(points, points[1:] if len(points) > 1 else points):
            low = np.clip((np.minimum(start, end) - reach) * side, 0, side).astype(int)
            high = np.clip((np.maximum(start, end) + reach) * side + 1, 0, side).astype(int)
            x, y = (slice(*ends) for ends in zip(low, high))  # what the segment can reach
            near = _distance_to_segment(centre[x], centre[y, None], start, end)
            np.minimum(distance[y, x], near, out=distance[y, x])
    ink: npt.NDArray[np.float32] = np.clip((pen / 2 - distance) * side + 0.5, 0, 1)
    return ink


def frame(ink: Array) -> npt.NDArray[np.uint8]:
    """Bring a glyph into the MNIST frame.

    The steps of the training set's own preparation, as reconstructed for QMNIST (Yadav
    and Bottou, "Cold Case: The Lost MNIST Digits", NeurIPS 2019): tight box, made square,
    averaged by area to 20 × 20, strongest ink to 255, centre of mass to the middle.

    Args:
        ink: 0 (paper) and up (more ink), any float ``[height, width]``.

    Returns:
        Grey levels, uint8 ``[28, 28]``; all zero if there is no ink.
    """
    rows, columns = np.nonzero(ink.any(axis=1))[0], np.nonzero(ink.any(axis=0))[0]
    if not rows.size:
        return np.zeros((SIDE, SIDE), dtype=np.uint8)
    box = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    glyph = _resample(_square(box), GLYPH)
    glyph *= 255 / glyph.max()
    # Room for the whole glyph at any offset; what lies outside the frame is then cut.
    top, left = (int(15 - centre) for centre in _centre_of_mass(glyph))
    canvas = np.zeros((SIDE + 2 * GLYPH, SIDE + 2 * GLYPH), dtype=np.float64)
    canvas[GLYPH + top : 2 * GLYPH + top, GLYPH + left : 2 * GLYPH + left] = glyph
    return np.rint(canvas[GLYPH:-GLYPH, GLYPH:-GLYPH]).astype(np.uint8)


def _distance_to_segment(
    x: Array,
    y: Array,
    start: Array,
    end: Array,
) -> Array:
    dx, dy = end - start
    length2 = dx * dx + dy * dy
    # 0 at the start, 1 at the end; a segment of no length is its start.
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
    """Return row and column of the centre, counting pixel centres at +0.5."""
    position = np.arange(len(glyph)) + 0.5
    mass = glyph.sum()
    return (
        float(position @ glyph.sum(axis=1) / mass),
        float(position @ glyph.sum(axis=0) / mass),
    )
