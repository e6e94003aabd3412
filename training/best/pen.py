"""Write strokes as a hand with a pen would, in the frame that the service makes of them."""

from collections.abc import Sequence
from functools import cache

import numpy as np
import numpy.typing as npt

from service.pictures import frame as service

SIDE, GLYPH = service.SIDE, service.GLYPH  # pixels; of the frame, and of what is in it
FINE = 4  # samples a pixel, down and across, of a stroke's edge
LENGTH = GLYPH * FINE  # samples; the longer side of what is drawn
ROOM = 24  # samples on either side, for the widest pen
TREMOR = 0.012  # of the length, at most; standard deviation of what a hand is off

Points = npt.NDArray[np.float64]
Strokes = list[Points]  # (x, y), float64 [points, 2] each; x to the right, y down
Random = np.random.Generator


def smooth(points: Points | Sequence[tuple[float, float]], steps: int = 12) -> Points:
    """Draw a Catmull-Rom curve through points ``[n, 2]``."""
    points = np.asarray(points, float)
    ends = np.concatenate([points[:1], points, points[-1:]])
    a, b, c, d = (ends[i : len(ends) - 3 + i, None] for i in range(4))
    t = np.linspace(0, 1, steps, endpoint=False)[:, None]
    curve = (
        b
        + (t * (c - a) + t**2 * (2 * a - 5 * b + 4 * c - d)) / 2
        + t**3 * (3 * b - a - 3 * c + d) / 2
    )
    return np.concatenate([curve.reshape(-1, 2), points[-1:]])


def arc(
    centre: tuple[float, float], radii: tuple[float, float], start: float, end: float
) -> Points:
    """Draw a part of an ellipse; degrees clockwise from the right, 15 a point."""
    angle = np.radians(np.linspace(start, end, 2 + int(abs(end - start) / 15)))
    round_one = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return np.asarray(np.asarray(centre) + np.asarray(radii) * round_one)


def by_hand(strokes: Strokes, random: Random) -> Strokes:
    """Slant, narrow, turn and bend strokes a little, each time in another way.

    Only a little: `augment.distort` does the same to what is drawn, and more.

    Args:
        strokes: about 1 high, anywhere.
        random: what is left to chance.
    """
    angle, slant = random.normal(0, 0.06), np.clip(random.normal(0.1, 0.15), -0.2, 0.45)
    cos, sin = np.cos(angle), np.sin(angle)
    forward = np.array([[cos, sin], [-sin, cos]]) @ [[1, 0], [-slant, 1]]
    forward = np.diag([np.exp(random.normal(0, 0.15)), 1]) @ forward
    tremor = random.uniform(0, TREMOR)
    phase, beat = random.uniform(0, 2 * np.pi, (2, 2)), random.uniform(2, 5, 2)
    written = []
    for stroke in strokes:
        line = even(stroke @ forward, 0.04)
        bent = 0.02 * np.sin(line[:, ::-1] * beat + phase[0])
        off = random.normal(0, 1, (len(line) + 4, 2)).cumsum(axis=0)
        off = (off[4:] - off[:-4]) / 2  # each of unit variance, and like its neighbours
        written.append(smooth(line + bent + tremor * off, 3))
    return written


def even(line: Points, step: float) -> Points:
    """Return points at even distances along a line; corners may be cut by less than one."""
    lengths = np.hypot(*np.diff(line, axis=0).T)
    along = np.concatenate([[0], np.cumsum(lengths)])
    places = np.linspace(0, along[-1], max(2, int(np.ceil(along[-1] / step)) + 1))
    return np.stack([np.interp(places, along, axis) for axis in line.T], axis=1)


def frame(
    strokes: Strokes, width: float, random: Random | None = None
) -> npt.NDArray[np.uint8]:
    """Draw strokes with a round pen, and fit the ink into the frame as the service does.

    Args:
        strokes: of any size, anywhere.
        width: of the pen, as a fraction of the longer side of what the strokes cover.
        random: if given, the pen presses unevenly: it is up to a third wider or narrower
            on the way, and lighter where it is set down and lifted.

    Returns:
        uint8 ``[28, 28]``, white on black.
    """
    return fit(ink(strokes, width, random))


def fit(inked: npt.NDArray[np.floating]) -> npt.NDArray[np.uint8]:
    """Fit ink, 0 and up, ``[height, width]``, into the frame as the service does."""
    return service.frame(inked)


def ink(
    strokes: Strokes, width: float, random: Random | None = None
) -> npt.NDArray[np.float32]:
    """Draw as `frame` does; return the ink, 0 or 1, 128 samples a side."""
    every = np.concatenate(strokes)
    low, high = every.min(axis=0), every.max(axis=0)
    pen = width * LENGTH / (1 + width)  # so that the pen's width counts to the length
    factor = (LENGTH - pen) / max(float((high - low).max()), 1e-6)
    side = LENGTH + 2 * ROOM
    inked = np.zeros(side * side, dtype=bool)
    for stroke in strokes:
        line = even((stroke - (low + high) / 2) * factor + side / 2, 1.0)
        radius = pen / 2 * _pressure(len(line), random)
        for size in np.unique(steps := np.maximum(1, np.rint(2 * radius)).astype(int)):
            at = line[steps == size].astype(np.int64) @ [1, side]
            inked[at[:, None] + _disc(int(size)) @ [1, side]] = True
    return inked.reshape(side, side).astype(np.float32)


def _pressure(points: int, random: Random | None) -> npt.NDArray[np.float64]:
    if random is None:
        return np.ones(points)
    along = np.linspace(0, 1, points)
    swing = random.uniform(0, 0.3) * np.sin(
        random.uniform(2, 8) * along + random.uniform(0, 2 * np.pi)
    )
    first, last = random.uniform(0.4, 1.3, 2).clip(max=1)
    ends = np.interp(along, [0, 0.12, 0.85, 1], [first, 1, 1, last])
    return np.asarray((1 + swing) * ends)


@cache
def _disc(diameter: int) -> npt.NDArray[np.int64]:
    """Return the samples (x, y) of a round pen about its middle."""
    reach = diameter // 2 + 1
    x, y = np.indices((2 * reach + 1, 2 * reach + 1)).reshape(2, -1) - reach
    inside = x**2 + y**2 <= (diameter / 2) ** 2
    return np.stack([x[inside], y[inside]], axis=1)
