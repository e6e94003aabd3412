"""The strokes of digits in many styles, each time others of the same kind.

Each is about 1 high; y is 0 at the top and 1 at the bottom.
"""

import numpy as np

from training.best.pen import Random, Strokes, arc, smooth


def one(random: Random, flag: tuple[float, float], foot: tuple[float, float]) -> Strokes:
    """A stem, with a flag and a foot of some lengths, as fractions of its height."""
    u = random.uniform
    length = u(*flag)
    # Flatter ones, from a long flag on, would be a 7.
    angle = np.radians(u(18, 80 - 45 * length))
    end = length * np.array([-np.sin(angle), np.cos(angle)])
    bow = u(-0.03, 0.07) * length * np.array([np.cos(angle), np.sin(angle)])
    tip = np.array([0.0, 0.0])
    up = smooth([tuple(end), tuple(end / 2 + bow), tuple(tip)])
    stem = smooth([(0, 0), (u(-0.03, 0.03), 0.5), (u(-0.06, 0.06), 1)])
    chance = random.random()
    if chance < 0.6:
        strokes = [np.concatenate([up, stem])]
    elif chance < 0.8:  # round at the top
        curve = [tuple(end), tuple(0.25 * end + bow), (u(-0.02, 0.03), 0.04), (0, 0.3)]
        strokes = [np.concatenate([smooth(curve), stem[stem[:, 1] > 0.3]])]
    else:  # set down anew
        strokes = [up + [u(-0.02, 0.05), u(-0.02, 0.06)], stem]
    width = u(*foot)
    if width:
        left, tilt = u(0.3, 0.7), u(-0.06, 0.06)
        middle, level = stem[-1, 0], 1 + u(-0.04, 0.03)
        ends = [(middle - left * width, level + tilt), (middle + (1 - left) * width, level)]
        strokes.append(np.array(ends))
    return strokes


def seven(random: Random, bar: bool, serif: float) -> Strokes:
    """Draw a bar and a stem; a bar across it, and how often a serif, as told."""
    u = random.uniform
    wide, sag = u(0.4, 0.75), u(-0.06, 0.06)
    left, corner = (0, u(0, 0.1)), (wide, u(-0.04, 0.06))
    top = smooth([left, (wide / 2, (left[1] + corner[1]) / 2 + sag), corner])
    if random.random() < serif:
        down = (u(-0.06, 0.04), left[1] + u(0.1, 0.28))
        top = np.concatenate([[down], top])
    foot = (wide * u(0.1, 0.75), 1.0)
    along = u(-0.06, 0.12)
    middle = ((corner[0] + foot[0]) / 2 - along * (1 - u(0, 0.6)), 0.5)
    stem = smooth([corner, middle, foot])
    strokes = [np.concatenate([top, stem])]
    if bar:
        at, half = stem[int(len(stem) * u(0.4, 0.62))], u(0.12, 0.3)
        shift, rise = u(-0.06, 0.06), u(-0.05, 0.08)
        strokes.append(
            np.array(
                [(at[0] - half + shift, at[1] + rise), (at[0] + half + shift, at[1] - rise)]
            )
        )
    return strokes


def nine(random: Random, tail: str) -> Strokes:
    """Draw a loop, and a tail: "straight", "hooked", "S" or "looped" as a g has it."""
    u = random.uniform
    wide, high = u(0.22, 0.34), u(0.2, 0.3)
    gap = u(-10, 45)  # degrees of the loop that stay open; or overlap
    start = -u(5, 60)
    loop = arc((wide, high), (wide, high), start - max(gap, 0), start - 350 - min(gap, 0))
    right = 2 * wide
    top = (right + u(-0.02, 0.02), high * u(0.5, 1))
    if tail == "straight":
        down = [top, (right + u(-0.05, 0.02), 0.6), (right + u(-0.16, 0.04), 1)]
    elif tail == "hooked":
        low = u(0.06, 0.2)
        down = [
            top,
            (right + u(-0.02, 0.04), 0.6),
            (right - u(0.02, 0.1), 0.9),
            (right * u(0.4, 0.6), 1),
            (u(-0.1, 0.15), 1 - low),
        ]
    elif tail == "looped":  # like a g
        low, back = u(0.12, 0.3), u(0, 0.25)
        down = [
            top,
            (right + u(-0.04, 0.03), 0.65),
            (right * u(0.6, 0.85), u(0.95, 1)),
            (right * u(0.2, 0.4), 1 - u(0, 0.04)),
            (u(-0.1, 0.08), 1 - low * u(0.4, 0.7)),
            (right * u(0.3, 0.5), 1 - low),
            (right + back, 1 - low * u(0.9, 1.6)),
        ]
    else:  # S-shaped: in to the left below the loop, then out, and back to the left
        down = [
            top,
            (right - u(0.03, 0.14), u(0.5, 0.6)),
            (right + u(-0.08, 0.06), u(0.72, 0.8)),
            (right * u(0.5, 0.75), u(0.92, 1)),
            (u(-0.15, 0.1), u(0.85, 1)),
        ]
    stem = smooth(down)
    return [np.concatenate([loop, stem])] if random.random() < 0.6 else [loop, stem]


