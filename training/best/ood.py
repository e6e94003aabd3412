"""Draw out-of-distribution pictures: what people send that is no digit.

The networks learn a uniform target for them, and so to be unsure of what is no digit.
"""

import json
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from training.best import figures
from training.best.pen import GLYPH, SIDE, Random, Strokes, frame, smooth

# Width of the pen as a fraction of the longer side, and how often: MNIST's are 0.1 to 0.15.
PENS = {0.06: 0.2, 0.1: 0.3, 0.14: 0.25, 0.18: 0.15, 0.24: 0.1}

Images = npt.NDArray[np.uint8]


def draw(count: int, seed: int | Sequence[int], digits: Images) -> Images:
    """Draw pictures of each of ``KINDS``, as often as it says.

    Args:
        count: how many.
        seed: the same seed draws the same pictures.
        digits: images of digits for the pairs, uint8 ``[n, 784]``.

    Returns:
        uint8 ``[count, 784]``, white on black.
    """
    random = np.random.default_rng(seed)
    shares = np.array([share for share, _ in KINDS.values()])
    chosen = random.choice(list(KINDS), count, p=shares / shares.sum())
    pictures = [KINDS[kind][1](random, digits) for kind in chosen]
    return np.array(pictures, np.uint8).reshape(count, -1)


@cache
def letters() -> dict[str, Strokes]:
    """Return the strokes of each letter, Latin and Cyrillic, 4 wide and 6 high.

    Letters that a hand writes like a digit are not among them: B, D, G, I, O, Q, S, Y, Z,
    b, g, i, l, o, q, s, t, y, z, and their Cyrillic likes.
    """
    texts = json.loads(Path(__file__).with_name("letters.json").read_bytes())
    return {
        letter: [np.array(stroke, dtype=float) for stroke in strokes]
        for letter, strokes in texts.items()
    }


def letter(name: str, random: Random) -> Strokes:
    """Write one of ``letters`` with a careless hand, still legible; as large as there."""
    return _careless(letters()[name], 0.25, random)


def _tangle(random: Random) -> Strokes:
    """A line to and fro between random places."""
    return [smooth(random.random((random.integers(7, 20), 2)))]


def _zigzag(random: Random) -> Strokes:
    """Up and down, as one crosses something out."""
    turns = random.integers(6, 16)
    height = random.uniform(0.2, 0.5, turns) * (-1) ** np.arange(turns)
    along = np.linspace(0, 1, turns) + random.normal(0, 0.04, turns)
    angle = random.uniform(0, np.pi)
    turn = [[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]
    line = np.stack([along, height], axis=1) @ np.array(turn)
    return [smooth(line) if random.random() < 0.6 else line]


def _crossing(random: Random) -> Strokes:
    """Four to eight short strokes at random places: of three, many are a 4 or a 7."""
    count = random.integers(4, 9)
    return [smooth(random.random((random.integers(2, 4), 2))) for _ in range(count)]


def _coil(random: Random) -> Strokes:
    """Round and round, wandering off."""
    time = np.linspace(0, 2 * np.pi * random.uniform(2.5, 6), 150)[:, None]
    radius = 0.2 * (1 + 0.5 * np.sin(time * random.uniform(0.1, 0.9)))
    wander = np.cumsum(random.normal(0, 0.02, (150, 2)), axis=0)
    return [radius * np.hstack([np.cos(time), np.sin(time)]) + wander]


# Each draws strokes of about the size 1, anywhere.
SCRIBBLES: dict[str, Callable[[Random], Strokes]] = {
    "tangle": _tangle,
    "zigzag": _zigzag,
    "crossing": _crossing,
    "coil": _coil,
}


def noise(random: Random) -> npt.NDArray[np.float64]:
    """Draw grey noise, specks or clouds, over the frame or within a digit's box.

    Returns:
        0 (black) to 1 (white), ``[28, 28]``; the brightest pixel is 1, but for a cloud
        (about one of fifty) that is darker than black everywhere: all of it is 0.
    """
    kind = random.integers(4)
    if kind == 0:
        grey = random.normal(random.uniform(0, 0.5), random.uniform(0.1, 0.6), (SIDE, SIDE))
    elif kind == 1:
        grey = (random.random((SIDE, SIDE)) < random.uniform(0.03, 0.6)).astype(float)
    else:
        grey = _clouds(random)
    if random.random() < 0.5:
        edge = (SIDE - GLYPH) // 2
        grey = np.pad(grey[edge:-edge, edge:-edge], edge)
    grey = np.clip(grey, 0, 1)
    return np.asarray(grey / max(grey.max(), 0.01))


def _careless(exact: Strokes, error: float, random: Random) -> Strokes:
    moved = [stroke + random.normal(0, error, stroke.shape) for stroke in exact]
    return [smooth(stroke) if random.random() < 0.6 else stroke for stroke in moved]


def _any_letter(random: Random) -> Strokes:
    names = sorted(letters())
    return letter(names[random.integers(len(names))], random)


def _any_scribble(random: Random) -> Strokes:
    scribbles = list(SCRIBBLES.values())
    return scribbles[random.integers(len(scribbles))](random)


def any_symbol(random: Random) -> Strokes:
    """Write one of ``figures.symbols`` with a careless hand."""
    names = sorted(figures.symbols())
    exact = figures.symbols()[names[random.integers(len(names))]]
    return _careless(exact, 0.15, random)


def _by_pen(strokes: Callable[[Random], Strokes]) -> Callable[[Random, Images], Images]:
    """Return what draws strokes into the frame, as wide or narrow as it comes."""

    def picture(random: Random, digits: Images) -> Images:
        wide = [np.exp(random.normal(0, 0.15)), 1]
        drawn = [line * wide for line in strokes(random)]
        width = random.choice(list(PENS), p=list(PENS.values()))
        return frame(drawn, float(width), random)

    return picture


def _clouds(random: Random) -> npt.NDArray[np.float64]:
    """Normal noise, smoothed by a Gaussian of one to five pixels."""
    frequency = np.fft.fftfreq(SIDE)
    distance = frequency[:, None] ** 2 + frequency**2
    smoothing = np.exp(-distance / (2 * random.uniform(0.03, 0.2) ** 2))
    spectrum = np.fft.fft2(random.normal(size=(SIDE, SIDE))) * smoothing
    clouds = np.fft.ifft2(spectrum).real
    clouds *= random.uniform(0.3, 2) / clouds.std()
    return clouds + random.uniform(-0.6, 0.3)


# How often each kind is drawn, and what draws it: uint8 ``[28, 28]``.
KINDS: dict[str, tuple[float, Callable[[Random, Images], Images]]] = {
    "letters": (21, _by_pen(_any_letter)),
    "scribbles": (18, _by_pen(_any_scribble)),
    "symbols": (19, _by_pen(any_symbol)),
    "arrows": (3, _by_pen(figures.arrow)),
    "runes": (12, _by_pen(figures.rune)),
    "outlines": (10, _by_pen(figures.outline)),
    "pieces": (5, _by_pen(figures.pieces)),
    "dotted": (3, _by_pen(figures.dotted)),
    "filled": (6, lambda random, _: figures.filled(random)),
    "pairs": (4, lambda random, digits: figures.pair(digits, random)),
    "noise": (5, lambda random, _: np.rint(255 * noise(random)).astype(np.uint8)),
}
