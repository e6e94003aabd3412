"""The plot of a record: test error by number of images, and by training time."""

from pathlib import Path
from typing import Any

from training.baselines import summary
from training.baselines.summary import NETWORKS, Record
from training.render import BLUE, drawing, log_ticks

# Okabe and Ito's palette, which colour-blind eyes tell apart, but for the networks' blue.
COLOURS = ("#E69F00", "#56B4E9", "#009E73", "#8a8000", "#D55E00", "#CC79A7", "#000000")
MARKERS = "osv^DPX"
LEGEND_COLUMNS = 4


def draw(record: Record, file: Path) -> None:
    """Write the plot as SVG."""
    sizes = summary.sizes(record)
    with drawing(file, 10, 5.4) as figure:
        left, right = figure.subplots(1, 2, sharey=True)
        for name, method in record["methods"].items():
            style = _style(record, name)
            found = [(n, summary.cell(record, "pixels", name, n)) for n in sizes]
            present = [(n, cell) for n, cell in found if cell]
            left.errorbar(
                [n for n, _ in present],
                [100 * (1 - cell.accuracy) for _, cell in present],
                yerr=[100 * cell.spread for _, cell in present],
                label=method["title"],
                **style,
            )
            # Nearest neighbours only store the images.
            seconds = [max(cell.fit_seconds, 0.01) for _, cell in present]
            error = [100 * (1 - cell.accuracy) for _, cell in present]
            right.plot(seconds[-1:], error[-1:], **style)
        left.set(
            xscale="log", yscale="log", xlabel="training images", title="test error, %"
        )
        left.set_xticks(sizes, [f"{n:,}" for n in sizes], minor=False)
        left.minorticks_off()
        log_ticks(left.yaxis)
        right.set(xscale="log", xlabel=f"seconds to fit {max(sizes, default=0):,} images")
        right.xaxis.set_major_formatter("{x:g}")
        right.minorticks_off()
        handles = left.get_legend_handles_labels()
        figure.legend(*handles, loc="outside lower center", ncols=LEGEND_COLUMNS)


def _style(record: Record, name: str) -> dict[str, Any]:
    if name in NETWORKS:
        chosen = name == "network"
        return {
            "color": BLUE,
            "marker": "*",
            "markerfacecolor": BLUE if chosen else "white",
            "markersize": 11,
            "linestyle": "-" if chosen else "--",
            "linewidth": 2,
        }
    number = [other for other in record["methods"] if other not in NETWORKS].index(name)
    colour, marker = COLOURS[number % len(COLOURS)], MARKERS[number % len(MARKERS)]
    return {"color": colour, "marker": marker, "markersize": 6, "linewidth": 1.2}
