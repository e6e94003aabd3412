"""Draw what is no digit, beyond letters: symbols, outlines, shapes in pieces and filled."""

import json
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from training.best.pen import GLYPH, SIDE, Points, Random, Strokes, arc, fit, smooth

FINE = 3  # samples a pixel of a filled shape
LARGEST = 28  # pixels; a filled shape may fill the frame, as pieces of clothing do

Image = npt.NDArray[np.uint8]


@cache
def symbols() -> dict[str, Strokes]:
    """Return the strokes of each symbol, about 4 wide and 6 high."""
    texts = json.loads(Path(__file__).with_name("symbols.json").read_bytes())
    return {
        name: [np.array(stroke, dtype=float) for stroke in strokes]
        for name, strokes in texts.items()
    }


def outline(random: Random) -> Strokes:
    """Go around a shape of three and more corners, straight from one to the next or not.

    Rectangles are not among them: the report keeps them for its test.
    """
    corners = int(random.choice([2, 3, 4, 5, 6, 7, 10]))
    turn = random.uniform(0, 2 * np.pi / corners) if corners != 4 else 0.0
    angle = turn + np.linspace(0, 2 * np.pi, corners, endpoint=False) + np.pi / 2
    angle += random.normal(0, 0.6 / corners, corners)
    radius = random.uniform(0.7, 1, corners)
    if corners == 10:  # a star
        radius[::2] *= random.uniform(0.35, 0.6)
    points = np.stack([np.cos(angle), np.sin(angle)], 1) * radius[:, None]
    # Two corners make a drop or a moon; a lens upright would be a 0.
    most = {3: 0.35, 4: 0.25, 10: 0.3}.get(corners, 0.1)  # rounder ones are a 0
    bulge = (
        random.uniform(-0.25, most, corners) if random.random() < 0.5 else np.zeros(corners)
    )
    if corners == 2:
        bulge = np.array([random.uniform(0.4, 0.9), -0.6 * random.random()])
    sides = [
        _bulged(a, b, out) for a, b, out in zip(points, np.roll(points, -1, axis=0), bulge)
    ]
    strokes = [np.concatenate(sides)]
    if random.random() < 0.35:
        strokes += [0.35 * stroke for stroke in pieces(random, 1)]
    return strokes


def pieces(random: Random, count: int | None = None) -> Strokes:
    """Put three to five lines, bows, rings, angles, hooks or dots anywhere."""
    strokes = []
    for _ in range(count or random.integers(3, 6)):
        size, place = random.uniform(0.25, 0.9), random.uniform(-0.8, 0.8, 2)
        turned = random.uniform(0, 2 * np.pi)
        kind = random.integers(6)
        if kind == 0:
            line = np.array([[-1.0, 0], [1, 0]])
        elif kind == 1:
            line = arc((0, 0), (1, random.uniform(0.4, 1)), 0, random.uniform(90, 250))
        elif kind == 2:
            line = arc((0, 0), (0.6, random.uniform(0.4, 0.6)), 0, 360)
        elif kind == 3:
            line = np.array(
                [[-0.8, random.uniform(0.3, 1)], [0, 0], [0.8, random.uniform(0.3, 1)]]
            )
        elif kind == 4:
            line = smooth([(-1, 0), (0.5, 0), (1, 0.4), (0.5, 0.8)])
        else:
            line, size = arc((0, 0), (1, 1), 0, 360), 0.05
        strokes.append(size * line @ _turn(turned) + place)
    return strokes


def rune(random: Random) -> Strokes:
    """Write a letter of no alphabet: three or four strokes between points of a grid."""
    grid = np.array([(x, y) for x in range(3) for y in range(4)], float)
    strokes = []
    for _ in range(random.integers(3, 5)):
        points = [random.integers(len(grid))]
        for _ in range(random.integers(1, 3)):
            apart = np.abs(grid - grid[points[-1]]).max(axis=1)
            near = np.flatnonzero((apart > 0) & (apart <= 2))
            points.append(random.choice(near))
        line = grid[points] + random.normal(0, 0.12, (len(points), 2))
        strokes.append(smooth(line) if random.random() < 0.4 else line)
    return strokes


def arrow(random: Random) -> Strokes:
    """Point somewhere: a shaft, now and then bent, and a head."""
    wide, long = random.uniform(0.2, 0.6), random.uniform(0.25, 0.7)
    shaft = smooth([(-1, 0), (0, random.normal(0, 0.15)), (1, 0)])
    head = np.array([[1 - long, -wide], [1, 0], [1 - long, wide]])
    turn = _turn(random.integers(8) * np.pi / 4 + random.normal(0, 0.15))
    return [shaft @ turn, head @ turn]


