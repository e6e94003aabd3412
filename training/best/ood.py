"""Draw out-of-distribution pictures: letters, scribbles and noise.

The student learns a uniform target for them, and so to be unsure of what is no digit.
"""

import json
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

SIDE = 28  # pixels; the side of an MNIST image
FINE = 2  # samples a pixel, down and across, of a stroke's edge
GLYPH = 20  # pixels; the longer side of what is drawn, as MNIST's digits have it
# Radius in samples, for strokes of about 1.5, 2.5, 3.5 and 4.5 pixels, and how often:
# MNIST's are 2 to 3 pixels wide.
PENS = {1: 0.2, 2: 0.4, 3: 0.25, 4: 0.15}

Points = npt.NDArray[np.float64]
Strokes = list[Points]  # (x, y), float64 [points, 2] each; x to the right, y down
Images = npt.NDArray[np.uint8]


def draw(count: int, seed: int | Sequence[int]) -> Images:
    """Draw one half scribbles, a third letters, the rest noise.

    Returns:
        uint8 ``[count, 784]``, white on black, the same for the same seed.
    """
    random = np.random.default_rng(seed)
    strokes = [_any_letter(random) for _ in range(count // 3)]
    strokes += [_any_scribble(random) for _ in range(count // 2)]
    greys = [noise(random) for _ in range(count - len(strokes))]
    pens = random.choice(list(PENS), len(strokes), p=list(PENS.values()))
    pictures = [_render(_fit(lines), pen) for lines, pen in zip(strokes, pens)] + greys
    return np.rint(255 * np.array(pictures)).astype(np.uint8).reshape(count, -1)


@cache
def letters() -> dict[str, Strokes]:
    """Return the strokes of each letter, 4 wide and 6 high.

    Letters that a hand writes like a digit are not among them: B, D, G, I, O, Q, S, Y, Z,
    b, g, i, l, o, q, s, t, y, z.
    """
    texts = json.loads(Path(__file__).with_name("letters.json").read_bytes())
    return {
        letter: [np.array(stroke, dtype=float) for stroke in strokes]
        for letter, strokes in texts.items()
    }


def letter(name: str, random: np.random.Generator) -> Strokes:
    """Write one of ``letters`` with a careless hand, still legible; as large as there."""
    moved = [stroke + random.normal(0, 0.25, stroke.shape) for stroke in letters()[name]]
    return [_smooth(stroke) if random.random() < 0.6 else stroke for stroke in moved]


def _tangle(random: np.random.Generator) -> Strokes:
    """A line to and fro between random places."""
    return [_smooth(random.random((random.integers(7, 20), 2)))]


def _zigzag(random: np.random.Generator) -> Strokes:
    """Up and down, as one crosses something out."""
    turns = random.integers(6, 16)
    height = random.uniform(0.2, 0.5, turns) * (-1) ** np.arange(turns)
    along = np.linspace(0, 1, turns) + random.normal(0, 0.04, turns)
    angle = random.uniform(0, np.pi)
    turn = [[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]
    line = np.stack([along, height], axis=1) @ np.array(turn)
    return [_smooth(line) if random.random() < 0.6 else line]


def _crossing(random: np.random.Generator) -> Strokes:
    """Four to eight short strokes at random places: of three, many are a 4 or a 7."""
    count = random.integers(4, 9)
    return [_smooth(random.random((random.integers(2, 4), 2))) for _ in range(count)]


def _coil(random: np.random.Generator) -> Strokes:
    """Round and round, wandering off."""
    time = np.linspace(0, 2 * np.pi * random.uniform(2.5, 6), 150)[:, None]
    radius = 0.2 * (1 + 0.5 * np.sin(time * random.uniform(0.1, 0.9)))
    wander = np.cumsum(random.normal(0, 0.02, (150, 2)), axis=0)
    return [radius * np.hstack([np.cos(time), np.sin(time)]) + wander]


# Each draws strokes of about the size 1, anywhere.
SCRIBBLES: dict[str, Callable[[np.random.Generator], Strokes]] = {
    "tangle": _tangle,
    "zigzag": _zigzag,
    "crossing": _crossing,
    "coil": _coil,
}


def noise(random: np.random.Generator) -> npt.NDArray[np.float64]:
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


def _any_letter(random: np.random.Generator) -> Strokes:
    names = sorted(letters())
    return letter(names[random.integers(len(names))], random)


def _any_scribble(random: np.random.Generator) -> Strokes:
    scribbles = list(SCRIBBLES.values())
    return scribbles[random.integers(len(scribbles))](random)


def _clouds(random: np.random.Generator) -> npt.NDArray[np.float64]:
    """Normal noise, smoothed by a Gaussian of one to five pixels."""
    frequency = np.fft.fftfreq(SIDE)
    distance = frequency[:, None] ** 2 + frequency**2
    smoothing = np.exp(-distance / (2 * random.uniform(0.03, 0.2) ** 2))
    spectrum = np.fft.fft2(random.normal(size=(SIDE, SIDE))) * smoothing
    clouds = np.fft.ifft2(spectrum).real
    clouds *= random.uniform(0.3, 2) / clouds.std()
    return clouds + random.uniform(-0.6, 0.3)


def _smooth(points: Points, steps: int = 12) -> Points:
    """Draw a Catmull-Rom curve through points ``[n, 2]``."""
    ends = np.concatenate([points[:1], points, points[-1:]])
    a, b, c, d = (ends[i : len(ends) - 3 + i, None] for i in range(4))
    t = np.linspace(0, 1, steps, endpoint=False)[:, None]
    curve = (
        b
        + (t * (c - a) + t**2 * (2 * a - 5 * b + 4 * c - d)) / 2
        + t**3 * (3 * b - a - 3 * c + d) / 2
    )
    return np.concatenate([curve.reshape(-1, 2), points[-1:]])


def _fit(strokes: Strokes) -> Strokes:
    """Bring strokes to samples of a picture twice the frame's size, 20 pixels long."""
    every = np.concatenate(strokes)
    low, high = every.min(axis=0), every.max(axis=0)
    pen = 2  # samples on either side that the pen adds
    factor = (GLYPH * FINE - 2 * pen) / max((high - low).max(), 1e-6)
    middle = (low + high) / 2
    return [(stroke - middle) * factor + SIDE * FINE for stroke in strokes]


def _render(strokes: Strokes, pen: int) -> npt.NDArray[np.float64]:
    """Draw with a round pen of that radius in samples; ink 0 to 1, ``[28, 28]``.

    The centre of mass is in the middle, to the pixel, as MNIST's frame has it.
    """
    room = 2 * SIDE * FINE  # for any centre of mass; what leaves the frame is cut
    touched = np.zeros(room * room, dtype=bool)
    touched[_samples(strokes) @ [1, room]] = True
    inked = np.zeros_like(touched)
    inked[np.flatnonzero(touched)[:, None] + _disc(pen) @ [1, room]] = True
    grey = inked.reshape(room // FINE, FINE, room // FINE, FINE).mean(axis=(1, 3))
    # Pixel 14, counted from 0, is where the mean of MNIST's centres is.
    down, across = (
        round(np.average(np.arange(len(grey)), weights=grey.sum(axis=other))) - SIDE // 2
        for other in (1, 0)
    )
    return np.asarray(grey[down : down + SIDE, across : across + SIDE])


def _samples(strokes: Strokes) -> npt.NDArray[np.int64]:
    """Return all samples (x, y) that strokes touch, some of them more than once."""
    starts = np.concatenate([stroke[:-1] for stroke in strokes])
    ends = np.concatenate([stroke[1:] for stroke in strokes])
    steps = np.abs(ends - starts).max(axis=1).astype(int) + 1  # no sample is jumped over
    points = steps + 1
    segment = np.repeat(np.arange(len(points)), points)
    step = np.arange(len(segment)) - np.repeat(np.cumsum(points) - points, points)
    moves = (ends - starts) / steps[:, None]
    line = step[:, None] * moves[segment] + starts[segment]
    line[np.cumsum(points) - 1] = ends  # without the rounding of the steps
    samples: npt.NDArray[np.int64] = line.astype(np.int64)
    return samples


@cache
def _disc(radius: int) -> npt.NDArray[np.int64]:
    """Return the samples (x, y) of a round pen about its middle."""
    x, y = np.indices((2 * radius + 1, 2 * radius + 1)).reshape(2, -1) - radius
    inside = x**2 + y**2 <= radius**2
    return np.stack([x[inside], y[inside]], axis=1)