def lightning(random: Random) -> Strokes:
    """A 4 of one stroke, or nearly: down to the left, to the right, and down."""
    u = random.uniform
    level, wide = u(0.42, 0.68), u(0.35, 0.65)
    top, left = (wide * u(0.4, 0.95), 0), (u(-0.03, 0.03), level + u(-0.04, 0.06))
    first = smooth([top, ((top[0] + left[0]) / 2 + u(-0.06, 0.06), level / 2), left])
    x = wide * u(0.6, 1)
    above = u(0, 0.22) if random.random() < 0.6 else 0
    foot = (x + u(-0.2, 0.03), 1)
    if above:
        across = np.array([left, (wide + u(0, 0.12), level + u(-0.07, 0.05))])
        return [np.concatenate([first, across]), np.array([(x, level - above), foot])]
    corner = (x, level + u(-0.08, 0.03))
    return [np.concatenate([first, [corner], [foot]])]


def open_four(random: Random) -> Strokes:
    """Draw a cup and a stem beside it."""
    u = random.uniform
    level, wide = u(0.4, 0.65), u(0.3, 0.55)
    left = [(u(-0.03, 0.12), u(-0.02, 0.15)), (u(-0.04, 0.04), level * u(0.7, 0.9))]
    corner = (u(0, 0.06), level)
    across = [corner, (wide + u(0, 0.2), level + u(-0.08, 0.05))]
    hook = smooth([*left, corner, (wide / 2, level + u(-0.02, 0.03))])
    cup = np.concatenate([hook, across[1:]])
    stem = smooth(
        [(wide + u(-0.03, 0.06), u(-0.05, 0.25)), (wide, 0.6), (wide + u(-0.12, 0.04), 1)]
    )
    return [cup, stem]


def closed_four(random: Random) -> Strokes:
    """Draw a triangle and a stem."""
    u = random.uniform
    level, wide = u(0.5, 0.75), u(0.35, 0.6)
    top = (wide + u(-0.04, 0.06), 0)
    left, right = (0, level), (wide + u(0.03, 0.25), level + u(-0.05, 0.03))
    stem = [(wide + u(-0.02, 0.04), u(-0.02, 0.1)), (wide + u(-0.1, 0.03), 1)]
    return [np.array([top, left, right]), np.array(stem)]


def looped_two(random: Random) -> Strokes:
    """Draw a 2 in one go, with a loop at its foot."""
    u = random.uniform
    wide, loop = u(0.45, 0.65), u(0.04, 0.12)
    return [
        smooth(
            [
                (u(0, 0.1), u(0.12, 0.3)),
                (wide * 0.45, u(-0.02, 0.04)),
                (wide * 0.85, u(0.15, 0.25)),
                (wide * u(0.55, 0.7), 0.52),
                (wide * 0.25, 0.82),
                (u(-0.02, 0.05), 0.97),
                (-loop, 0.9),
                (u(0, 0.06), 0.9 - 1.3 * loop),
                (wide * 0.45, u(0.82, 0.92)),
                (wide * u(0.9, 1.3), u(0.88, 1.02)),
            ]
        )
    ]


def zed_two(random: Random) -> Strokes:
    """A 2 with corners, whose top is still round, or a Z."""
    u = random.uniform
    wide = u(0.4, 0.65)
    top = smooth([(0, u(0.02, 0.2)), (wide * 0.5, u(-0.03, 0.05)), (wide, u(0.03, 0.22))])
    low = smooth([tuple(top[-1]), (wide * u(0.5, 0.7), 0.5), (u(-0.03, 0.06), 0.97)])
    base = smooth(
        [(u(0, 0.05), 0.97), (wide / 2, u(0.9, 1.02)), (wide * u(0.9, 1.25), u(0.92, 1.04))]
    )
    return [np.concatenate([top, low, base])]


