"""Pictures that show no digit, some of them of kinds that no recipe trains on."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from training import evaluate
from training.best import figures, ood
from training.best.pen import Strokes
from training.calibration import Thresholds
from training.report import frames, hands, shapes
from training.report.frames import Picture, picture

PENS = (0.06, 0.08, 0.1, 0.12)  # of the picture's width: 1.6 to 2.9 MNIST pixels
# Pictures of a kind: about 600 of a group, where one standard error of 90 % is 1.2 points,
# and as many of each pen.
LETTERS = 20  # of each letter
SCRIBBLES = 160  # of each of the four
FIGURES = 200  # of each of the six
SHAPES = 120  # of each sign, and of each kind of no training
NOISE = 300  # of each of the two
SIDES = (28, 56, 112)  # pixels; of pictures of uniform noise

UNKNOWN = "never trained on"

Random = np.random.Generator

FIGURES_OF = {
    "symbols": ood.any_symbol,
    "outlines": figures.outline,
    "pieces": figures.pieces,
    "dotted": figures.dotted,
    "runes": figures.rune,
}


class Found(NamedTuple):
    """What a version makes of pictures of one kind.

    Attributes:
        group: what the kind is one of.
        kind: what the pictures show.
        refused: how many of them the service refuses, or finds several digits in.
        probabilities: of each of the others, float32 ``[n, 10]``.
    """

    group: str
    kind: str
    refused: int
    probabilities: npt.NDArray[np.float32]

    @property
    def pictures(self) -> int:
        """How many there are, refused or not."""
        return self.refused + len(self.probabilities)

    @property
    def mean(self) -> float:
        """The mean confidence at those that are not refused; 0 where all are."""
        confidence = self.probabilities.max(axis=1)
        return float(confidence.mean()) if len(confidence) else 0.0

    def set_aside(self, thresholds: Thresholds) -> float:
        """Return the fraction that is refused, or whose answer is a guess."""
        unsure = int(thresholds.guesses(self.probabilities).sum())
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
        np.concatenate([each.probabilities for each in found]),
    )


def kinds() -> Iterator[tuple[str, str, list[Picture]]]:
    """Draw every kind: its group, its name, and its pictures, each ``[side, side]``.

    The seed of a kind is its name, so that all are the same each time. Training's seeds
    are pairs of numbers, and none of these is: its drawings are others.
    """
    yield "letters", "letters", _letters(_random("letters"))
    for kind, scribble in ood.SCRIBBLES.items():
        yield "scribbles", kind, _drawn(scribble, SCRIBBLES, _random(kind))
    for kind, figure in FIGURES_OF.items():
        yield "figures", kind, _drawn(figure, FIGURES, _random(kind))
    random = _random("filled")
    yield "figures", "filled", [figures.filled(random) for _ in range(FIGURES)]
    for kind, sign in shapes.SIGNS_OF.items():
        yield "signs", kind, _drawn(shapes.by_hand(sign), SHAPES, _random(kind))
    yield "noise", "noise as in training", _noise(_random("noise as in training"))
    yield "noise", "uniform noise", _uniform_noise(_random("uniform noise"))
    for kind, shape in shapes.SHAPES_OF.items():
        yield UNKNOWN, kind, _drawn(shapes.by_hand(shape), SHAPES, _random(kind))
    for alphabet, names in shapes.ALPHABETS.items():
        random = _random(alphabet)
        drawn = [
            picture(shapes.other_letter(names[i % len(names)], random), PENS[i % len(PENS)])
            for i in range(SHAPES)
        ]
        yield UNKNOWN, alphabet, drawn
    for kind, draw in (("clothing", shapes.clothing), ("two digits", hands.pair)):
        random = _random(kind)
        yield UNKNOWN, kind, [draw(random) for _ in range(SHAPES)]


def _read(content: bytes, group: str, kind: str, drawn: Sequence[Picture]) -> Found:
    framed = frames.through_service(drawn)
    probabilities = evaluate.probabilities(content, framed.frames)
    refused = framed.refused | framed.several
    return Found(group, kind, int(refused.sum()), probabilities[~refused])


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
