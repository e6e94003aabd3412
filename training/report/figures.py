"""The pictures of a report."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from PIL import Image

from training.calibration import Bin
from training.render import BLUE, ORANGE, SOFT, drawing, log_ticks
from training.report.measure import Accuracies, Floats, Measured

SIDE = 28  # pixels
DPI = 100  # Matplotlib's own
SHADES = 15  # of a picture: enough for the eye, and a small file
History = dict[str, list[float]]


def charts(
    file: Path, history: History, bins: Sequence[Bin], accuracies: Sequence[Accuracies]
) -> None:
    """Draw learning curves, reliability, and accuracy under distortion."""
    with drawing(file, 9.5, 8) as figure:
        top, bottom = figure.subplots(2, 2)
        _curves(top[0], "error, %", history, "accuracy", lambda right: 100 * (1 - right))
        _curves(top[1], "loss", history, "loss", lambda loss: loss)
        _reliability(bottom[0], bins)
        _distortions(bottom[1], accuracies)


def mistakes(file: Path, measured: Measured, hardest: Sequence[int]) -> None:
    """Draw wrongly read images, white on black, with label, prediction and confidence."""
    labels, digits = measured.labels[hardest], measured.digits[hardest]
    sure = 100 * measured.probabilities[hardest].max(axis=1)
    texts = [f"{a} as {b}, {c:.0f} %" for a, b, c in zip(labels, digits, sure)]
    _mosaic(file, measured.images[hardest] / 255, texts, "gray", columns=9, scale=3)


def weights(file: Path, measured: Measured) -> None:
    """Draw each first-layer unit's weights, red positive, and how often it is active."""
    units = measured.layers[0].weights.T
    share = measured.activities[0].active
    most = np.abs(units).max(axis=1, keepdims=True) + 1e-9  # a unit may have no weights
    texts = [f"{100 * each:.0f} %" for each in share]
    _mosaic(file, (units / most + 1) / 2, texts, "RdBu_r", columns=16, scale=2)


def _mosaic(
    file: Path, tiles: Floats, texts: Sequence[str], colours: str, columns: int, scale: int
) -> None:
    """Draw tiles (``[n, 784]``, 0 to 1) in rows, pixels ``scale`` wide, texts above."""
    step = np.array([SIDE + 16 / scale, SIDE + 4])  # down: room for a line of text; across
    rows = max(1, -(-len(tiles) // columns))
    height, width = step * [rows, columns] * scale / DPI
    with drawing(file, width, height) as figure:
        figure.set_layout_engine("none")
        axes = figure.add_axes((0, 0, 1, 1))
        for number, (tile, text) in enumerate(zip(tiles, texts)):
            bottom, left = step * np.add(divmod(number, columns), [1, 0])
            axes.imshow(
                tile.reshape(SIDE, SIDE),
                cmap=matplotlib.colormaps[colours].resampled(SHADES),
                vmin=0,
                vmax=1,
                extent=(left, left + SIDE, bottom, bottom - SIDE),
                interpolation="nearest",
            )
            middle, top = left + SIDE / 2, bottom - SIDE
            axes.text(middle, top, text, ha="center", va="bottom", fontsize=7)
        axes.set(xlim=(0, step[1] * columns), ylim=(step[0] * rows, 0))
        axes.set_axis_off()
    # A palette instead of RGBA makes the file a quarter as large.
    Image.open(file).convert("RGB").quantize(32).save(file, optimize=True)


def _curves(axes: Any, title: str, history: History, name: str, value: Any) -> None:
    for key, label, style in ((name, "training", "-"), (f"val_{name}", "validation", "--")):
        values = value(np.array(history.get(key, [])))
        axes.plot(range(1, len(values) + 1), values, style, label=label)
    axes.set(title=title, xlabel="epoch", yscale="log")
    log_ticks(axes.yaxis)
    axes.legend()


def _reliability(axes: Any, bins: Sequence[Bin]) -> None:
    used = [each for each in bins if each.images]
    axes.bar(
        [each.low for each in used],
        [each.accuracy for each in used],
        [each.high - each.low for each in used],
        align="edge",
        alpha=0.3,
        edgecolor=BLUE,
        label="accuracy",
    )
    confidence = [each.confidence for each in used]
    axes.plot([0, 1], [0, 1], "--", color=SOFT, linewidth=1)
    axes.plot(confidence, confidence, "o", color=ORANGE, label="mean confidence")
    axes.set(title="reliability", xlabel="confidence", xlim=(0, 1), ylim=(0, 1.02))
    axes.legend(loc="upper left")


def _distortions(axes: Any, accuracies: Sequence[Accuracies]) -> None:
    names = [each.condition.name for each in accuracies]
    straight = [100 * (1 - each.straight) for each in accuracies]
    pictures = [100 * (1 - each.pictures) for each in accuracies]
    axes.hlines(names, straight, pictures, colors=SOFT, linewidth=1)
    axes.plot(straight, names, "o", color=ORANGE, markerfacecolor="w", label="fed straight")
    axes.plot(pictures, names, "o", color=BLUE, label="as pictures")
    axes.set(title="error under distortion, %", xscale="log")
    log_ticks(axes.xaxis)
    axes.invert_yaxis()
    axes.legend()
