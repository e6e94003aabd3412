"""The charts of the page: Matplotlib's SVG in the colours of the page's style sheet."""

import math
import re
from collections.abc import Callable, Iterator
from html import escape
from io import StringIO
from typing import Any, NamedTuple

from load import limits
from load.record import Phase, Record
from load.report.points import by_percentile, by_rate, by_time
from load.report.words import ms, rate

TEXT, SOFT, GRID, EDGE, GROUND = "#1d1f24", "#5a5e68", "#dcdad3", "#85837c", "#ffffff"
BLUE, ORANGE, GREEN, RED = "#1f55b5", "#b34700", "#0a6b36", "#b3261e"
# What each colour becomes in the page, which knows a light and a dark one.
VARIABLES = {
    TEXT: "text",
    SOFT: "muted",
    GRID: "line",
    EDGE: "edge",
    GROUND: "raised",
    BLUE: "blue",
    ORANGE: "orange",
    GREEN: "green",
    RED: "red",
}
STYLE = {
    "axes.axisbelow": True,
    "axes.edgecolor": EDGE,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.labelcolor": SOFT,
    "axes.spines.left": False,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.xmargin": 0.02,
    "font.sans-serif": ["DejaVu Sans"],
    "grid.color": GRID,
    "legend.borderaxespad": 0,
    "legend.frameon": False,
    "lines.markerfacecolor": GROUND,
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "load",  # the same figures give the same bytes
    "text.color": TEXT,
    "xtick.color": EDGE,
    "xtick.labelcolor": SOFT,
    "ytick.color": EDGE,
    "ytick.labelcolor": SOFT,
    "ytick.left": False,
}
WIDTH, HEIGHT = 4.6, 2.7  # inches: text of 10 points is readable on a narrow screen too
LETTERS = 50  # of a phase's name that have room from left to right
MINUTES_FROM = 600  # seconds: a longer run has its time line in minutes


class Figure(NamedTuple):
    """Charts as SVG elements, with a title and a caption."""

    title: str
    charts: list[str]
    caption: str


def figures(record: Record) -> dict[str, Figure]:
    """Draw the figures that a record has data for, by the title of their section."""
    found = {
        "Latency": _distribution(record),
        "Throughput and failures": _throughput(record),
        "Time line": _time_line(record),
    }
    return {title: figure for title, figure in found.items() if figure}


def _throughput(record: Record) -> Figure | None:
    points = by_rate(record)
    if len({round(at, 1) for at, _, _ in points}) < 2:
        return None
    rates, p50, p99 = zip(*points)
    trials = not all(map(math.isfinite, p50))

    def draw(axes: Any) -> None:
        if not trials:
            axes.plot(rates, p50, "o--", color=BLUE, label="p50")
        axes.plot(rates, p99, "o-", color=ORANGE, label="p99")
        axes.set(xlabel="trial's rate, requests/s" if trials else "right answers/s")
        axes.set_xlim(left=0)
        axes.locator_params(axis="x", nbins=6)
        axes.xaxis.set_major_formatter("{x:,g}")
        _latency(axes, record)

    label = "Latency by rate. p99: " + ", ".join(
        f"{ms(level)} ms at {rate(at)}/s" for at, level in zip(rates, p99)
    )
    caption = (
        f"A dot for each {'trial' if trials else 'phase'}. The server is at its limit "
        "where the line turns upwards."
    )
    return Figure("Throughput against latency", [_svg(label, draw)], caption)


def _distribution(record: Record) -> Figure | None:
    tally = record.tally
    if len(tally.service) < 2:
        return None
    lines = {"from sending": (by_percentile(tally.service), BLUE, "--")}
    if record.loop == "open" and len(tally.latency) > 1:
        lines = {"from due": (by_percentile(tally.latency), ORANGE, "-"), **lines}
    decades = int(math.log10(len(tally.service)))
    ticks = [10.0**n for n in range(0, decades + 1, 1 if decades < 6 else 2)]

    def draw(axes: Any) -> None:
        for name, (points, colour, style) in lines.items():
            axes.plot(*zip(*points), style, color=colour, label=name)
        axes.set(xscale="log", xlabel="percentile, %")
        axes.set_xticks(ticks, [f"{100 * (1 - 1 / tick):.10g}" for tick in ticks])
        axes.minorticks_off()
        _latency(axes)

    label = "Latency by percentile. " + "; ".join(
        f"{name}: from {ms(points[0][1])} to {ms(points[-1][1])} ms"
        for name, (points, _, _) in lines.items()
    )
    caption = "Each step to the right is a tenth of the requests of the step before."
    if record.loop == "open":
        caption += " Where the lines part, requests waited before they were sent."
    return Figure("Distribution", [_svg(label, draw)], caption)


