"""Find the paper of a picture: which grey levels it has, and how bright it is where.

All on a picture that is reduced to `COARSE` pixels, in which the noise of a camera is
averaged out, and every step costs a fraction of a millisecond.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from service.pictures.frame import LEAST_INK
from service.pictures.grey import NOISE, close, grain, smooth
from service.pictures.shapes import Floats, Levels, Mask, parts, shrink

COARSE = 128  # pixels, the longer side at most; a pen of 2 % is still 2 pixels wide
BINS = 128  # of a histogram: two grey levels each, less than any noise
GRID = 40  # pixels along each side are plenty to fit six coefficients
QUADRATIC, CONSTANT = 6, 1  # coefficients of a surface

EVEN = np.ones((1, 1), np.float32)  # gain of a light that is the same everywhere
LEAST_LIGHT = 0.3  # of the light of most of the paper; with less, noise would be ink
LEAST_CONTRAST = 0.15  # of the strongest ink; in a reflection it is weaker
WHITE = 255


class Paper(NamedTuple):
    """What a picture is written on.

    Attributes:
        light: whether the ink is lighter than the paper.
        level: grey level of the paper at each pixel, float32 ``[height, width]``, or
            ``[1, 1]`` if it is the same everywhere.
        gain: how many times as strong ink would be in the light of most of the paper.
    """

    light: bool
    level: Floats
    gain: Floats = EVEN

    def contrast(self, levels: Floats) -> Floats:
        """Return how far each pixel is from the paper, positive on the side of the ink."""
        away = levels - self.level if self.light else self.level - levels
        return away if self.gain is EVEN else away * self.gain


def lit(light: bool, level: Floats, reflecting: bool = False) -> Paper:
    """Return a paper with the gain of its light.

    In a shadow, dark ink is as much darker than its paper, and not by as many levels. A
    reflection adds the same to both, up to white, and ink fades as the paper does.
    """
    if light:
        return Paper(light, level)
    middle = max(1, float(np.median(level)))
    gain = middle / np.maximum(level, LEAST_LIGHT * middle)
    if reflecting:
        dark = max(1, WHITE - middle)
        faded = dark / np.maximum(WHITE - level, LEAST_LIGHT * dark)
        gain = np.where(level > middle, faded, gain)
    return Paper(light, level, gain.astype(np.float32))


def threshold(values: Floats) -> tuple[float, float]:
    """Split grey levels into two classes as different as possible (Otsu, 1979).

    Returns:
        The threshold, up to which a level is of the darker class, and the distance of the
        classes' means; 0 if there is but one level.
    """
    low, high = float(values.min()), float(values.max())
    if high - low < 1e-3:
        return low, 0.0
    place = ((values.ravel() - low) * (BINS / (high - low))).astype(np.intp)
    count = np.bincount(np.minimum(place, BINS - 1), minlength=BINS)
    middle = low + (np.arange(BINS) + 0.5) * (high - low) / BINS
    below, sums = count.cumsum()[:-1], (count * middle).cumsum()
    above = values.size - below
    apart = (sums[-1] - sums[:-1]) / np.maximum(above, 1) - sums[:-1] / below
    between = below * above * np.square(apart)
    # Where nothing lies between the classes, any threshold there is as good: the middle.
    best = np.flatnonzero(between >= between.max() * (1 - 1e-9))
    place_of = int(best[len(best) // 2])
    return low + (place_of + 1) * (high - low) / BINS, float(apart[place_of])


def by_classes(levels: Floats) -> Iterator[Paper]:
    """Take one of two classes of grey for paper, and fit a smooth surface to it.

    The classes are those of the picture, or of the picture minus its trend, as a lamp at
    one side makes it: whichever are more uniform.

    Yields:
        The paper by a vote, then the other class.
    """
    trend = surface(levels, np.ones(levels.shape, bool))
    flat = levels - trend
    split, trendless = threshold(levels)[0], threshold(flat)[0]
    if _within(levels, split) <= _within(flat, trendless):
        dark = levels <= split
    else:
        dark = flat <= trendless
    light = _vote(dark) > 0.5
    for is_light in (light, not light):
        paper = dark if is_light else ~dark
        inner = shrink(paper)  # without the soft edges of the ink
        if np.count_nonzero(inner) < 0.5 * np.count_nonzero(paper):
            inner = paper
        yield Paper(is_light, surface(levels, inner))


def by_sheet(levels: Floats, sheet: Mask) -> Iterator[Paper]:
    """Take a sheet for paper, and all around it for what is of no interest.

    Args:
        levels: float32 ``[height, width]``.
        sheet: its pixels.

    Yields:
        The paper with all that differs from most of it as ink, then with what differs on
        the other side: a photograph's white rim is no ink.
    """
    if not sheet.any():
        return
    dark = levels <= threshold(levels[sheet])[0]
    light = bool(dark[sheet].mean() > 0.5)
    paper = sheet & (dark if light else ~dark)
    inner = shrink(paper)
    level = surface(levels, inner if inner.any() else paper)
    for is_light in (light, not light):
        yield lit(is_light, level)._replace(level=np.where(sheet, level, levels))


def by_closing(levels: Floats, window: float) -> Paper | None:
    """Take for paper what is left when everything narrower than a window is filled.

    Ink is filled on its own side only: of dark and light, the ink is what leaves the
    smoother paper. Follows any light, even the edge of a shadow.

    Args:
        levels: float32 ``[height, width]``.
        window: width of the window, as a fraction of the longer side.
    """
    side = int(window * max(levels.shape)) | 1
    pad = side // 2 + 1
    wide = np.pad(levels, pad, mode="edge")
    inner = slice(pad, -pad), slice(pad, -pad)
    dark = close(smooth(wide), side)[inner]
    light = -close(smooth(-wide), side)[inner]
    steps = [_steps(dark), _steps(light)]
    if min(steps) > 0.98 * max(steps):  # the same by either way: there are no strokes
        return None
    if steps[1] < steps[0]:
        return lit(True, light)
    # What is brighter is nearer to a lamp, or reflects it: whichever makes the ink even.
    ways = [lit(False, dark, reflecting) for reflecting in (False, True)]
    return min(ways, key=lambda paper: _unevenness(paper, levels))


def _unevenness(paper: Paper, levels: Floats) -> float:
    """Return the standard deviation of the ink's contrast, as a fraction of its mean."""
    away = paper.level - levels
    ink = paper.contrast(levels)[away > LEAST_CONTRAST * away.max()]
    return float(ink.std() / ink.mean()) if ink.size else 0.0


