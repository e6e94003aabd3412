"""Digits as other countries write them, drawn apart from those of the training."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from training import evaluate
from training.calibration import Thresholds
from training.report import frames
from training.report.frames import Picture, picture

VARIANTS = 40  # of each style; one standard error of 97 % of one is 2.7 points
PENS = (0.04, 0.06, 0.09, 0.12)  # of the picture's width; the digit is 0.7 of it high
JITTER = 0.035  # of the height; standard deviation of where a point of a curve is
POINTS = 12  # of each Bézier curve

Random = np.random.Generator


class Style(NamedTuple):
    """What a version makes of one style.

    Attributes:
        name: what it is.
        label: the digit.
        right: whether a picture is read right, bool ``[n]``.
        probabilities: of its answer, float32 ``[n, 10]``.
        set_aside: whether the service refuses it or finds several digits, bool ``[n]``.
    """

    name: str
    label: int
    right: npt.NDArray[np.bool_]
    probabilities: npt.NDArray[np.float32]
    set_aside: npt.NDArray[np.bool_]

    def unsure(self, thresholds: Thresholds) -> float:
        """Return the fraction that is set aside, or whose answer is a guess."""
        return float(self._unsure(thresholds).mean())

    def wrong(self, thresholds: Thresholds) -> float:
        """Return the fraction that is read wrong, and is no guess."""
        return float((~self.right & ~self._unsure(thresholds)).mean())

    def _unsure(self, thresholds: Thresholds) -> npt.NDArray[np.bool_]:
        return self.set_aside | thresholds.guesses(self.probabilities)


def measure(content: bytes) -> list[Style]:
    """Read every style as the service does.

    Args:
        content: the ONNX file's bytes.
    """
    found = []
    for name, label, pictures in styles():
        framed = frames.through_service(pictures)
        answers = evaluate.probabilities(content, framed.frames)
        right = (answers.argmax(axis=1) == label) & ~framed.refused
        found.append(Style(name, label, right, answers, framed.refused | framed.several))
    return found


def together(found: Sequence[Style]) -> Style:
    """Count all styles as one."""
    return Style("**all**", 0, *(np.concatenate(each) for each in list(zip(*found))[2:]))


def styles() -> Iterator[tuple[str, int, list[Picture]]]:
    """Draw every style: its name, its digit, and its pictures, the same each time."""
    for name, (label, strokes) in read().items():
        random = np.random.default_rng(list(name.encode()))
        yield (
            name,
            label,
            [
                picture(_written(strokes, random), PENS[i % len(PENS)])
                for i in range(VARIANTS)
            ],
        )


def pair(random: Random) -> Picture:
    """Draw two digits side by side, uint8 ``[112, n]``."""
    drawings = [strokes for _, strokes in read().values()]
    gap, parts = np.zeros((112, 16), np.uint8), []
    for place in random.integers(len(drawings), size=2):
        drawn = picture(_written(drawings[place], random), 0.08)
        parts += [gap, drawn[:, drawn.any(axis=0)]]
        gap = np.zeros((112, int(random.integers(4, 20))), np.uint8)
    return np.hstack([*parts, parts[0]])


def read() -> dict[str, tuple[int, list[npt.NDArray[np.float64]]]]:
    """Return each style's digit, and its strokes: control points of cubic Bézier curves.

    Each stroke is float64 ``[3 * curves + 1, 2]``: a curve ends where the next begins.
    """
    texts = json.loads(Path(__file__).with_name("hands.json").read_bytes())
    return {
        name: (label, [np.array(stroke, float).reshape(-1, 2) for stroke in strokes])
        for name, (label, strokes) in texts.items()
    }


def _written(
    strokes: list[npt.NDArray[np.float64]], random: Random
) -> list[npt.NDArray[np.float64]]:
    """Move every point a little, and slant, turn and narrow the whole."""
    slant, angle = random.normal(0.1, 0.15), random.normal(0, 0.08)
    cos, sin = np.cos(angle), np.sin(angle)
    forward = np.array([[cos, sin], [-sin, cos]]) @ [[1, 0], [-slant, 1]]
    forward = np.diag([np.exp(random.normal(0, 0.15)), 1]) @ forward
    return [
        _curve(stroke + random.normal(0, JITTER, stroke.shape)) @ forward
        for stroke in strokes
    ]


def _curve(points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    t = np.linspace(0, 1, POINTS)[:, None]
    weights = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3
    curves = [
        sum(w * p for w, p in zip(weights, points[i : i + 4]))
        for i in range(0, len(points) - 1, 3)
    ]
    return np.concatenate(curves)
