"""Charts as SVG, by hand. Colours, dashes and the size of text are the page's."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape

from load.report.scale import Axis

# In the SVG's own units; the page scales it. The left has room for "100,000" in the larger
# text of a narrow screen.
WIDTH, LEFT, RIGHT, TOP, BOTTOM = 560, 74, 16, 48, 50
LETTER, LARGE_LETTER = 9, 13  # the width of one about, to see whether a text has room


@dataclass
class Line:
    """A line, or bars.

    Attributes:
        kind: the class of the page's style sheet that it is drawn in.
        name: what the legend says.
        points: x and y; a NaN leaves a gap.
        dots: whether each point has a dot.
        bars: whether each point is a bar from the foot of the chart instead.
    """

    kind: str
    name: str
    points: list[tuple[float, float]]
    dots: bool = False
    bars: bool = False


@dataclass
class Chart:
    """A chart.

    Attributes:
        label: says what it shows, for who does not see it.
        x: the axis across.
        y: the axis upwards.
        lines: what is drawn.
        height: of all of it; the width is 560.
        rules: horizontal lines, each with a text: a limit.
        bands: parts of the x axis: from, to, name, and whether it counts.
    """

    label: str
    x: Axis
    y: Axis
    lines: list[Line]
    height: int = 300
    rules: list[tuple[float, str]] = field(default_factory=list)
    bands: list[tuple[float, float, str, bool]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Fit the axes."""
        points = [point for line in self.lines for point in line.points]
        self._x = self.x.fit(x for x, _ in points)
        self._y = self.y.fit([y for _, y in points] + [level for level, _ in self.rules])

    def svg(self) -> str:
        """Draw it."""
        parts = [*self._bands(), *self._ticks(), *self._rules()]
        for line in self.lines:
            parts += self._bars(line) if line.bars else self._line(line)
        return (
            f'<svg viewBox="0 0 {WIDTH} {self.height}" role="img" '
            f'aria-label="{escape(self.label)}">{"".join(parts)}</svg>'
        )

    def _at(self, x: float, y: float) -> tuple[str, str]:
        return f"{self._across(x):.1f}", f"{self._down(y):.1f}"

    def _across(self, x: float) -> float:
        return LEFT + self._x.place(x) * (WIDTH - LEFT - RIGHT)

    def _down(self, y: float) -> float:
        foot = self.height - BOTTOM
        return foot - self._y.place(y) * (foot - TOP)

    def _bands(self) -> Iterator[str]:
        foot = self.height - BOTTOM
        for i, (start, end, name, counts) in enumerate(self.bands):
            left, right = self._across(start), self._across(end)
            kind = ("band", "band other")[i % 2] if counts else "band out"
            yield _rectangle(kind, left, TOP, right - left, foot - TOP)
            room = (right - left) / len(name) if name else 0
            if room > LETTER:  # the page hides what is tight where its text is large
                kind = "name" if room > LARGE_LETTER else "name tight"
                yield _text(kind, (left + right) / 2, TOP - 6, name, "middle")

    def _ticks(self) -> Iterator[str]:
        foot = self.height - BOTTOM
        for tick in self._y.ticks:
            down = self._down(tick)
            yield _stroke("grid", LEFT, down, WIDTH - RIGHT, down)
            yield _text("", LEFT - 8, down + 5, self.y.show(tick), "end")
        for tick in self._x.ticks:
            across = self._across(tick)
            yield _stroke("grid", across, foot, across, foot + 5)
            text = self.x.show(tick)
            if across + len(text) * LARGE_LETTER / 2 < WIDTH:
                yield _text("", across, foot + 21, text, "middle")
            else:
                yield _text("", WIDTH, foot + 21, text, "end")
        yield _stroke("axis", LEFT, foot, WIDTH - RIGHT, foot)
        yield _text("label", 2, 17, self.y.label, "start")
        yield _text("label", WIDTH - RIGHT, self.height - 6, self.x.label, "end")

    def _rules(self) -> Iterator[str]:
        for level, text in self.rules:
            down = self._down(level)
            yield _stroke("rule", LEFT, down, WIDTH - RIGHT, down)
            above = down - TOP > 20  # there is room for the text
            yield _text("ruled", LEFT + 6, down - 6 if above else down + 18, text, "start")

    def _line(self, line: Line) -> Iterator[str]:
        path, gap = [], True
        for x, y in line.points:
            if not math.isnan(y):
                path.append(("M" if gap else "L") + " ".join(self._at(x, y)))
            gap = math.isnan(y)
        yield f'<path class="line {line.kind}" d="{"".join(path)}"/>'
        for x, y in line.points if line.dots else ():
            if not math.isnan(y):
                across, down = self._at(x, y)
                yield f'<circle class="dot {line.kind}" cx="{across}" cy="{down}" r="4"/>'

    def _bars(self, line: Line) -> Iterator[str]:
        foot = self.height - BOTTOM
        marks = [f"M{' '.join(self._at(x, y))}V{foot}" for x, y in line.points if y > 0]
        yield f'<path class="bars {line.kind}" d="{"".join(marks)}"/>'


def _text(kind: str, x: float, y: float, text: str, anchor: str) -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    return f'<text class="{kind}" {place}>{escape(text)}</text>'


def _stroke(kind: str, x: float, y: float, to_x: float, to_y: float) -> str:
    return f'<path class="{kind}" d="M{x:.1f} {y:.1f}L{to_x:.1f} {to_y:.1f}"/>'


def _rectangle(kind: str, x: float, y: float, width: float, height: float) -> str:
    size = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"'
    return f'<rect class="{kind}" {size}/>'