def _time_line(record: Record) -> Figure | None:
    points, group = by_time(record)
    if len(points) < 2:
        return None
    whole = sum(phase.seconds for phase in record.phases)
    unit, seconds = ("minutes", 60) if whole >= MINUTES_FROM else ("seconds", 1)
    times = [point.at / seconds for point in points]

    def chart(label: str, draw: Callable[[Any], None]) -> str:
        def drawn(axes: Any) -> None:
            axes.set(xlim=(0, whole / seconds), xlabel=unit)
            _bands(axes, record, seconds)
            draw(axes)

        return _svg(label, drawn)

    def rates(axes: Any) -> None:
        if record.loop == "open":
            axes.plot(times, [p.due for p in points], ":", color=EDGE, label="due")
        axes.plot(times, [p.right for p in points], color=BLUE, label="answered right")
        _rate(axes, "requests/s")

    def latencies(axes: Any) -> None:
        axes.plot(times, [p.p50 for p in points], "--", color=BLUE, label="p50")
        axes.plot(times, [p.p99 for p in points], color=ORANGE, label="p99")
        _latency(axes, record)

    def failures(axes: Any) -> None:
        axes.vlines(times, 0, [p.failed for p in points], RED, linewidth=2, label="failed")
        _rate(axes, "failures/s")

    charts = [chart("Rate over time", rates), chart("Latency over time", latencies)]
    if any(point.failed for point in points):
        charts.append(chart("Failures over time", failures))
    length = next(part.seconds for phase in record.phases for part in phase.slices)
    each = f"the worst latency of each {group} slices" if group > 1 else "each slice"
    when = "due" if record.loop == "open" else "sent"
    caption = f"By when requests were {when}: {each} of {length:g} s. Grey: not judged."
    return Figure("Rate and latency over the run", charts, caption)


def _bands(axes: Any, record: Record, unit: float) -> None:
    """Shade every second phase, and darker those that are not judged; name them."""
    whole = sum(phase.seconds for phase in record.phases)
    for number, (phase, start) in enumerate(_starts(record)):
        left, right = start / unit, (start + phase.seconds) / unit
        shade = 0.2 if not phase.counted else 0.08 * (number % 2)
        axes.axvspan(left, right, color=EDGE, alpha=shade, linewidth=0)
        if len(record.phases) > 1 and len(phase.name) < LETTERS * phase.seconds / whole:
            place = ((left + right) / 2, 1.02)
            across = axes.get_xaxis_transform()
            axes.text(*place, phase.name, ha="center", va="bottom", transform=across)


def _starts(record: Record) -> Iterator[tuple[Phase, float]]:
    start = 0.0
    for phase in record.phases:
        yield phase, start
        start += phase.seconds


def _rate(axes: Any, label: str) -> None:
    axes.set_ylabel(label)
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_formatter("{x:,g}")


def _latency(axes: Any, record: Record | None = None) -> None:
    """Make the y axis a logarithmic one of latency, with the limits of the p99."""
    from matplotlib.ticker import LogLocator, NullLocator

    axes.set(yscale="log", ylabel="ms (log scale)")
    for text, _, _ in record.verdict.limits if record else ():
        limit = limits.parse(text)
        if limit.percent == 99:
            axes.axhline(limit.bound, linestyle=(0, (6, 3)), color=GREEN, label=limit.text)
    low, high = axes.get_ylim()
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 500 * low else (1,)))
    axes.yaxis.set_major_formatter("{x:,g}")
    axes.yaxis.set_minor_locator(NullLocator())


def _svg(label: str, draw: Callable[[Any], None]) -> str:
    from matplotlib import rc_context
    from matplotlib.figure import Figure as Drawing

    file = StringIO()
    with rc_context(STYLE):
        drawing = Drawing(figsize=(WIDTH, HEIGHT), layout="constrained")
        axes = drawing.subplots()
        draw(axes)
        above = 1.1 if axes.texts else 1.02  # the names of phases
        axes.legend(loc="lower right", bbox_to_anchor=(1, above), ncols=4)
        drawing.savefig(file, format="svg", transparent=True, metadata={"Date": None})
    # Without what an SVG file needs and an element of a page does not.
    extra = r'<metadata>.*</metadata>| id="[a-z0-9]+_\d+"|xlink:(?=href)'
    text = re.sub(extra, "", file.getvalue(), flags=re.S)
    for colour, name in VARIABLES.items():
        text = text.replace(colour, f"var(--{name})")
    found = re.search(r'<svg [^>]*(viewBox="[^"]+")[^>]*>(.*)', text, re.S)
    assert found, "Matplotlib's SVG has a viewBox"
    box, content = found.groups()
    return f'<svg {box} role="img" aria-label="{escape(label)}">{content}'
