"""The figures of a report: latency by rate, and its distribution."""

import math
from dataclasses import dataclass
from typing import Any

from load import limits
from load.histogram import Histogram
from load.record import Phase, Record, Tally
from load.report.chart import Chart, Line
from load.report.scale import Axis
from load.report.words import ms, rate

Tallies = list[tuple[Phase, Tally]]
PER_DECADE = 20  # points of the distribution for each further 9 of 99.9 %
MS = "ms (log scale)"


@dataclass
class Figure:
    """One or more charts with a title, a legend and a text."""

    title: str
    charts: list[Chart]
    caption: str

    @property
    def legend(self) -> list[tuple[str, str]]:
        """The class and name of each line, once."""
        lines = [line for chart in self.charts for line in chart.lines]
        return list(dict.fromkeys((line.kind, line.name) for line in lines))


def throughput(record: Record, tallies: Tallies) -> Figure | None:
    """Draw latency by rate, a dot a phase or trial; None where there is only one rate."""
    trials = (record.found or {}).get("trials")
    lines = _of_trials(trials) if trials else _of_phases(tallies)
    rates = {round(x, 1) for line in lines for x, _ in line.points}
    if len(rates) < 2:
        return None
    x = Axis("trial's rate, requests/s" if trials else "right answers/s", low=0, grow=True)
    y = Axis(MS, log=True, grow=True, show=tick)
    (*_, p99) = lines
    label = f"Latency by rate. {p99.name}: " + ", ".join(
        f"{ms(level)} ms at {rate(at)}/s" for at, level in p99.points
    )
    what = "trial" if trials else "phase"
    caption = f"A dot a {what}. The server is at its limit where the line turns upwards."
    chart = Chart(label, x, y, lines, rules=rules(record))
    return Figure("Throughput against latency", [chart], caption)


def _of_trials(trials: list[dict[str, Any]]) -> list[Line]:
    points = sorted((t["rate"], _nan(t["p99_ms"])) for t in trials if not t["invalid"])
    return [Line("p99", "p99", points, dots=True)]


def _of_phases(tallies: Tallies) -> list[Line]:
    counted = [(phase, tally) for phase, tally in tallies if phase.counted]
    points = sorted(
        (tally.right / phase.seconds, *tally.latency.percentiles([50, 99]))
        for phase, tally in counted
    )
    return [
        Line("p50", "p50", [(x, p50) for x, p50, _ in points], dots=True),
        Line("p99", "p99", [(x, p99) for x, _, p99 in points], dots=True),
    ]


def distribution(record: Record, tally: Tally) -> Figure | None:
    """Draw each latency by the share that is faster, as HDR histograms are; or None."""
    if len(tally.service) < 2:
        return None
    lines = [Line("sent", "from sending", _quantiles(tally.service))]
    if record.loop == "open" and len(tally.latency) > 1:
        lines.insert(0, Line("p99", "from due", _quantiles(tally.latency)))
    decades = int(math.log10(len(tally.service)))
    nines = [10.0**n for n in range(0, decades + 1, 1 if decades < 6 else 2)]
    x = Axis("percentile, %", log=True, low=1, marks=nines, show=_percentile)
    y = Axis(MS, log=True, grow=True, show=tick)
    label = "Latency by percentile. " + "; ".join(
        f"{line.name}: from {ms(line.points[0][1])} to {ms(line.points[-1][1])} ms"
        for line in lines
    )
    caption = (
        "Each step to the right is a tenth of the requests of the step before. Where the "
        "lines part, requests waited before they were sent."
        if record.loop == "open"
        else "Each step to the right is a tenth of the requests of the step before."
    )
    return Figure("Distribution", [Chart(label, x, y, lines)], caption)


def _quantiles(histogram: Histogram) -> list[tuple[float, float]]:
    total = len(histogram)
    steps = [10 ** (i / PER_DECADE) for i in range(int(PER_DECADE * math.log10(total)) + 1)]
    found = histogram.percentiles(100 * (1 - 1 / step) for step in steps)
    return [*zip(steps, found), (float(total), histogram.most)]


def rules(record: Record) -> list[tuple[float, str]]:
    """Return the limits of the p99, for a line each."""
    parsed = [limits.parse(text) for text, _, _ in record.verdict.limits]
    return [(each.bound, each.text) for each in parsed if each.percent == 99]


def _percentile(x: float) -> str:
    return f"{100 * (1 - 1 / x):.10g}"


def tick(value: float) -> str:
    """Return the text of a tick of latency."""
    return f"{value:,.10g}"


def _nan(value: float | None) -> float:
    return math.nan if value is None else value
