"""Photographs, as a phone or a webcam takes them."""

import numpy as np
from PIL import Image

from bench.pictures.conditions import condition
from bench.pictures.hand import Hand, Ink
from bench.pictures.scene import (
    Grey,
    Random,
    blob,
    camera,
    edge,
    fibres,
    jpeg,
    light,
    put,
    rules,
    turned,
)
from bench.pictures.screen import beside, framed

SHAPE = (400, 400)


def written(hand: Hand, rng: Random, pen: float = 0.1) -> Ink:
    """Write the digit about the middle, a little askew."""
    ink = turned(hand.ink(round(rng.uniform(160, 260)), pen), rng.uniform(-6, 6))
    return put(ink, SHAPE, (rng.uniform(0.44, 0.56), rng.uniform(0.44, 0.56)))


def taken(
    rng: Random,
    mask: Ink,
    lit: Grey | None = None,
    paper: Grey | float = 200,
    pen: float = 0.25,
    noise: float = 4,
) -> bytes:
    """Photograph ink on paper.

    Args:
        rng: the noise.
        mask: the ink.
        lit: the light, 0 to 1; a little uneven by default.
        paper: its grey level, in full light.
        pen: how bright the ink is, compared with the paper.
        noise: the sensor's, in grey levels.
    """
    lit = light(rng, mask.shape[:2]) if lit is None else lit
    return jpeg(camera(rng, paper * lit * (1 - (1 - pen) * mask), noise))


@condition("photo, even light")
def _even(hand: Hand, rng: Random) -> bytes:
    return taken(rng, written(hand, rng))


@condition("photo, ballpoint")
def _ballpoint(hand: Hand, rng: Random) -> bytes:
    return taken(rng, 0.8 * written(hand, rng, 0.05), pen=0.35)


@condition("photo, pencil")
def _pencil(hand: Hand, rng: Random) -> bytes:
    grain = 0.7 + fibres(rng, SHAPE, 2, 0.15)
    return taken(rng, written(hand, rng, 0.06) * grain.clip(0, 1), pen=0.6)


@condition("photo, marker")
def _marker(hand: Hand, rng: Random) -> bytes:
    return taken(rng, written(hand, rng, 0.16), pen=0.15)


@condition("photo, slope of light")
def _slope(hand: Hand, rng: Random) -> bytes:
    return taken(rng, written(hand, rng), light(rng, SHAPE, 0.5))


@condition("photo, vignette")
def _vignette(hand: Hand, rng: Random) -> bytes:
    y, x = np.mgrid[-1:1:400j, -1:1:400j]
    return taken(rng, written(hand, rng), 1 - 0.28 * (x * x + y * y))


@condition("photo, edge of a shadow")
def _shadow(hand: Hand, rng: Random) -> bytes:
    lit = 1 - rng.uniform(0.3, 0.5) * edge(rng, SHAPE, 0.02, rng.uniform(-0.3, 0.3))
    return taken(rng, written(hand, rng), lit, 215)


@condition("photo, flash", least=0.9)
def _flash(hand: Hand, rng: Random) -> bytes:
    spot = blob(SHAPE, (rng.uniform(-0.6, 0.6), rng.uniform(-0.6, 0.6)), 0.5)
    return taken(rng, written(hand, rng), 0.4 + 0.8 * spot, 210)


@condition("photo, whiteboard with glare", least=0.9)
def _whiteboard(hand: Hand, rng: Random) -> bytes:
    """A lamp is reflected, in part over the digit, which stays dark beneath it."""
    spot = blob(SHAPE, (rng.uniform(-0.8, 0.8), rng.uniform(-0.8, 0.8)), 0.18)
    mask = written(hand, rng, 0.08)
    board = 190 * light(rng, SHAPE, 0.1) * (1 - 0.75 * mask) + 90 * spot
    return jpeg(camera(rng, board, 3))


@condition("photo, blackboard")
def _blackboard(hand: Hand, rng: Random) -> bytes:
    chalk = written(hand, rng, 0.09) * (0.75 + fibres(rng, SHAPE, 2, 0.12)).clip(0, 1)
    board = 50 * light(rng, SHAPE, 0.2) + fibres(rng, SHAPE, 40, 5)
    return jpeg(camera(rng, board + 170 * chalk, 4))


@condition("photo, crumpled")
def _crumpled(hand: Hand, rng: Random) -> bytes:
    folds = 1 + fibres(rng, SHAPE, 50, 0.07)
    return taken(rng, written(hand, rng), light(rng, SHAPE) * folds)


def on_lines(hand: Hand, rng: Random, depth: float, squared: bool = False) -> Ink:
    """Write on ruled paper, or on squared."""
    step, degrees = rng.uniform(45, 80), rng.uniform(-3, 3)
    lines = rules(SHAPE, step, 2, rng.uniform(0, step), degrees)
    if squared:
        lines = np.maximum(lines, rules(SHAPE, step, 2, rng.uniform(0, step), degrees + 90))
    return np.asarray(np.maximum(written(hand, rng), depth * lines))


@condition("photo, ruled")
def _ruled(hand: Hand, rng: Random) -> bytes:
    return taken(rng, on_lines(hand, rng, rng.uniform(0.15, 0.35)))