def zero(random: Random, inside: str) -> Strokes:
    """Draw a ring: with a "slash", a "dot", "open" at the top, or with a "loop" there."""
    u = random.uniform
    wide, start = u(0.22, 0.42), u(-130, -50)
    ring = arc((wide, 0.5), (wide, 0.5), start, start - u(345, 380))
    if inside == "slash":
        over = u(-0.1, 0.12)
        ends = [(2 * wide + over, u(-0.02, 0.25) - over), (-over, u(0.75, 1.02) + over)]
        return [ring, np.array(ends)]
    if inside == "dot":
        return [ring, arc((wide + u(-0.04, 0.04), u(0.42, 0.58)), (0.02, 0.03), 0, 360)]
    if inside == "open":
        gap = u(15, 60)
        return [arc((wide, 0.5), (wide, 0.5), start - gap, start - 360)]
    size = u(0.08, 0.16)  # a loop at the top, as of a ribbon
    return [
        np.concatenate([ring, arc((wide + u(-0.1, 0.1), size / 2), (size, size), 180, 420)])
    ]


def three(random: Random, flat: bool) -> Strokes:
    """Draw a 3, flat at the top like a Z, or round and now and then looped."""
    u = random.uniform
    wide, level = u(0.4, 0.6), u(0.38, 0.5)
    waist = (wide * u(0.3, 0.55), level)
    low: list[tuple[float, float]] = [
        waist,
        (wide * u(0.75, 0.9), level + 0.08),
        (wide * u(0.95, 1.1), 0.72),
        (wide * 0.6, u(0.95, 1.02)),
        (u(-0.08, 0.08), u(0.82, 0.98)),
    ]
    if flat:
        top = np.array(
            [(u(0, 0.08), u(-0.02, 0.06)), (wide * u(0.85, 1.1), u(-0.02, 0.04)), waist]
        )
        return [np.concatenate([top, smooth(low)])]
    upper = [(u(0, 0.1), u(0.05, 0.2)), (wide / 2, 0), (wide * 0.9, u(0.15, 0.22))]
    if random.random() < 0.4:  # a loop in the middle
        curl = [
            (wide * 0.4, level + 0.02),
            (wide * 0.28, level - 0.05),
            (wide * 0.5, level - 0.03),
        ]
        return [smooth([*upper, *curl, *low[1:]])]
    return [smooth([*upper, waist, *low[1:]])]


def five(random: Random, hat: str) -> Strokes:
    """Draw a 5, its hat set on anew ("apart") or in one go."""
    u = random.uniform
    wide, level = u(0.38, 0.55), u(0.36, 0.48)
    corner = (u(0, 0.08), u(0, 0.06))
    neck = (u(-0.03, 0.06), level)
    belly = smooth(
        [
            neck,
            (wide * 0.5, level - u(0, 0.08)),
            (wide, u(0.6, 0.72)),
            (wide * 0.55, u(0.95, 1.02)),
            (u(-0.1, 0.06), u(0.85, 0.98)),
        ]
    )
    body = np.concatenate([[corner], belly])
    bar = np.array([(corner[0], corner[1]), (wide * u(0.8, 1.35), u(-0.06, 0.04))])
    if hat == "apart":
        return [body, bar + [u(0, 0.1), u(-0.1, 0.02)]]
    return [np.concatenate([bar[::-1], body])]


def six(random: Random) -> Strokes:
    """Draw a stem that runs into a loop."""
    u = random.uniform
    wide, high = u(0.2, 0.32), u(0.17, 0.28)
    middle = (wide, 1 - high)
    stem = [(wide * u(0.8, 2), 0), (wide * u(0.2, 0.7), u(0.3, 0.4)), (0, 1 - high)]
    loop = arc(middle, (wide, high), 180, 180 - u(300, 400))
    return [np.concatenate([smooth(stem), loop])]


def eight(random: Random, rings: bool) -> Strokes:
    """Draw two rings, or one line that crosses itself."""
    u = random.uniform
    top, low = u(0.17, 0.25), u(0.2, 0.3)
    if rings:
        gap = u(-0.04, 0.04)
        low = 0.5 - top + gap / 2
        upper = arc((low, top), (low * u(0.7, 1.05), top), -90, -90 - u(340, 375))
        lower = arc(
            (low + u(-0.05, 0.05), 1 - low),
            (low * u(0.8, 1.1), low),
            270,
            270 + u(340, 380),
        )
        return [upper, lower]
    wide = u(0.18, 0.28)
    return [
        smooth(
            [
                (2 * wide * u(0.75, 1), u(0.05, 0.2)),
                (wide, 0),
                (u(0, 0.06), 0.2),
                (wide, u(0.42, 0.5)),
                (2 * wide, 0.75),
                (wide, 1),
                (u(-0.02, 0.05), 0.78),
                (wide * 0.9, u(0.45, 0.52)),
                (2 * wide * u(0.8, 1), u(0.05, 0.25)),
            ]
        )
    ]
