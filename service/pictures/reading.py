"""Read a reduced picture: choose a paper, and find the digit on it.

The paper is looked for in several ways, the next one where what the one before leaves is
no whole digit (`Reading.final`):

1. `_clean`: the border has one grey level, and is the paper. Drawings and screenshots.
2. `paper.by_classes`: one of two classes of grey is the paper, by a vote. Photographs.
3. `paper.by_sheet`: what was found is a sheet, with a digit on it.
4. `paper.by_closing`: the paper is what is around strokes, wherever they are. Shadows, and
   reflections of lamps.
5. The other class of grey: a digit so bold that it was taken for paper.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain

import numpy as np

from service.pictures.digit import LEAST_SIDE, WIDEST, Digit, Role, find
from service.pictures.frame import LEAST_INK
from service.pictures.grey import span
from service.pictures.paper import (
    Paper,
    by_classes,
    by_closing,
    by_sheet,
    clean_paper,
    noise,
    threshold,
)
from service.pictures.shapes import (
    Floats,
    Levels,
    hull,
    parts,
    shrink,
    squares,
    tightest,
)

FAINTEST = 0.1  # of the strongest ink; fainter is noise of a camera or JPEG
# Of the strongest ink, where parts are taken: above the rings of a JPEG, and where that
# leaves no whole digit, above most ruled lines, which have 15 to 35 %. After these comes
# what is above the weaker of two kinds of ink, such as dark squares or shades.
PARTS_AT = 0.15, 0.35
WINDOW = 0.2  # of the longer side, which is closed: wider than most pens
MOST_SPECKS = 0.01  # of a clean picture; dust and slips of a pen are less
LEAST_CLOSED = 40  # pixels; in smaller pictures a window is hardly wider than a pen
FAINT = 0.5  # of the strongest ink; most of a digit is at least half as strong
LEAST_BOLD = 0.1  # of the picture, a digit so bold that it was taken for paper
# Of the ink, the range in 3 × 3 pixels at nine tenths of an outline: less is a shade of the
# light and no edge; and what another way of seeing needs to be preferred.
LEAST_SHARP, SHARP = 0.25, 0.32
LEAST_EDGE = 0.12  # shades alone have less; strokes enlarged tenfold have 0.15
WIDEST_PEN = 0.36  # of the longer side, largest square in a bold digit that fills it
# Of a sheet: what it is without ink, or a photograph on it; what it fills of the tightest
# box around it; its outline.
LEAST_SHEET, FULL_BOX, AROUND = 0.3, 0.85, 0.9
MOST_SHEETS = 2  # a note on a page on a table
BARE_SHEET, ROUND = 0.75, 0.74  # so much of a round one, and of its box; a bold 0 has less
LEAST_BEYOND = 0.01  # of a picture, lit more than its paper: a reflection, and no speck
# Of a whole digit, missing from a better one; and of its ink, in what that one adds.
MOST_MISSING, LEAST_ADDED = 0.1, 0.6


@dataclass(frozen=True)
class Reading:
    """One way to see a picture, reduced.

    Attributes:
        paper: its paper.
        contrast: how far each pixel is from it.
        strong: contrast of the ink, in grey levels; 0 if there is none.
        least: contrast of the faintest ink.
        digit: the digit.
        sharp: how sharp its outline is, as a fraction of the ink.
        clean: whether the paper has one grey level, and no noise.
        beyond: share of the picture that is on the other side of the paper than ink.
    """

    paper: Paper
    contrast: Floats
    strong: float
    least: float
    digit: Digit
    sharp: float = 0.0
    clean: bool = False
    beyond: float = 0.0

    @cached_property
    def pen(self) -> int:
        """Side of the largest square in it, in pixels."""
        return max((side for side, _ in squares(self.digit.mask, WIDEST)), default=0)

    @cached_property
    def strokes(self) -> bool:
        """Whether a pen can have drawn it."""
        bold = self.pen > WIDEST_PEN * max(self.digit.mask.shape)
        return not (self.sheet or bold)

    @cached_property
    def sheet(self) -> bool:
        """Whether it may be a sheet of paper: it fills a box, which it goes around."""
        box, mask = self.digit.box, self.digit.mask
        if box is None or min(mask.shape) < LEAST_CLOSED:
            return False
        mask = mask[tuple(slice(max(0, n.start - 1), n.stop + 1) for n in box)]
        if 4 * np.count_nonzero(mask) < mask.size:
            return False  # strokes, in most pictures
        whole = hull(mask)
        area, rim = np.count_nonzero(whole), whole & ~shrink(whole)
        share = np.count_nonzero(mask) / area
        # Turned by 20 degrees, one twice as long as wide fills 0.55 of its box.
        if min(area / mask.size / 0.55, share / LEAST_SHEET) < 1:
            return False
        if not rim.any() or mask[rim].mean() < AROUND:
            return False
        sides = tightest(whole)
        full, aspect = area / (sides[0] * sides[1]), min(sides) / max(sides)
        square = full >= FULL_BOX and aspect >= 0.5
        return square or bool(full >= ROUND and aspect >= 0.9 and share > BARE_SHEET)

    @cached_property
    def whole(self) -> bool:
        """Whether it is a digit with paper all around, and not a shade of the light."""
        return self.digit.free and self.sharp > LEAST_SHARP

    @cached_property
    def faint(self) -> bool:
        """Whether most of what the border cuts is far weaker than the rest: a shade."""
        return self.digit.cut and bool(
            np.median(self.contrast[self.digit.mask]) < FAINT * self.contrast.max()
        )

    @cached_property
    def reflecting(self) -> bool:
        """Whether something is lit more than the paper, on which there are strokes."""
        return self.beyond > LEAST_BEYOND and self.strokes

    def final(self, side: int) -> bool:
        """Whether no other reading can be better."""
        if not self.strokes or self.reflecting:
            return False
        cut = self.sharp > SHARP  # by the border
        return cut or (self.whole and self.pen <= WINDOW * side)


def read(levels: Levels, coarse: Floats) -> tuple[Reading, int]:
    """Find the digit.

    Args:
        levels: the full picture.
        coarse: the same, reduced to at most `paper.COARSE` pixels.

    Returns:
        The first reading with a whole digit, or the likeliest; and how many it took, 0 if
        the paper is clean.
    """
    clean = _clean(levels, coarse)
    if clean is not None and not (clean.sheet or clean.faint):
        return clean, 0
    found, tried = _uneven(coarse, None if clean is None or clean.faint else clean)
    if found.sharp < LEAST_EDGE:
        found = replace(found, strong=0)
    return found, tried


def _uneven(coarse: Floats, clean: Reading | None) -> tuple[Reading, int]:
    """Try every kind of paper on a picture whose paper is not all there is."""
    classes = by_classes(coarse)
    first = clean or _reading(coarse, next(classes))
    side = max(coarse.shape)
    if first.final(side) or min(coarse.shape) < LEAST_CLOSED:
        return first, 1
    tried = [first]
    on_sheet = _on_sheet(coarse, first, tried)
    if on_sheet is not None:
        return on_sheet, len(tried)
    bold = LEAST_BOLD if first.whole else 0
    ways = chain([(by_closing(coarse, WINDOW), 0)], ((paper, bold) for paper in classes))
    for paper, least in ways:
        if paper is None:
            continue  # there are no strokes
        if first.whole and paper.light == first.paper.light and not first.reflecting:
            continue  # it could only be a part of the same
        other = _reading(coarse, paper)
        tried.append(other)
        large = np.count_nonzero(other.digit.mask) >= least * coarse.size
        sure = large and other.whole and other.sharp > SHARP
        if sure and not _doubtful(other, first):
            return other, len(tried)
    if first.strokes:
        return first, len(tried)
    likely = [r for r in tried if r.strokes and r.digit.free]
    likely = [r for r in likely if r.paper.light == first.paper.light]
    return max(likely, key=lambda r: r.sharp, default=first), len(tried)


def _on_sheet(coarse: Floats, first: Reading, tried: list[Reading]) -> Reading | None:
    """Read what is on a sheet, which may be another sheet; None if there is nothing."""
    found = first
    for _ in range(MOST_SHEETS):
        if not found.sheet:
            break
        sheet = shrink(hull(found.digit.mask), 2)  # without its soft edge
        edge = ~shrink(sheet)
        for paper in by_sheet(coarse, sheet):
            other = _reading(coarse, paper)
            tried.append(other)
            if other.whole and not (other.digit.mask & edge).any():
                found = other
                break
    return None if found is first else found


def _doubtful(other: Reading, first: Reading) -> bool:
    """Whether another reading may be a sheet, a part of the digit, or paper in a loop."""
    found, known = other.digit.mask, first.digit.mask
    if other.sheet:
        return True
    if other.paper.light == first.paper.light:
        if not first.whole:
            return False
        less = np.count_nonzero(known & ~found) > MOST_MISSING * np.count_nonzero(known)
        more, ink = found & ~known, other.contrast
        if less or first.reflecting or not more.any():
            return bool(less)
        return bool(np.median(ink[more]) < LEAST_ADDED * np.median(ink[found & known]))
    if first.sheet:
        return False
    outside = parts(~known)
    return not (found & outside.of(outside.cut)).any()


def _clean(levels: Levels, coarse: Floats) -> Reading | None:
    """Read a picture whose paper has one grey level; None if it has many."""
    level = clean_paper(levels)
    if level is None:
        return None
    inset = min(levels.shape) // 12
    if inset and clean_paper(levels[inset:-inset, inset:-inset]) != level:
        return None  # the border is a frame, or the ink is everywhere
    excess = coarse - np.float32(level)
    # By einsum, since `vdot` takes several cores.
    light = bool(np.einsum("ij,ij->", excess, np.abs(excess)) >= 0)
    contrast = np.maximum(excess if light else -excess, 0)
    strong = float(contrast.max())
    # In small ones, in which no parts are taken, whatever can be seen is the digit's.
    small = max(coarse.shape) < LEAST_SIDE
    mask = contrast >= (LEAST_INK if small else max(PARTS_AT[0] * strong, 1e-3))
    paper = Paper(light, np.full((1, 1), level, np.float32))
    digit = find(mask, contrast)
    if np.count_nonzero(digit.roles == Role.SPECK) > MOST_SPECKS * mask.size:
        return None  # noise
    return Reading(paper, contrast, strong, 0, digit, 1, clean=True)


def _reading(coarse: Floats, paper: Paper) -> Reading:
    """Find the digit on a paper."""
    excess = paper.contrast(coarse)
    contrast = np.clip(excess, 0, None)
    split, apart = threshold(contrast)
    sigma = noise(coarse, excess, contrast <= split)
    inked = contrast[contrast > split]
    strong = float(np.percentile(inked, 75)) if inked.size else 0.0
    least = max(FAINTEST * strong, 4 * sigma)
    nothing = Digit(np.zeros(coarse.shape, bool), np.zeros(coarse.shape, np.uint8))
    reading = Reading(paper, contrast, 0, least, nothing)
    if strong < 0.6 * LEAST_INK or apart < max(0.6 * LEAST_INK, 3.5 * sigma):
        return reading
    far = np.count_nonzero(excess < -max(PARTS_AT[0] * strong, least)) / excess.size
    reading = replace(reading, beyond=far)
    edges = span(excess)
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
        if other.whole and other.strokes:
            return other
    return reading


def _parts(
    reading: Reading, edges: Floats, strong: float, least: float, split: float
) -> Reading:
    """Find the digit in the ink above a contrast."""
    digit = find(reading.contrast >= split, reading.contrast)
    outline = digit.mask & ~shrink(digit.mask)
    sharp = float(np.quantile(edges[outline], 0.1)) / strong if outline.any() else 0.0
    return replace(reading, strong=strong, least=least, digit=digit, sharp=sharp)