@condition("photo, ruled, dark lines")
def _ruled_dark(hand: Hand, rng: Random) -> bytes:
    return taken(rng, on_lines(hand, rng, rng.uniform(0.45, 0.7)))


@condition("photo, squared")
def _squared(hand: Hand, rng: Random) -> bytes:
    return taken(rng, on_lines(hand, rng, rng.uniform(0.2, 0.4), squared=True))


@condition("photo, ruled with a margin line")
def _margin_line(hand: Hand, rng: Random) -> bytes:
    mask = on_lines(hand, rng, 0.25)
    at = rng.uniform(20, 50) if rng.integers(2) else rng.uniform(350, 380)
    line = rules(SHAPE, 10_000, 3, -at, 90 + rng.uniform(-2, 2))
    return taken(rng, np.maximum(mask, 0.7 * line))


@condition("photo, part of a neighbour")
def _neighbour(hand: Hand, rng: Random) -> bytes:
    return taken(rng, beside(hand, rng, written(hand, rng)))


@condition("photo, cell of a form")
def _row_of_cells(hand: Hand, rng: Random) -> bytes:
    return taken(rng, turned(framed(written(hand, rng), 4, 24), 1.5)[6:-6, 6:-6])


@condition("photo, edge of the table")
def _table(hand: Hand, rng: Random) -> bytes:
    """The sheet ends within the picture, and the table begins."""
    beyond = edge(rng, SHAPE, 0.004, rng.uniform(0.75, 0.9))
    wood = rng.uniform(60, 130) + fibres(rng, SHAPE, 12, 8)
    mask = written(hand, rng)
    grey = (1 - beyond) * 205 * (1 - 0.75 * mask) + beyond * wood
    return jpeg(camera(rng, grey * light(rng, SHAPE)))


@condition("photo, whole sheet on a table")
def _whole_sheet(hand: Hand, rng: Random) -> bytes:
    """A sheet in the middle of the table."""
    sheet = turned(np.ones((310, 300), np.float32), rng.uniform(-8, 8))
    area = put(sheet, SHAPE)
    mask = put(turned(hand.ink(round(rng.uniform(120, 180))), rng.uniform(-6, 6)), SHAPE)
    wood = rng.uniform(50, 120) + fibres(rng, SHAPE, 12, 6)
    grey = area * 215 * (1 - 0.75 * mask) + (1 - area) * wood
    return jpeg(camera(rng, grey * light(rng, SHAPE)))


@condition("photo, finger")
def _finger(hand: Hand, rng: Random) -> bytes:
    """A finger holds the sheet from the side or from below."""
    y, x = np.mgrid[-1:1:400j, -1:1:400j]
    along, across = (x, y) if rng.integers(2) else (y, x)
    tip, middle = rng.uniform(0.72, 0.85), rng.uniform(-0.5, 0.5)
    away = np.hypot(np.minimum(along - tip, 0), across - middle)
    skin = 1 / (1 + np.exp((away - 0.16) / 0.01))
    grey = (1 - skin) * 205 * (1 - 0.75 * written(hand, rng)) + skin * rng.uniform(120, 150)
    return jpeg(camera(rng, grey * light(rng, SHAPE)))


@condition("photo, out of focus")
def _blurred(hand: Hand, rng: Random) -> bytes:
    grey = 200 * light(rng, SHAPE) * (1 - 0.7 * written(hand, rng))
    return jpeg(camera(rng, grey, 3, blur=rng.uniform(4, 7)))


@condition("photo, little light")
def _night(hand: Hand, rng: Random) -> bytes:
    """Little light: dark, and noisy."""
    return taken(rng, written(hand, rng), paper=110, noise=14)


@condition("photo, yellow note, blue pen")
def _note(hand: Hand, rng: Random) -> bytes:
    """A yellow note, a blue pen."""
    lit = light(rng, SHAPE)[..., None]
    mask = written(hand, rng)[..., None]
    paper, pen = np.array([245, 225, 90.0]), np.array([40, 60, 150.0])
    return jpeg(camera(rng, (paper + (pen - paper) * mask) * lit))


@condition("photo of a screen")
def _screen(hand: Hand, rng: Random) -> bytes:
    """A monitor, with its grid of dots."""
    dots = 1 - 0.12 * rules(SHAPE, 4.3, 1, 0, 2) - 0.12 * rules(SHAPE, 4.3, 1, 0, 92)
    return jpeg(
        camera(rng, 215 * dots * light(rng, SHAPE) * (1 - 0.85 * written(hand, rng)))
    )


@condition("photo of 12 megapixels")
def _phone_12_megapixels(hand: Hand, rng: Random) -> bytes:
    lit = light(rng, SHAPE) * (1 - 0.75 * written(hand, rng)) * 200
    large = Image.fromarray(lit.clip(0, 255).astype(np.uint8)).resize((4000, 3000))
    noise = rng.integers(-6, 7, (3000, 4000), dtype=np.int8)
    return jpeg((np.asarray(large).astype(np.int16) + noise).clip(0, 255).astype(np.uint8))


@condition("photo, small digit")
def _small_digit(hand: Hand, rng: Random) -> bytes:
    """A whole page with one digit, an eighth as high as it."""
    ink = put(hand.ink(round(rng.uniform(40, 60))), SHAPE, tuple(rng.uniform(0.3, 0.7, 2)))
    return taken(rng, ink)
