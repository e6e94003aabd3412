"""Tell the parts of a digit from all else that is on the paper.

Each part of the ink gets a role: a frame around another part, a line, what the border cuts
off, a speck, or a piece of the digit. Lines that run across the digit are cut off it.
"""

from dataclasses import dataclass, replace
from enum import IntEnum
from functools import cached_property

import numpy as np
import numpy.typing as npt

from service.pictures.shapes import (
    Box,
    Floats,
    Mask,
    Parts,
    bounds,
    grow,
    hollow,
    mean_width,
    parts,
    shrink,
    straight,
)

LEAST_SIDE = 40  # pixels; in smaller pictures a part of a stroke may look like anything
MOST_BIG = 60  # parts; more are noise, in which no frame is looked for
WIDEST_LINE = 7  # pixels, a twentieth of the picture
FLAT = 6  # width over height of an underline, which may be askew by some degrees
WIDEST = 49  # pixels, four tenths of the picture: no pen is wider


class Role(IntEnum):
    """What a part of the ink is."""

    PAPER = 0
    DIGIT = 1
    FRAME = 2
    LINE = 3
    CUT = 4
    SPECK = 5
    OTHER = 6  # too far from the digit to be a piece of it


@dataclass(frozen=True)
class Digit:
    """The digit among the parts of the ink.

    Attributes:
        mask: its pixels, bool ``[height, width]``.
        roles: `Role` of each pixel, uint8 ``[height, width]``.
        several: whether there is another digit beside it.
        filled: pixels of a hollow digit that are ink, although they look like paper.
    """

    mask: Mask
    roles: npt.NDArray[np.uint8]
    several: bool = False
    filled: Mask | None = None

    @cached_property
    def box(self) -> Box | None:
        """Its rows and columns; None if there is no digit."""
        return bounds(self.mask)

    @cached_property
    def cut(self) -> bool:
        """Whether it touches the border of the picture."""
        ends = zip(self.box or (), self.mask.shape)
        return any(place.start == 0 or place.stop == size for place, size in ends)

    @property
    def free(self) -> bool:
        """Whether there is a digit, and paper all around it."""
        return self.box is not None and not self.cut


def find(mask: Mask, contrast: Floats) -> Digit:
    """Find the digit.

    Args:
        mask: the ink of a picture of at most `paper.COARSE` pixels.
        contrast: how far each pixel is from the paper, 0 or more.
    """
    if max(mask.shape) < LEAST_SIDE or min(mask.shape) < 8 or not mask.any():
        return _small(mask)
    filled = hollow(mask)
    if filled is not None:
        mask = mask | filled
    found, all_of_it = parts(mask), Digit(mask, mask.view(np.uint8), filled=filled)
    if found.count == 1 and all_of_it.free:
        return all_of_it
    return replace(_Search(found, mask, contrast).digit(), filled=filled)


def _small(mask: Mask) -> Digit:
    """Take for the digit all ink of a small picture, but single pixels at its border."""
    digit = Digit(mask, mask.view(np.uint8))
    if not digit.cut or (found := parts(mask)).count == 1:
        return digit
    single = found.of(found.cut & (found.area == 1))
    return Digit(mask & ~single, np.where(single, np.uint8(Role.SPECK), digit.roles))


