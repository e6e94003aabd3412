"""Charts as SVG inside a page; the page's style has their colours, light and dark.

320 units wide, so that text of 11 stays readable on the narrowest telephone.
"""

from collections.abc import Callable, Sequence
from html import escape
from math import ceil, floor, log10

from training.calibration import Bin

WIDTH, HEIGHT = 320, 220
LEFT, RIGHT, TOP, BOTTOM = 40, 8, 24, 32  # room for numbers, the title, the axis

Place = Callable[[float], float]


def curves(title: str, lines: Sequence[tuple[str, Sequence[float]]]) -> str:
    """Draw up to two lines, a value an epoch: the first full, the second dashed."""
    epochs = max(len(values) for _, values in lines)
    every = [value for _, values in lines for value in values]
    ticks = nice_ticks(min(every), max(every))
    x = _scale(1, max(epochs, 2), LEFT + 6, WIDTH - RIGHT - 6)
    y = _scale(ticks[0], ticks[-1], HEIGHT - BOTTOM, TOP)
    parts = [_grid_y(ticks, y)]
    for number in sorted({1, ceil(epochs / 2), epochs}):
        parts.append(_text(x(number), HEIGHT - BOTTOM + 14, str(number), "middle", "soft"))
    parts.append(_text(WIDTH - RIGHT, HEIGHT - 4, "epoch", "end", "soft"))
    for (name, values), style, place in zip(lines, "ab", (LEFT + 4, WIDTH / 2)):
        points = " ".join(f"{x(i):.1f},{y(v):.1f}" for i, v in enumerate(values, start=1))
        parts.append(f'<polyline class="line {style}" points="{points}"/>')
        parts.append(_key(place, style, name))
    return _svg(f"{title}: {' and '.join(name for name, _ in lines)}", title, parts)


def reliability(bins: Sequence[Bin]) -> str:
    """Draw a reliability diagram: a bar a bin, as high as its accuracy."""
    x, y = _scale(0, 1, LEFT, WIDTH - RIGHT), _scale(0, 1, HEIGHT - BOTTOM, TOP)
    parts = [_grid_y([0, 0.25, 0.5, 0.75, 1], y)]
    for each in bins:
        if each.images:
            left, width = x(each.low) + 1, x(each.high) - x(each.low) - 2
            parts.append(
                f'<rect class="bar" x="{left:.1f}" y="{y(each.accuracy):.1f}" '
                f'width="{width:.1f}" height="{y(0) - y(each.accuracy):.1f}"/>'
                f'<circle class="fill-b" r="2.5" cx="{x(each.confidence):.1f}" '
                f'cy="{y(each.confidence):.1f}"/>'
            )
    parts.append(f'<path class="b line" d="M{x(0)} {y(0)}L{x(1)} {y(1)}"/>')
    for value in (0, 0.5, 1):
        anchor = "end" if value == 1 else "middle"
        parts.append(_text(x(value), HEIGHT - BOTTOM + 14, f"{value:g}", anchor, "soft"))
    parts.append(_text(WIDTH - RIGHT, HEIGHT - 4, "confidence", "end", "soft"))
    return _svg("Accuracy by confidence", "accuracy", parts)


def dots(rows: Sequence[tuple[str, float, float]], names: tuple[str, str]) -> str:
    """Draw two percentages a row: an open dot and a full one on one line."""
    step, left = 20, 92
    height = TOP + step * len(rows) + BOTTOM - 6
    ticks = nice_ticks(min(min(a, b) for _, a, b in rows), 1)
    x = _scale(ticks[0], ticks[-1], left, WIDTH - 16)
    bottom = height - BOTTOM + 6
    parts = [
        f'<path class="grid" d="M{x(t):.1f} {TOP}V{bottom}"/>'
        + _text(x(t), bottom + 14, f"{t:.0%}", "middle", "soft")
        for t in ticks
    ]
    for i, (name, first, second) in enumerate(rows):
        middle = TOP + step * (i + 0.5)
        parts += [
            _text(left - 8, middle + 4, name, "end"),
            f'<path class="grid" d="M{x(first):.1f} {middle}H{x(second):.1f}"/>',
            f'<circle class="open" r="4" cx="{x(first):.1f}" cy="{middle}"/>',
            f'<circle class="fill-a" r="4" cx="{x(second):.1f}" cy="{middle}"/>',
        ]
    parts += [
        f'<circle class="open" r="4" cx="{left}" cy="12"/>' + _text(left + 8, 16, names[0]),
        f'<circle class="fill-a" r="4" cx="{left + 90}" cy="12"/>'
        + _text(left + 98, 16, names[1]),
    ]
    return _svg("Accuracy under distortion", "", parts, height)


def nice_ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Return at most ``most`` round numbers, from below ``low`` to above ``high``."""
    span = (high - low) or abs(high) or 1.0
    power = 10.0 ** floor(log10(span / most))
    for step in (power, 2 * power, 5 * power, 10 * power, 20 * power):
        first, last = floor(low / step + 1e-9), ceil(high / step - 1e-9)
        if last - first < most:
            return [i * step for i in range(first, max(last, first + 1) + 1)]
    raise AssertionError("a step of 20 times the power of ten spans any range")


def _svg(label: str, title: str, parts: Sequence[str], height: int = HEIGHT) -> str:
    heading = _text(4, 12, title) if title else ""
    return (
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(label)}">\n'
        f"{heading}\n" + "\n".join(parts) + "\n</svg>"
    )


def _grid_y(ticks: Sequence[float], y: Place) -> str:
    return "".join(
        f'<path class="grid" d="M{LEFT} {y(t):.1f}H{WIDTH - RIGHT}"/>'
        + _text(LEFT - 5, y(t) + 4, f"{t:.4g}", "end", "soft")
        for t in ticks
    )


def _key(x: float, style: str, name: str) -> str:
    line = f'<path class="line {style}" d="M{x} {HEIGHT - 8}h18"/>'
    return line + _text(x + 22, HEIGHT - 4, name)


def _text(x: float, y: float, words: str, anchor: str = "start", style: str = "") -> str:
    kind = f' class="{style}"' if style else ""
    return (
        f'<text{kind} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'
    )


def _scale(low: float, high: float, start: float, end: float) -> Place:
    return lambda value: start + (value - low) / (high - low) * (end - start)
