"""Shapes: grow and shrink them, take connected parts apart.

Beyond the edge of a picture there is nothing to grow from and nothing to shrink from: what
the edge cuts goes on outside.
"""

from collections.abc import Iterator
from functools import cached_property

import numpy as np
import numpy.typing as npt

THIN = 0.04  # of the longer side: a line around strokes, and no stroke itself
WIDE = 0.22  # of the longer side of a digit, mean width of its strokes at most
FULL = 0.6  # of its box: more than the strokes of a bold 8
LONG = 40  # the square of an outline over the area within, of a stroke

Mask = npt.NDArray[np.bool_]
Levels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.intp]
Box = tuple[slice, slice]


def grow(mask: Mask, by: int = 1) -> Mask:
    """Add the pixels within ``by`` rows and columns of a mask."""
    for _ in range(by):
        rows = mask.copy()
        rows[1:] |= mask[:-1]
        rows[:-1] |= mask[1:]
        mask = rows.copy()
        mask[:, 1:] |= rows[:, :-1]
        mask[:, :-1] |= rows[:, 1:]
    return mask


def shrink(mask: Mask, by: int = 1) -> Mask:
    """Remove the pixels within ``by`` rows and columns of what is not in a mask."""
    for _ in range(by):
        rows = mask.copy()
        rows[1:] &= mask[:-1]
        rows[:-1] &= mask[1:]
        mask = rows.copy()
        mask[:, 1:] &= rows[:, :-1]
        mask[:, :-1] &= rows[:, 1:]
    return mask


def bounds(mask: Mask) -> Box | None:
    """Return the rows and columns of the smallest box around a mask; None if empty."""
    found = []
    for axis in (1, 0):
        places = np.logical_or.reduce(mask, axis=axis).nonzero()[0]
        if not places.size:
            return None
        found.append(slice(int(places[0]), int(places[-1]) + 1))
    return found[0], found[1]


def squares(mask: Mask, most: int) -> Iterator[tuple[int, Mask]]:
    """Yield odd sides, up to ``most``, and the centres of all such squares in a mask."""
    side = 1
    while mask.any() and side <= most:
        yield side, mask
        mask, side = shrink(mask), side + 2


def hull(mask: Mask) -> Mask:
    """Mask what has pixels of a mask on both sides, in its row and in its column."""
    found = np.ones_like(mask)
    for turned, result in ((mask, found), (np.ascontiguousarray(mask.T), found.T)):
        for turn in (np.s_[:], np.s_[::-1]):  # down, which is fast, then up
            result &= np.logical_or.accumulate(turned[turn])[turn]
    return found


def tightest(mask: Mask) -> tuple[float, float]:
    """Return the sides of the smallest box around a mask, turned by up to 20 degrees."""
    rows = np.flatnonzero(mask.any(axis=1))
    first, last = mask[rows].argmax(axis=1), mask[rows, ::-1].argmax(axis=1)
    across, down = np.append(first, mask.shape[1] - 1 - last), np.tile(rows, 2)
    turn = np.radians(np.arange(-20, 20.1, 2))
    x = np.outer(np.cos(turn), across) + np.outer(np.sin(turn), down)
    y = np.outer(np.cos(turn), down) - np.outer(np.sin(turn), across)
    wide, high = np.ptp(x, axis=1) + 1, np.ptp(y, axis=1) + 1
    best = int(np.argmin(wide * high))
    return float(wide[best]), float(high[best])