class _Search:
    """The steps from parts to a digit, each of which gives roles to some of them."""

    def __init__(self, found: Parts, mask: Mask, contrast: Floats) -> None:
        self.parts, self.mask, self.contrast = found, mask, contrast
        self.side = max(mask.shape)
        self.mass = found.sums(contrast)
        self.width = found.width(mask, WIDEST)
        # As wide as long, and full: the dot of an i, a hole for a file; and no stroke.
        self.dot = found.area >= 0.6 * np.square(found.side)
        self.roles = np.full(found.count, Role.DIGIT, np.uint8)

    def digit(self) -> Digit:
        self._frames()
        main = self._main()
        if main is None:
            self.roles[self.parts.cut & (self.roles == Role.DIGIT)] = Role.CUT
            return self._result(self.parts.of(self.roles == Role.DIGIT))
        main = self._lines(main)
        body = self.parts.of([main])
        if self.parts.cut[main]:
            body = _without_lines(body, self.contrast, self.side)
        free = not any(edge.any() for edge in (body[0], body[-1], body[:, 0], body[:, -1]))
        if free and self._sides(main) < 3:
            cut = self.parts.cut & (self.roles == Role.DIGIT)
            cut[main] = False
            self.roles[cut] = Role.CUT
        several = self._pieces(main, body)
        others = self.roles == Role.DIGIT
        others[main] = False
        return self._result(body | self.parts.of(others), several)

    def _result(self, mask: Mask, several: bool = False) -> Digit:
        roles = np.concatenate([np.zeros(1, np.uint8), self.roles])[self.parts.numbers]
        roles[(roles == Role.DIGIT) & ~mask] = Role.LINE
        return Digit(mask, roles, several)

    def _frames(self) -> None:
        """Drop what goes around another part, as the line of a cell or a circle does."""
        p, big = self.parts, np.flatnonzero(self.parts.area >= 6)
        if len(big) > MOST_BIG:
            return
        for k in big.tolist():
            if self.width[k] > 0.15 * p.side[k]:
                continue  # a sheet, and no line around it
            inside = p.within(p, k)
            # Of a quarter of its size, and half its pen: more than a speck in a loop.
            inside &= (p.side >= 0.25 * p.side[k]) & (self.width >= 0.5 * self.width[k])
            inside[k] = False
            large = inside & (p.side >= 0.45 * p.side[k])  # more than a loop within one
            if inside.any() and (large.any() or self._corners(k) >= 3):
                self.roles[k] = Role.FRAME

    def _corners(self, k: int) -> int:
        """Count the corners of a part's box that it has ink in: an eighth of each side."""
        p = self.parts
        box = p.numbers[p.top[k] : p.bottom[k] + 1, p.left[k] : p.right[k] + 1] == k + 1
        rows, columns = (max(2, round(0.12 * n)) for n in box.shape)
        ends = box[:rows], box[-rows:]
        return sum(
            bool(end[:, across].any())
            for end in ends
            for across in (slice(columns), slice(-columns, None))
        )

    def _main(self) -> int | None:
        """Return the part of most ink that may be a digit."""
        p = self.parts
        rows, columns = (slice(n // 3, n - n // 3) for n in self.mask.shape)
        middle = np.zeros(p.count + 1, bool)
        middle[p.numbers[rows, columns]] = True
        # A twentieth of the side is less than any digit that a person would send.
        able = (self.roles == Role.DIGIT) & (p.side >= max(3, 0.05 * self.side))
        # What the border cuts has ink in the middle, or goes around it, as a tight 0 or 7.
        around = (p.top < rows.stop) & (p.bottom >= rows.start)
        around &= (p.left < columns.stop) & (p.right >= columns.start)
        for likely in (~p.cut | middle[1:], around):
            if (able & likely).any():
                mass = np.where(able & likely, self.mass, 0)
                strokes = np.where(self.dot, 0, mass)
                most = strokes if 5 * strokes.max() > mass.max() else mass
                return int(np.argmax(most))
        return None

    def _lines(self, main: int) -> int:
        """Drop long thin parts at the border, and return what is the digit then."""
        p = self.parts
        heavy = self.mass >= 0.15 * self.mass[main]
        pen = int(self.width[heavy & (self.roles == Role.DIGIT)].max())
        lines = p.cut & (self.width <= 0.5 * pen) & (p.side >= 0.3 * self.side)
        lines &= self.roles == Role.DIGIT
        before = self.roles.copy()
        self.roles[lines] = Role.LINE
        found = self._main()
        if found is None:  # the lines are all there is
            self.roles = before
        return main if found is None else found

    def _sides(self, main: int) -> int:
        """Count the sides of the picture that a part comes close to."""
        p, near = self.parts, 0.04 * self.side
        height, width = self.mask.shape
        ends = p.top[main], p.left[main], height - 1 - p.bottom[main]
        return sum(end <= near for end in (*ends, width - 1 - p.right[main]))

    def _pieces(self, main: int, body: Mask) -> bool:
        """Keep the digit's pieces, close to it; return whether there is another digit."""
        p, pen = self.parts, int(self.width[main])
        rows, columns = np.flatnonzero(body.any(axis=1)), np.flatnonzero(body.any(axis=0))
        box = rows[0], columns[0], rows[-1], columns[-1]
        high, wide = p.bottom - p.top + 1, p.right - p.left + 1
        under = (p.top > box[2]) & (wide > box[3] - box[1]) & (wide >= FLAT * high)
        self.roles[under & (self.roles == Role.DIGIT)] = Role.LINE
        free = np.flatnonzero(self.roles == Role.DIGIT)
        free = free[free != main]
        alike = (high >= 0.6 * high[main]) & (high[main] >= 0.6 * high) & ~p.cut
        ink = self.mass / p.area
        alike &= ink >= 0.5 * ink[main]  # else it shows through from the back
        # Less than a third of the pen's width, or a hundredth of the ink, is dust.
        speck = (self.width < 0.34 * pen) | (p.area < 0.008 * p.area[main])
        self.roles[free[speck[free]]] = Role.SPECK
        left = free[~speck[free]]
        # As high, and away: no piece, as the bar of a 5 is. Of a broken digit, pieces
        # above one another are few pens high.
        down, across = self._gaps(box, left)
        above = (down > 0.15 * high[main]) & (high[main] >= 4 * pen)
        beside = across > max(0.5 * pen, 0.1 * high[main])
        several = bool((alike[left] & (above | beside)).any())
        while left.size:
            reach = max(0.3 * max(box[2] - box[0], box[3] - box[1]), 3 * pen)
            down, across = self._gaps(box, left)
            # A dot beside is a full stop; above or below, as in an i or a ?, a piece.
            limit = np.where(self.dot[left] & (across > 0), pen, reach)
            if not (close := np.maximum(down, across) <= limit).any():
                break
            near, left = left[close], left[~close]
            box = (
                min(box[0], p.top[near].min()),
                min(box[1], p.left[near].min()),
                max(box[2], p.bottom[near].max()),
                max(box[3], p.right[near].max()),
            )
        self.roles[left] = Role.OTHER
        return several

    def _gaps(
        self, box: tuple[np.intp, ...], places: npt.NDArray[np.intp]
    ) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
        """Return how far parts' boxes are from another, in rows and in columns."""
        p = self.parts
        down = np.maximum(p.top[places] - box[2], box[0] - p.bottom[places])
        across = np.maximum(p.left[places] - box[3], box[1] - p.right[places])
        return np.maximum(down, 0), np.maximum(across, 0)


def _without_lines(body: Mask, contrast: Floats, side: int) -> Mask:
    """Cut thin straight lines off a digit, that run from it to the border on two sides.

    What is narrower than the pen vanishes when it is shrunk and grown again. The lines are
    what is missing then, if that is straight, and cut by the border.
    """
    pen, whole = mean_width(body), float(contrast[body].sum())
    for by in range(1, WIDEST_LINE // 2 + 1):
        if 2 * by + 1 > max(3, 0.7 * pen) or pen > WIDEST:
            break  # it would remove the digit, or that is none
        core = _core(body, contrast, by, max(3, 0.05 * side))
        if core is None:
            continue
        rest = body & ~core
        gone = parts(rest)
        lines = np.flatnonzero(gone.cut).tolist()
        width = gone.width(rest, WIDEST)
        thin = all(
            gone.side[k] >= 3 * width[k] and width[k] <= 2 * by + 1 for k in lines
        ) and all(straight(gone.of([k])) for k in lines)
        long = gone.side[lines].sum() >= 0.25 * side
        if len(lines) >= 2 and thin and long and contrast[core].sum() >= 0.4 * whole:
            return core
    return body


def _core(body: Mask, contrast: Floats, by: int, least: float) -> Mask | None:
    """Return what is left without lines of a width, or None if the border still cuts it."""
    wide = np.pad(body, by + 1, mode="edge")
    inner = slice(by + 1, -by - 1)
    opened = grow(shrink(wide, by), by)[inner, inner] & body
    left = parts(opened)
    mass = np.where(left.cut, 0, left.sums(contrast))
    if not left.count or not mass.any() or left.side[mass.argmax()] < least:
        return None
    core = left.of(mass >= 0.05 * mass.max())  # without crumbs of the lines
    for _ in range(by + 1):
        core = grow(core) & body
    return core