def dotted(random: Random) -> Strokes:
    """A bent line, and a dot or two beside its end."""
    line = smooth(random.uniform(-0.5, 0.5, (random.integers(2, 6), 2)) * [1, 1.3])
    low = line[:, 1].max() if random.random() < 0.7 else line[:, 1].min() - 0.6
    dots = [
        arc((line[-1, 0] + shift, low + 0.3), (0.03, 0.03), 0, 360)
        for shift in random.uniform(-0.25, 0.25, random.integers(1, 3))
    ]
    return [line, *dots]


def filled(random: Random) -> Image:
    """Fill one or two shapes, alike on the left and the right, with a cloth of greys.

    Returns:
        uint8 ``[28, 28]``; as large as the frame, or framed as the service frames ink.
    """
    mask = _profile(random)
    if random.random() < 0.5:  # sleeves, brims, handles
        other = _profile(random)
        mask = mask | (other.T if random.random() < 0.6 else other)
    side = LARGEST * FINE
    y, x = np.indices((side, side)) / side
    cloth = np.full((side, side), random.uniform(0.3, 1))
    kind = random.integers(5)
    if kind == 1:
        a, b = random.uniform(-25, 25, 2)
        cloth *= 1 - random.uniform(0.2, 0.9) * (np.sin(a * x + b * y) > 0)
    elif kind == 2:
        cloth *= (
            1
            - random.uniform(-0.6, 0.6) * (y - 0.5)
            - random.uniform(-0.6, 0.6) * (x - 0.5)
        )
    elif kind == 3:
        coarse = random.uniform(0.3, 1, (7, 7)).repeat(side // 7, 0).repeat(side // 7, 1)
        cloth *= coarse
    elif kind == 4:
        cloth *= 1 - random.uniform(0, 0.8) * (np.abs(x - 0.5) < random.uniform(0.01, 0.1))
    grey = np.clip(cloth, 0.05, 1) * mask
    if random.random() < 0.5:
        return fit(grey)
    cells = grey.reshape(LARGEST, FINE, LARGEST, FINE).mean(axis=(1, 3))
    levels: Image = np.rint(255 * cells / max(cells.max(), 0.01)).astype(np.uint8)
    return levels


def pair(images: npt.NDArray[np.uint8], random: Random) -> Image:
    """Put two digits, now and then three, side by side, and frame them as one.

    Args:
        images: of digits, uint8 ``[n, 784]``.
        random: what is left to chance.
    """
    chosen = images[random.integers(len(images), size=2 + (random.random() < 0.15))]
    canvas = np.zeros((2 * SIDE, 5 * SIDE))
    left = SIDE
    for image in chosen.reshape(-1, SIDE, SIDE):
        rows, columns = np.flatnonzero(image.any(1)), np.flatnonzero(image.any(0))
        box = image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        top = SIDE // 2 + int(random.integers(-2, 3)) + (GLYPH - len(box))
        place = canvas[top : top + len(box), left : left + box.shape[1]]
        np.maximum(place, box, out=place)
        left += box.shape[1] + int(random.integers(-2, 7))
    return fit(canvas)


def _profile(random: Random) -> npt.NDArray[np.bool_]:
    """Fill between two edges, mirror images of each other, bool ``[84, 84]``."""
    side = LARGEST * FINE
    knots = random.integers(3, 7)
    widths = random.uniform(0.08, 0.5, knots)
    if random.random() < 0.4:  # nearly the same all the way
        widths = random.uniform(0.15, 0.45) + random.normal(0, 0.04, knots)
    y = np.arange(side) / side
    first, last = random.uniform(0, 0.3), random.uniform(0.6, 1)
    width = np.interp(y, np.linspace(first, last, knots), widths, left=0, right=0)
    across = np.abs(np.arange(side) / side - 0.5 - random.normal(0, 0.02))
    mask = across[None] < width[:, None]
    if random.random() < 0.25:  # legs
        split = random.uniform(0.1, 0.7)
        mask &= ~(
            (y[:, None] > split)
            & (across[None] < random.uniform(0.01, 0.08) * (1 + y[:, None]))
        )
    if not mask.any():
        mask[side // 3 : -side // 3, side // 3 : -side // 3] = True
    return np.asarray(mask)


def _bulged(start: Points, end: Points, out: float) -> Points:
    """Go from one corner to the next, bulging outwards by a fraction of the way."""
    if not out:
        return np.array([start, end])
    along = end - start
    middle = (start + end) / 2 + out * np.array([along[1], -along[0]])
    t = np.linspace(0, 1, 12)[:, None]
    control = 2 * middle - (start + end) / 2
    return np.asarray((1 - t) ** 2 * start + 2 * t * (1 - t) * control + t**2 * end)


def _turn(angle: float) -> Points:
    cos, sin = np.cos(angle), np.sin(angle)
    return np.array([[cos, sin], [-sin, cos]])
