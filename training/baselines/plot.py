"""The plot of a record: test error by number of images, and by training time."""

from pathlib import Path
from typing import Any

from training.baselines import summary
from training.baselines.conclusion import NETWORKS
from training.baselines.summary import Record

NETWORK, INK, SOFT = "#1f6feb", "#1f2328", "#59636e"
# Okabe and Ito's palette, which colour-blind eyes tell apart, but for the networks' blue.
COLOURS = ("#E69F00", "#56B4E9", "#009E73", "#8a8000", "#D55E00", "#CC79A7", "#000000")
MARKERS = "osv^DPX"
ERRORS = (0.5, 1, 2, 5, 10, 20, 50)  # per cent; the marked ticks
SIZE = (10, 5.4)  # inches: with text of 10 points, readable at the 800 pixels of a README


def draw(record: Record, file: Path) -> None:
    """Write the plot as SVG."""
    import matplotlib

    matplotlib.use("svg")
    # The same figures give the same bytes; text stays text.
    matplotlib.rcParams.update(
        {"svg.hashsalt": "baselines", "svg.fonttype": "none", "font.size": 10}
    )
    from matplotlib import pyplot

    figure, (left, right) = pyplot.subplots(1, 2, figsize=SIZE, sharey=True)
    _by_images(left, record)
    _by_time(right, record)
    names = list(record["methods"])
    figure.legend(
        *left.get_legend_handles_labels(),
        loc="lower center",
        ncols=min(4, len(names)),
        frameon=False,
    )
    rows = -(-len(names) // 4)
    figure.tight_layout(rect=(0, 0.03 + 0.05 * rows, 1, 1), w_pad=2)
    figure.savefig(file, metadata={"Date": None, "Creator": None}, facecolor="white")
    pyplot.close(figure)


def _by_images(axis: Any, record: Record) -> None:
    sizes = summary.sizes(record)
    for name, method in record["methods"].items():
        found = [(n, summary.cell(record, "pixels", name, n)) for n in sizes]
        present = [(n, cell) for n, cell in found if cell]
        axis.errorbar(
            [n for n, _ in present],
            [100 * (1 - cell.accuracy) for _, cell in present],
            yerr=[100 * cell.spread for _, cell in present],
            label=method["title"],
            **_style(record, name),
        )
    axis.set_xscale("log")
    axis.set_xticks(sizes, [f"{n:,}" for n in sizes])
    axis.minorticks_off()
    axis.set_xlabel("training images", color=SOFT)
    _errors(axis)


def _by_time(axis: Any, record: Record) -> None:
    images = summary.sizes(record)[-1]
    for name, cell in summary.cells(record, "pixels", images).items():
        axis.plot(
            max(cell.fit_seconds, 0.01), 100 * (1 - cell.accuracy), **_style(record, name)
        )
    axis.set_xscale("log")
    axis.set_xlabel(f"seconds to fit {images:,} images", color=SOFT)
    axis.grid(axis="y", color="#d1d9e0")
    axis.tick_params(labelleft=False)


def _errors(axis: Any) -> None:
    axis.set_yscale("log")
    low, high = axis.get_ylim()
    ticks = [tick for tick in ERRORS if low <= tick <= high]
    axis.set_yticks(ticks, [f"{tick:g} %" for tick in ticks])
    axis.minorticks_off()
    axis.grid(axis="y", color="#d1d9e0")
    axis.set_title("test error", loc="left", color=INK, fontsize=11)


def _style(record: Record, name: str) -> dict[str, Any]:
    if name in NETWORKS:
        line = "-" if name == "network" else "--"
        return {
            "color": NETWORK,
            "marker": "*",
            "markerfacecolor": NETWORK if name == "network" else "white",
            "markersize": 11,
            "linestyle": line,
            "linewidth": 2,
        }
    number = [other for other in record["methods"] if other not in NETWORKS].index(name)
    return {
        "color": COLOURS[number % len(COLOURS)],
        "marker": MARKERS[number % len(MARKERS)],
        "markersize": 6,
        "linewidth": 1.2,
    }
