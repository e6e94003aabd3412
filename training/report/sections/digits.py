"""The sections about the ten digits."""

import numpy as np

from training.report import confusion
from training.report.document import Paragraph, Section, Table, fill, percent
from training.report.measure import Measured

SCORES = """
**Recall** is the fraction of the images of a digit that is read as it, its accuracy;
**precision**, of the images read as a digit, the fraction that is it; **F1**, their
harmonic mean."""


def by_digit(measured: Measured) -> Section:
    """Score each digit."""
    counts = confusion.matrix(measured.labels, measured.digits)
    rows = [
        [str(digit), f"{s.images:,}", *map(percent, (s.recall, s.precision, s.f1))]
        for digit, s in enumerate(confusion.scores(counts))
    ]
    return Section(
        "Digit by digit",
        [
            Paragraph(fill(SCORES)),
            Table(["digit", "images", "recall", "precision", "F1"], rows),
        ],
    )


def confused(measured: Measured) -> Section:
    """Show the confusion matrix and the most confused pairs."""
    counts = confusion.matrix(measured.labels, measured.digits)
    wrong = counts * (1 - np.eye(len(counts), dtype=np.int64))
    # A square root, so that a pair of a few images is seen beside one of many; 0.7 of the
    # colour at most, so that the number on it stays readable.
    shades = 0.7 * np.sqrt(wrong / max(wrong.max(), 1))
    pairs = [
        [
            f"{pair.label} read as {pair.digit}",
            str(pair.images),
            percent(pair.images / counts[pair.label].sum()),
        ]
        for pair in confusion.most_confused(counts)
    ]
    return Section(
        "What is taken for what",
        [
            Paragraph("Number of images: a row a label, a column a digit read."),
            Table(
                ["label", *map(str, range(len(counts)))],
                [[str(label), *map(str, row)] for label, row in enumerate(counts)],
                shades=shades.tolist(),
            ),
            Paragraph("The pairs with the most images:"),
            Table(["pair", "images", "of the label's images"], pairs),
        ],
    )