class Parts:
    """The parts of a mask that hang together, also by a corner.

    What costs time is made when it is asked for: of most pictures, only the count is.

    Args:
        shape: of the mask.
        start, end: first place of each run of pixels in a row, and the place after its
            last, in a line of all rows with an empty place behind each.
        part: part of each run, from 0.
        count: number of parts.
    """

    def __init__(
        self,
        shape: tuple[int, int],
        start: Numbers,
        end: Numbers,
        part: Numbers,
        count: int,
    ) -> None:
        self.shape, self.count = shape, count
        self._start, self._end, self._part = start, end, part

    @cached_property
    def numbers(self) -> Numbers:
        """The part of each pixel, from 1, and 0 outside, ``[height, width]``."""
        height, width = self.shape
        fill = np.zeros(height * (width + 1), np.intp)
        fill[self._start], fill[self._end] = self._part + 1, -(self._part + 1)
        return fill.cumsum().reshape(height, width + 1)[:, :width]

    @cached_property
    def area(self) -> Numbers:
        """Pixels of each part."""
        found = np.bincount(self._part, self._end - self._start, self.count)
        return found.astype(np.intp)

    @cached_property
    def top(self) -> Numbers:
        """First row of each part."""
        return self._least(self._start // (self.shape[1] + 1))

    @cached_property
    def left(self) -> Numbers:
        """First column of each part."""
        return self._least(self._start % (self.shape[1] + 1))

    @cached_property
    def bottom(self) -> Numbers:
        """Last row of each part."""
        return -self._least(-(self._start // (self.shape[1] + 1)))

    @cached_property
    def right(self) -> Numbers:
        """Last column of each part."""
        return -self._least(-((self._end - 1) % (self.shape[1] + 1)))

    def _least(self, values: Numbers) -> Numbers:
        """Return the least of the values of each part's runs."""
        found = np.full(self.count, np.iinfo(np.intp).max, np.intp)
        np.minimum.at(found, self._part, values)
        return found

    @property
    def side(self) -> Numbers:
        """Longer side of each part's box."""
        longer: Numbers = np.maximum(self.bottom - self.top, self.right - self.left) + 1
        return longer

    @cached_property
    def cut(self) -> Mask:
        """Whether each part touches the border of the picture."""
        height, width = self.shape
        first = (self.top == 0) | (self.left == 0)
        cut: Mask = first | (self.bottom == height - 1) | (self.right == width - 1)
        return cut

    def within(self, others: "Parts", k: int) -> Mask:
        """Whether each part's box is within that of another mask's part."""
        rows = (self.top >= others.top[k]) & (self.bottom <= others.bottom[k])
        inside: Mask = (
            rows & (self.left >= others.left[k]) & (self.right <= others.right[k])
        )
        return inside

    def of(self, places: Mask | Numbers | list[int]) -> Mask:
        """Mask the pixels of some parts, by a mask or by indices from 0."""
        chosen = np.zeros(self.count + 1, bool)
        chosen[1:][places] = True
        return chosen[self.numbers]

    def reaching(self, mask: Mask) -> Mask:
        """Mask the parts that have pixels of a mask."""
        chosen = np.zeros(self.count + 1, bool)
        chosen[self.numbers[mask]] = True
        chosen[0] = False
        return chosen[self.numbers]

    def sums(self, values: Floats) -> npt.NDArray[np.float64]:
        """Sum values ``[height, width]`` over each part."""
        numbers, weights = self.numbers.ravel(), values.ravel()
        return np.bincount(numbers, weights, self.count + 1)[1:].astype(np.float64)

    def width(self, mask: Mask, most: int) -> Numbers:
        """Return the side of the largest square in each part, at most about ``most``."""
        found = np.zeros(self.count + 1, np.intp)
        for side, centres in squares(mask, most):
            found[self.numbers[centres]] = side
        return found[1:]


def parts(mask: Mask) -> Parts:
    """Take a mask apart.

    By runs of pixels in rows, of which there are few, each joined with those that it
    touches in the row below.
    """
    height, width = mask.shape
    stride = width + 1
    line = np.zeros(1 + height * stride, bool)  # an empty place before and behind each row
    line[1:].reshape(height, stride)[:, :width] = mask
    ends = np.flatnonzero(line[1:] != line[:-1])
    start, end = ends[::2], ends[1::2]
    root = _joined(start, end, stride)
    first = root == np.arange(len(root))
    number = first.cumsum() - 1
    return Parts(mask.shape, start, end, number[root], int(np.count_nonzero(first)))


def mean_width(mask: Mask) -> float:
    """Return the mean width of strokes: of a line, twice its area over its outline."""
    outline = int((mask & ~shrink(mask)).sum())
    return 2 * int(mask.sum()) / max(1, outline)


def hollow(mask: Mask) -> Mask | None:
    """Mask the strokes of a shape of which only the outline is drawn; None: it is none.

    They are holes that are long for their width, and wider than the line around them. The
    loops of digits are rounder: the square of their outline is 13 times their area if they
    are circles, 24 times as ellipses of 4 to 1, and 40 times in few digits of MNIST.
    """
    line = mean_width(mask)
    if line > THIN * max(mask.shape):
        return None
    outside = ~mask
    holes = parts(outside)
    if holes.count == np.count_nonzero(holes.cut):
        return None
    outline = holes.sums((outside & ~shrink(outside)).astype(np.float32))
    strokes = ~holes.cut & (np.square(outline) >= LONG * holes.area)
    strokes &= 2 * holes.area >= 1.2 * line * outline
    strokes &= 2 * holes.area <= WIDE * holes.side * outline  # else it is a cell of a form
    # A cell that the digit touches fills its box, and a stroke does only if it is straight.
    high, wide = holes.bottom - holes.top + 1, holes.right - holes.left + 1
    straight = np.minimum(high, wide) <= WIDE * holes.side
    strokes &= straight | (holes.area < FULL * high * wide)
    few = holes.area[strokes].sum() < 0.5 * np.count_nonzero(mask)
    if few or _circled(mask, holes, strokes, line):
        return None
    return holes.of(strokes)


def _circled(mask: Mask, holes: Parts, strokes: Mask, line: float) -> bool:
    """Whether a hole has a digit in it, and not just the outlines of loops.

    These are as thin as the line around the strokes, and have more paper in them than ink.
    """
    ink = parts(mask)
    thick = ink.width(mask, max(mask.shape)) > 2 * line
    for k in np.flatnonzero(strokes).tolist():
        inside = ink.within(holes, k) & (ink.area >= 0.01 * holes.area[k])
        for j in np.flatnonzero(inside).tolist():
            paper = holes.area[holes.within(ink, j)].sum()
            if thick[j] or paper < 0.6 * ink.area[j]:
                return True
    return False


def _joined(start: Numbers, end: Numbers, stride: int) -> Numbers:
    """Return the first run of the part that each run belongs to.

    Args:
        start: first place of each run, in a line of all rows.
        end: the place after its last.
        stride: places from a row to the next.
    """
    first = end.searchsorted(start + stride)
    touching = start.searchsorted(end + stride, "right") - first
    root = np.arange(len(start))
    above = root.repeat(touching)
    skipped = (first - touching.cumsum() + touching).repeat(touching)
    below = skipped + np.arange(len(above))
    while len(above):
        np.minimum.at(root, np.maximum(above, below), np.minimum(above, below))
        for _ in range(len(above).bit_length()):  # each doubles how far a run sees
            root = root[root]
        above, below = root[above], root[below]
        apart = above != below
        above, below = above[apart], below[apart]
    return root


def straight(mask: Mask) -> bool:
    """Whether a part is a straight line, by its extent along and across itself."""
    places = np.stack(np.nonzero(mask)).astype(np.float64)
    if places.shape[1] < 8:
        return False
    spread = np.sqrt(np.clip(np.linalg.eigvalsh(np.cov(places)), 0, None))
    return bool(spread[0] <= 1.6 and spread[1] >= 4 * spread[0])