def noise(levels: Floats, contrast: Floats, paper: Mask) -> float:
    """Estimate the standard deviation of noise on paper, in grey levels.

    The smaller of two estimates: the spread about the paper's level, which a wrong level
    makes too large, and that of the second differences, to which whatever is smooth adds
    nothing, but which blur makes too small: by a factor of five, at most.
    """
    inner = shrink(paper)
    found = contrast[inner] if np.count_nonzero(inner) >= 16 else contrast[paper]
    spread = NOISE * float(np.median(np.abs(found - np.median(found)))) if found.size else 0
    return min(spread, 5 * grain(levels))


def clean_paper(grey: Levels) -> float | None:
    """Return the grey level of a picture's border, or None if it has many."""
    border = np.concatenate([grey[0], grey[-1], grey[1:-1, 0], grey[1:-1, -1]])
    middle = len(border) // 2
    level = float(np.partition(border, middle)[middle])
    away = np.abs(border - np.float32(level))
    same = np.count_nonzero(away == 0)
    # Noise clipped at white or black has half its pixels there and the rest close by. In a
    # clean border only the soft edges of strokes are close: a pixel or two.
    close = np.count_nonzero(away < 2 * LEAST_INK) - same
    return level if same >= 0.5 * len(border) and close < 0.1 * len(border) else None


def surface(levels: Floats, inside: Mask) -> Floats:
    """Fit a quadratic surface to some pixels, or a constant if that fits as well.

    By iterated least squares with Tukey's weights, so that strokes among the pixels count
    for nothing.

    Returns:
        Grey levels, float32 ``[height, width]``, ``[1, 1]`` if constant.
    """
    if min(levels.shape) < 3 or np.count_nonzero(inside) < 2 * QUADRATIC:
        level = np.median(levels[inside]) if inside.any() else levels.max()
        return np.full((1, 1), level, np.float32)
    level = float(np.median(levels[inside]))
    spread = float(np.median(np.abs(levels[inside] - level)))
    if spread == 0:  # more than half of them have one and the same level
        return np.full((1, 1), level, np.float32)
    y = np.linspace(-1, 1, levels.shape[0])[:, None]
    x = np.linspace(-1, 1, levels.shape[1])[None]
    fitted, left = _fit(levels, inside, y, x)
    # A tenth more is no better fit, but five more coefficients.
    return fitted if left < 0.9 * spread else np.full((1, 1), level, np.float32)


