"""Shapes, letters of other alphabets and clothing, on which no recipe trains; and signs."""

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from training.best.pen import Strokes
from training.report import frames

SIDE = 112  # pixels; of a piece of clothing

Random = np.random.Generator


def by_hand(shape: Callable[[Random], Strokes]) -> Callable[[Random], Strokes]:
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


def _house(random: Random) -> Strokes:
    """A wall and a roof; one half of them with a door."""
    high, over = random.uniform(0.5, 1), random.uniform(0, 0.2)
    wall = np.array([[-0.7, 0.0], [-0.7, 1], [0.7, 1], [0.7, 0]])
    roof = np.array([[-0.7 - over, 0.0], [0, -high], [0.7 + over, 0]])
    strokes = [wall, roof, roof[[0, 2]]] if random.random() < 0.5 else [wall, roof]
    if random.random() < 0.5:
        strokes.append(np.array([[-0.15, 1], [-0.15, 0.45], [0.2, 0.45], [0.2, 1]]))
    return strokes


def _question_mark(random: Random) -> Strokes:
    """A hook, and a dot below it."""
    angle = np.radians(np.linspace(-170 + random.uniform(-20, 20), 80, 24))
    hook = _polar(angle, np.full(24, 0.45)) - [0, 0.55]
    stem = np.array([[0.06, -0.08], [0, 0.1], [0, random.uniform(0.3, 0.5)]])
    dot = np.array([[0, 0.8], [0, 0.84]]) + [0, random.uniform(-0.05, 0.15)]
    return [np.concatenate([hook, stem]), dot]


def _plus(random: Random) -> Strokes:
    """Two lines that cross in their middle, or nearly."""
    off = random.normal(0, 0.08, 2)
    return [
        np.array([[-1, off[0]], [1, off[0]]]),
        np.array([[off[1], -1], [off[1], 1]]) * random.uniform(0.8, 1.2),
    ]


def _arrow(random: Random) -> Strokes:
    """A shaft and its head, in any of eight directions."""
    wide, long = random.uniform(0.25, 0.55), random.uniform(0.3, 0.6)
    head = np.array([[1 - long, -wide], [1, 0], [1 - long, wide]])
    angle = random.integers(8) * np.pi / 4
    cos, sin = np.cos(angle), np.sin(angle)
    return [
        line @ [[cos, sin], [-sin, cos]] for line in (np.array([[-1.0, 0], [1, 0]]), head)
    ]


def _note(random: Random) -> Strokes:
    """A note of music: a filled head, a stem, and a flag; or two with a beam."""
    turn = np.linspace(0, 2 * np.pi, 24)
    head = [_polar(turn, np.full(24, size)) * [1.2, 0.8] for size in (0.3, 0.2, 0.1)]
    stem = np.array([[0.33, 0], [0.33, random.uniform(-1.7, -1.2)]])
    if random.random() < 0.5:
        flag = stem[1] + np.array([[0, 0], [0.3, 0.3], [0.45, 0.6], [0.3, 0.9]])
        return [*head, stem, flag]
    right = random.uniform(0.9, 1.3)
    other = [line + [right, 0] for line in [*head, stem]]
    beams = [np.array([stem[1], stem[1] + [right, 0]]) + [0, down] for down in (0, 0.1)]
    return [*head, stem, *other, *beams]


def _smiley(random: Random) -> Strokes:
    """A face: round, with two eyes and a mouth."""
    turn = np.linspace(0, 2 * np.pi, 40)
    mouth = np.radians(np.linspace(20, 160, 16))
    eyes = [np.array([[x, -0.35], [x, -0.2]]) for x in (-0.35, 0.35)]
    face = _polar(turn, np.full(40, 1.0))
    return [face, *eyes, _polar(mouth, np.full(16, random.uniform(0.45, 0.6)))]


SHAPES_OF = {
    "spiral": _spiral,
    "star": _star,
    "grid": _grid,
    "box": _box,
    "heart": _heart,
    "house": _house,
    "smiley": _smiley,
}
# Recipes train on such signs, too, from drawings of their own.
SIGNS_OF = {"question mark": _question_mark, "plus": _plus, "arrow": _arrow, "note": _note}


@cache
def other_letters() -> dict[str, Strokes]:
    """Return Greek letters and Japanese kana, about 4 wide and 6 high."""
    texts = json.loads(Path(__file__).with_name("letters.json").read_bytes())
    return {
        name: [np.array(stroke, float) for stroke in strokes]
        for name, strokes in texts.items()
    }


ALPHABETS = {"Greek letters": "ΣΨΩΞλμωηπψ", "kana": "アカサホネキモヒムシ"}


def other_letter(name: str, random: Random) -> Strokes:
    """Write one of ``other_letters`` with a careless hand."""
    return [
        stroke + random.normal(0, 0.2, stroke.shape) for stroke in other_letters()[name]
    ]


def clothing(random: Random) -> frames.Picture:
    """Cut a shirt, trousers, a dress, a bag or a boot out of cloth, uint8 [112, 112]."""
    names = list(CLOTHES)
    half = np.array(CLOTHES[names[random.integers(len(names))]])
    half = (half + random.normal(0, 0.02, half.shape)) * random.uniform(0.8, 1, 2)
    mirrored = np.concatenate([half, half[::-1] * [-1, 1]])
    sheet = Image.new("L", (SIDE, SIDE))
    corners = [(x, y) for x, y in ((mirrored - [0, 0.5]) * frames.LENGTH + 0.5) * SIDE]
    ImageDraw.Draw(sheet).polygon(corners, fill=1)
    y, x = np.indices((SIDE, SIDE)) / SIDE
    cloth = random.uniform(0.4, 1) * (1 - random.uniform(0, 0.8) * np.abs(x - 0.5))
    if random.random() < 0.4:  # stripes
        beat, angle = random.uniform(20, 90), random.uniform(0, np.pi)
        wave = np.sin(beat * (np.cos(angle) * x + np.sin(angle) * y))
        cloth = cloth * (0.8 + 0.2 * np.sign(wave))
    cloth = np.clip(cloth + random.normal(0, 0.04, cloth.shape), 0.02, 1)
    levels: frames.Picture = np.rint(255 * cloth * np.asarray(sheet)).astype(np.uint8)
    return levels


# The right half of a piece of clothing, from the top down: (x, y), 1 high, about 0 in x.
CLOTHES: dict[str, list[tuple[float, float]]] = {
    "shirt": [
        (0.1, 0.05),
        (0.28, 0),
        (0.5, 0.3),
        (0.4, 0.4),
        (0.28, 0.3),
        (0.3, 1),
        (0, 1),
    ],
    "pullover": [
        (0.1, 0.03),
        (0.25, 0),
        (0.38, 0.2),
        (0.5, 0.9),
        (0.38, 0.95),
        (0.28, 0.4),
        (0.28, 1),
    ],
    "trousers": [(0.2, 0), (0.3, 1), (0.1, 1), (0.03, 0.35)],
    "dress": [(0.08, 0), (0.16, 0.05), (0.12, 0.35), (0.32, 1), (0, 1)],
    "coat": [
        (0.06, 0.02),
        (0.22, 0),
        (0.36, 0.15),
        (0.4, 0.7),
        (0.3, 0.7),
        (0.27, 0.3),
        (0.3, 1),
        (0.02, 1),
    ],
    "bag": [(0.12, 0), (0.2, 0.3), (0.5, 0.32), (0.46, 0.9), (0, 0.9)],
    "shoe": [(0.1, 0.3), (0.2, 0.5), (0.5, 0.6), (0.5, 0.8), (0, 0.8)],
}
