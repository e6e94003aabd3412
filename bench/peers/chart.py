"""The chart of the report: requests per second by server and item."""

from pathlib import Path
from statistics import median
from typing import Any

import matplotlib
from matplotlib import pyplot

from bench.peers.items import ITEMS, Item
from bench.peers.report import present, rates
from bench.peers.servers import OWN

OURS, OTHERS, INK = "#1f6feb", "#9aa4b2", "#1f2328"  # readable on white, also in grey
WIDTH = 10  # inches: with text of 10 points, readable at the 800 pixels of a README


def draw(record: dict[str, Any], file: Path) -> None:
    """Write the chart as SVG: a panel an item, a bar a server, its number beside it."""
    matplotlib.use("svg")
    # The same figures give the same bytes; text stays text.
    matplotlib.rcParams.update(
        {"svg.hashsalt": "peers", "svg.fonttype": "none", "font.size": 10}
    )
    wanted = [item for item in ITEMS if item.name in record["settings"]["items"]]
    rows = (len(wanted) + 1) // 2
    height = rows * (0.35 * len(present(record)) + 0.7)
    figure, axes = pyplot.subplots(rows, 2, figsize=(WIDTH, height), squeeze=False)
    for axis in axes.flat[len(wanted) :]:
        axis.remove()
    for axis, item in zip(axes.flat, wanted):
        _panel(axis, record, item)
    figure.tight_layout(w_pad=2)
    figure.savefig(file, metadata={"Date": None, "Creator": None}, facecolor="white")
    pyplot.close(figure)


def _panel(axis: Any, record: dict[str, Any], item: Item) -> None:
    found = {peer: median(rates(record, peer, item)) for peer in present(record)}
    peers = sorted(found, key=lambda peer: found[peer])
    values = [found[peer] for peer in peers]
    colours = [OURS if peer is OWN else OTHERS for peer in peers]
    bars = axis.barh([peer.title for peer in peers], values, color=colours)
    axis.bar_label(bars, [f"{value:,.0f}" for value in values], padding=4, color=INK)
    axis.set_title(f"{item.title}: requests/s", loc="left", color=INK, fontsize=11)
    axis.set_xlim(0, max(values) * 1.18)  # room for the longest bar's number
    axis.xaxis.set_visible(False)
    axis.tick_params(length=0, labelcolor=INK)
    axis.spines[:].set_visible(False)