def _fit(
    levels: Floats, inside: Mask, y: npt.NDArray[np.float64], x: npt.NDArray[np.float64]
) -> tuple[Floats, float]:
    """Return the surface, and the median distance of the pixels from it."""
    step = -(-max(levels.shape) // GRID)
    if np.count_nonzero(inside[::step, ::step]) < 2 * QUADRATIC:
        step = 1
    ones = np.ones(levels.shape)
    full = np.stack([ones, y * ones, x * ones, y * y * ones, x * y, x * x * ones])
    chosen = inside[::step, ::step]
    terms = full[:, ::step, ::step][:, chosen]
    values = levels[::step, ::step][chosen].astype(np.float64)
    weight = np.ones(len(values))
    for _ in range(10):  # converges after about six
        moments = (terms * weight) @ np.vstack([terms, values]).T
        found = np.linalg.lstsq(moments[:, :-1], moments[:, -1], rcond=None)[0]
        away = np.abs(values - found @ terms)
        left = float(np.median(away))
        reach = max(3.5 * NOISE * left, 1)  # beyond 3.5 standard deviations is no paper
        before, weight = weight, np.square(np.clip(1 - np.square(away / reach), 0, 1))
        if np.abs(weight - before).max() < 1e-2 or not weight.any():
            break
    return np.tensordot(found, full, 1).astype(np.float32), left


def _within(values: Floats, split: float) -> float:
    """Return the share of the variance that is left within two classes."""
    whole = float(values.var())
    dark = values <= split
    count = np.count_nonzero(dark)
    if whole == 0 or count in (0, values.size):
        return 1.0
    inside = values[dark].var() * count + values[~dark].var() * (values.size - count)
    return float(inside / values.size / whole)


def _steps(levels: Floats) -> float:
    """Sum the squared differences of neighbouring pixels."""
    return float(sum(np.square(np.diff(levels, axis=axis)).sum() for axis in (0, 1)))


def _ring(mask: Mask) -> float:
    """Return the share of a mask along its border."""
    edges = mask[0], mask[-1], mask[1:-1, 0], mask[1:-1, -1]
    return float(np.concatenate(edges).mean())


def _corners(mask: Mask) -> float:
    """Return the share of a mask in its corners, a tenth of each side."""
    rows, columns = (max(1, n // 10) for n in mask.shape)
    ends = np.concatenate([mask[:rows], mask[-rows:]])
    return float(np.hstack([ends[:, :columns], ends[:, -columns:]]).mean())


def _vote(dark: Mask) -> float:
    """Return how much says that a class is the paper: 0 not at all, 1 everything.

    Paper is what is at the border, in the corners, and of the larger area. None alone
    decides: a tight crop has ink at the border, a thick pen covers half of the area. And
    paper is cut into pieces by the ink, which is in one.
    """
    ring, inset = _ring(dark), max(1, min(dark.shape) // 12)
    inner = dark[inset:-inset, inset:-inset]
    inner_ring = _ring(inner) if inner.size else ring
    if abs(ring - inner_ring) > 0.75:  # a frame around the picture, which says nothing
        dark, ring = inner, inner_ring
    least = 0.01 * dark.size  # smaller pieces are noise
    pieces = [np.count_nonzero(parts(mask).area > least) for mask in (dark, ~dark)]
    # The border and the corners count most; what is a twelfth further in less, since a
    # large digit reaches it; the area least, since a bold one has half of it. The pieces
    # count as much as a third of the border. Tuned by the pictures of bench/pictures.
    votes = [(1.0, ring), (0.7, inner_ring), (1.0, _corners(dark)), (0.6, dark.mean())]
    share = sum(weight * float(vote) for weight, vote in votes)
    return (share + 0.4 * float(np.sign(pieces[0] - pieces[1]))) / 3.3
