"""The whole report, and the sections about the version itself."""

from math import sqrt
from typing import Any

from training.report import chart
from training.report.document import (
    Document,
    Figure,
    Paragraph,
    Section,
    Table,
    fill,
    percent,
)
from training.report.measure import Measured
from training.report.sections import (
    confidence,
    digits,
    mistakes,
    nodigits,
    robustness,
    units,
)

Manifest = dict[str, Any]
CURVE_ROWS = 10  # of the table of the learning curves; a long training is thinned to it

RESULT = """
Of the {images:,} test images the network reads **{accuracy}** as their label says:
{wrong:,} mistakes. One standard error of that, √(p (1 - p) / n), is {error}. The mean
loss, -ln p(label), is **{loss:.4f}**."""

FILE = """
The file `model.onnx` with the SHA-256 `{sha256}`: {shape}, {parameters:,} parameters,
trained{seconds} and exported on {date}."""

DATA = """
The data is MNIST. What is below is measured on the {images:,} images of its test set,
which no training saw, with their labels as they stand, by ONNX Runtime on one thread.
Only the learning curves and the activity of the hidden units are of training images. The
SHA-256 of the decompressed files:"""

CURVES = """
A value an epoch, as the training recorded it. Those of the training images are the mean
over the epoch, while the weights still move; those of the validation images (`val_`),
which the optimizer never saw, are taken at its end."""

TAUGHT = """
This version was taught by the answers of {teachers} teachers. Its training images are
distorted ones and, to each hundred, {clutter} pictures of no digit; an answer counts as
right if it is the teachers' digit, and for no digit if none is above one half. The loss is
the cross-entropy with the teachers' probabilities, both softened by a temperature of
{temperature:g}, times its square: it cannot fall below what the teachers are unsure of. The
validation images are as they are, with their labels."""


def document(manifest: Manifest, measured: Measured) -> Document:
    """Write the report of a version."""
    sections = [
        _result(manifest, measured),
        _method(manifest, measured),
        _curves(manifest),
        digits.by_digit(measured),
        digits.confused(measured),
        mistakes.hardest(measured),
        confidence.calibrated(measured),
        confidence.unsure(measured, manifest.get("unsure_below")),
        nodigits.nothing(measured, manifest.get("unsure_below")),
        units.hidden(measured),
        robustness.distorted(measured),
        robustness.parity(measured),
    ]
    return Document(f"{manifest['name']}, version {manifest['version']}: report", sections)


def _result(manifest: Manifest, measured: Measured) -> Section:
    images, accuracy = len(measured.labels), float(measured.right.mean())
    text = fill(
        RESULT,
        images=images,
        accuracy=percent(accuracy),
        wrong=int((~measured.right).sum()),
        error=percent(sqrt(accuracy * (1 - accuracy) / images)),
        loss=measured.losses.mean(),
    )
    recorded = [
        [f"`{name}`", _plain(metric["value"]), metric["definition"]]
        for name, metric in manifest["metrics"].items()
    ]
    return Section(
        "Result",
        [
            Paragraph(text),
            Paragraph("What the manifest says, measured when the version was exported:"),
            Table(["metric", "value", "definition"], recorded, words=(0, 2)),
        ],
    )


def _method(manifest: Manifest, measured: Measured) -> Section:
    layers = measured.layers
    seconds = manifest.get("seconds")
    file = fill(
        FILE,
        sha256=manifest["sha256"],
        shape="-".join(str(n) for n in (784, *(len(layer.biases) for layer in layers))),
        parameters=sum(layer.weights.size + layer.biases.size for layer in layers),
        seconds=f" in {seconds:,.0f} s" if seconds else "",
        date=manifest["date"],
    )
    recipe = [[f"`{name}`", _plain(value)] for name, value in manifest["recipe"].items()]
    files = [[f"`{name}`", f"`{digest}`"] for name, digest in manifest["data"].items()]
    made = ", ".join(f"{name} {number}" for name, number in manifest["libraries"].items())
    return Section(
        "What was measured on what",
        [
            Paragraph(file),
            Table(["recipe", "value"], recipe, words=(0, 1)),
            Paragraph(f"Made with {made}."),
            Paragraph(fill(DATA, images=len(measured.labels))),
            Table(["file", "SHA-256"], files, words=(0, 1)),
        ],
    )


def _curves(manifest: Manifest) -> Section:
    history = {name: values for name, values in manifest["history"].items() if values}
    drawn = [name for name in history if not name.startswith("val_")]
    charts = "".join(chart.curves(name, _lines(history, name)) for name in drawn)
    epochs = max(len(values) for values in history.values())
    step = -(-epochs // CURVE_ROWS)
    rows = [
        [str(epoch), *(_value(values, epoch) for values in history.values())]
        for epoch in sorted({1, *range(step, epochs + 1, step), epochs})
    ]
    return Section(
        "Learning curves",
        [
            Paragraph(fill(CURVES)),
            *_taught(manifest["recipe"]),
            Figure(
                f'<div class="charts">{charts}</div>',
                "Full line: training images. Dashed line: validation images.",
            ),
            Table(["epoch", *(f"`{name}`" for name in history)], rows),
        ],
    )


def _taught(recipe: Manifest) -> list[Paragraph]:
    return [Paragraph(fill(TAUGHT, **recipe))] if "teachers" in recipe else []


def _lines(history: dict[str, list[float]], name: str) -> list[tuple[str, list[float]]]:
    lines = [("training", history[name])]
    if f"val_{name}" in history:
        lines.append(("validation", history[f"val_{name}"]))
    return lines


def _value(values: list[float], epoch: int) -> str:
    return f"{values[epoch - 1]:.4f}" if epoch <= len(values) else ""


def _plain(value: object) -> str:
    """Write a manifest's value: a number to five digits, several with commas."""
    if isinstance(value, list):
        return ", ".join(map(_plain, value))
    if isinstance(value, dict):
        parts = [
            f"{name} ({_plain(part)})"
            if isinstance(part, dict)
            else f"{name} {_plain(part)}"
            for name, part in value.items()
        ]
        return ", ".join(parts)
    return f"{value:.5g}" if isinstance(value, float) else str(value)
