"""The sections about confidence."""

import numpy as np

from training import calibration
from training.report import chart
from training.report.document import Figure, Paragraph, Section, Table, fill, percent
from training.report.measure import Measured

# Confidences at which one could stop to trust; the version's own threshold is added.
THRESHOLDS = (0.5, 0.7, 0.9, 0.99)

CALIBRATION = """
Confidence is the probability of the digit that was read. If it can be trusted, of the
images read with 90 % confidence 90 % are right. The **expected calibration error** sorts
the predictions by confidence into bins and adds up the gaps between accuracy and mean
confidence, each weighted with its share of the images (Guo and others, On Calibration of
Modern Neural Networks, 2017). With their {bins} bins of equal width it is **{error}**;
with {masses} bins of equally many images (or of more, where confidences are equal), which
look closer at the crowd near 1, {mass_error}. The mean confidence is {confidence}, the
accuracy {accuracy}."""

RELIABILITY = """
Bars: accuracy of the images in a bin. Dots: their mean confidence, on the dashed line of
equality. A bar that ends below its dot is overconfident; one of few images (see the
table) is mostly chance."""

UNSURE = """
What it brings to set predictions of little confidence aside, for a person to look at: the
fraction of the test images set aside, and what is left. **Caught** is the fraction of all
mistakes that are among those set aside. {own}"""


def calibrated(measured: Measured) -> Section:
    """Compare confidence with accuracy."""
    confidence = measured.probabilities.max(axis=1).astype(np.float64)
    bins = calibration.equal_width(confidence, measured.right)
    masses = calibration.equal_mass(confidence, measured.right)
    text = fill(
        CALIBRATION,
        bins=len(bins),
        error=percent(calibration.error(bins)),
        masses=len(masses),
        mass_error=percent(calibration.error(masses)),
        confidence=percent(confidence.mean()),
        accuracy=percent(measured.right.mean()),
    )
    diagram = f'<div class="charts">{chart.reliability(bins)}</div>'
    head = ["confidence", "images", "mean confidence", "accuracy", "gap, points"]
    return Section(
        "Calibration",
        [
            Paragraph(text),
            Figure(diagram, fill(RELIABILITY)),
            Table(head, [_bin(each) for each in bins if each.images]),
        ],
    )


def unsure(measured: Measured, own: float | None) -> Section:
    """Show what thresholds of confidence bring; ``own`` is the version's."""
    confidence = measured.probabilities.max(axis=1)
    levels = sorted({*THRESHOLDS, *([] if own is None else [own])})
    rows = [_kept(calibration.keep(confidence, measured.right, x), own) for x in levels]
    says = (
        "This version has no threshold of its own (`unsure_below` in the manifest)."
        if own is None
        else f"This version calls a prediction unsure below {own:g} (`unsure_below`)."
    )
    head = [
        "confidence below",
        "set aside",
        "accuracy of the rest",
        "mistakes left",
        "caught",
    ]
    return Section(
        "When it is unsure", [Paragraph(fill(UNSURE, own=says)), Table(head, rows)]
    )


def _bin(each: calibration.Bin) -> list[str]:
    return [
        f"{each.low:.2f} – {each.high:.2f}",
        f"{each.images:,}",
        percent(each.confidence, 1),
        percent(each.accuracy, 1),
        f"{100 * (each.accuracy - each.confidence):+.1f}",
    ]


def _kept(kept: calibration.Kept, own: float | None) -> list[str]:
    return [
        f"**{kept.threshold:g}**" if kept.threshold == own else f"{kept.threshold:g}",
        percent(kept.unsure),
        percent(kept.accuracy),
        str(kept.mistakes),
        percent(kept.caught, 1),
    ]
