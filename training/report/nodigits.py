"""Pictures that show no digit: letters, scribbles, noise, and shapes of no training."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from training import evaluate
from training.best import ood
from training.report import frames
from training.report.frames import Picture

PENS = (0.06, 0.08, 0.1, 0.12)  # of the picture's width: 1.6 to 2.9 MNIST pixels
LENGTH = 0.7  # of the picture's width, without the pen: a digit as large as most draw one
# Pictures of a kind: about 600 of a group, where one standard error of 90 % is 1.2 points,
# and as many of each pen.
LETTERS = 20  # of each of the 28 letters
SCRIBBLES = 160  # of each of the four
SHAPES = 120  # of each of the five
NOISE = 300  # of each of the two
SIDES = (28, 56, 112)  # pixels; of pictures of uniform noise

Random = np.random.Generator
Strokes = ood.Strokes


class Found(NamedTuple):
    """What a version makes of pictures of one kind.

    Attributes:
        group: what the kind is one of.
        kind: what the pictures show.
        refused: how many of them the service refuses.
        confidence: at each of the others, float32 ``[n]``.
    """

    group: str
    kind: str
    refused: int
    confidence: npt.NDArray[np.float32]

    @property
    def pictures(self) -> int:
        """How many there are, refused or not."""
        return self.refused + len(self.confidence)

    @property
    def mean(self) -> float:
        """The mean confidence at those that are not refused; 0 where all are."""
        return float(self.confidence.mean()) if len(self.confidence) else 0.0

    def set_aside(self, threshold: float) -> float:
        """Return the fraction that is refused, or read below a confidence."""
        unsure = int((self.confidence < threshold).sum())
        return (self.refused + unsure) / self.pictures


def measure(content: bytes) -> list[Found]:
    """Read pictures of each kind as the service does.

    Args:
        content: the ONNX file's bytes.
    """
    return [_read(content, *each) for each in kinds()]


def together(found: Sequence[Found], kind: str) -> Found:
    """Count several kinds as one."""
    return Found(
        found[0].group,
        kind,
        sum(each.refused for each in found),
        np.concatenate([each.confidence for each in found]),
    )


def kinds() -> Iterator[tuple[str, str, list[Picture]]]:
    """Draw every kind: its group, its name, and its pictures, each ``[side, side]``.

    The seed of a kind is its name, so that all are the same each time. Training's seeds
    are pairs of numbers, and none of these is: its drawings are others.
    """
    yield "letters", "letters", _letters(_random("letters"))
    for kind, scribble in ood.SCRIBBLES.items():
        yield "scribbles", kind, _drawn(scribble, SCRIBBLES, _random(kind))
    yield "noise", "noise as in training", _noise(_random("noise as in training"))
    yield "noise", "uniform noise", _uniform_noise(_random("uniform noise"))
    for kind, shape in SHAPES_OF.items():
        yield "shapes", kind, _drawn(_by_hand(shape), SHAPES, _random(kind))


def picture(strokes: Strokes, pen: float) -> Picture:
    """Draw strokes with the service's pen, in the middle of a picture of 112 × 112."""
    points = np.concatenate(strokes)
    low, high = points.min(axis=0), points.max(axis=0)
    factor = LENGTH / (high - low).max()
    placed = [(line - (low + high) / 2) * factor + 0.5 for line in strokes]
    return frames.draw(placed, pen)


def _read(content: bytes, group: str, kind: str, drawn: Sequence[Picture]) -> Found:
    framed = frames.through_service(drawn)
    confidence = evaluate.probabilities(content, framed.frames).max(axis=1)
    return Found(group, kind, int(framed.refused.sum()), confidence[~framed.refused])


def _random(name: str) -> Random:
    return np.random.default_rng(list(name.encode()))


def _letters(random: Random) -> list[Picture]:
    return [
        picture(ood.letter(name, random), pen)
        for name in ood.letters()
        for pen in PENS
        for _ in range(LETTERS // len(PENS))
    ]


def _drawn(
    strokes: Callable[[Random], Strokes], count: int, random: Random
) -> list[Picture]:
    return [picture(strokes(random), PENS[i % len(PENS)]) for i in range(count)]


def _noise(random: Random) -> list[Picture]:
    greys = (ood.noise(random) for _ in range(NOISE))
    return [np.rint(255 * grey).astype(np.uint8) for grey in greys]


def _uniform_noise(random: Random) -> list[Picture]:
    sides = [SIDES[i % len(SIDES)] for i in range(NOISE)]
    return [random.integers(0, 256, (side, side), np.uint8) for side in sides]


def _by_hand(shape: Callable[[Random], Strokes]) -> Callable[[Random], Strokes]:
    """Tilt a shape by up to 15 degrees, and make it up to a fifth narrower or lower."""

    def draw(random: Random) -> Strokes:
        angle = np.radians(random.uniform(-15, 15))
        cosine, sine = np.cos(angle), np.sin(angle)
        turn = np.diag(random.uniform(0.8, 1, 2)) @ [[cosine, sine], [-sine, cosine]]
        return [line @ turn for line in shape(random)]

    return draw


def _spiral(random: Random) -> Strokes:
    """Two to three turns outwards from the middle."""
    time = np.linspace(0, 2 * np.pi * random.uniform(2, 3), 120)
    return [_polar(time + random.uniform(0, 2 * np.pi), time)]


def _star(random: Random) -> Strokes:
    """Three to five lines through the middle."""
    lines = random.integers(3, 6)
    angles = np.arange(lines) * np.pi / lines + random.uniform(0, np.pi)
    return [_polar(np.array([angle, angle]), np.array([-1, 1])) for angle in angles]


def _grid(random: Random) -> Strokes:
    """Two or three lines down, and as many across."""
    places = np.linspace(-0.7, 0.7, random.integers(2, 4))
    down = [np.array([[place, -1], [place, 1]]) for place in places]
    return down + [line[:, ::-1] for line in down]


def _box(random: Random) -> Strokes:
    """A rectangle; one half of them with a diagonal."""
    corners = np.array([[-1.0, -1], [-1, 1], [1, 1], [1, -1], [-1, -1]])
    return [corners, corners[[0, 2]]] if random.random() < 0.5 else [corners]


def _heart(random: Random) -> Strokes:
    """A heart, the same each time."""
    t = np.linspace(0, 2 * np.pi, 60)
    height = 13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)
    return [np.stack([16 * np.sin(t) ** 3, -height], axis=1)]


def _polar(
    angle: npt.NDArray[np.float64], radius: npt.NDArray[np.floating | np.integer]
) -> npt.NDArray[np.float64]:
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)


SHAPES_OF = {
    "spiral": _spiral,
    "star": _star,
    "grid": _grid,
    "box": _box,
    "heart": _heart,
}
