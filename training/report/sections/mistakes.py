"""The section about the hardest mistakes."""

from html import escape

import numpy as np

from training.report import tile
from training.report.document import Figure, Paragraph, Section, Table, fill, percent
from training.report.measure import Measured
from training.report.wrong_labels import DOUBTS

MOST = 36  # shown as pictures; a good version makes hardly twice as many
LISTED = 12  # of them in the table

HARDEST = """
The {shown} of {wrong:,} mistakes with the largest loss, -ln p(label): where the network
was surest of something else. The number is the image's place in the test set, from 0. Of
the {doubted} images whose label fewer than three of five people confirmed (Northcutt,
Athalye and Mueller, Pervasive Label Errors in Test Sets, 2021) this version reads {other}
otherwise than the label, {offered} of them as the other digit that the people could
choose. They are marked here, and count as mistakes all the same."""


def hardest(measured: Measured) -> Section:
    """Show the wrong predictions with the largest loss."""
    order = np.argsort(-measured.losses, kind="stable")
    wrong = order[~measured.right[order]]
    shown = [int(index) for index in wrong[:MOST]]
    doubted = [index for index in DOUBTS if index < len(measured.labels)]
    other = [index for index in doubted if not measured.right[index]]
    text = fill(
        HARDEST,
        shown=len(shown),
        wrong=len(wrong),
        doubted=len(doubted),
        other=len(other),
        offered=sum(measured.digits[index] == DOUBTS[index].other for index in other),
    )
    tiles = "\n".join(_tile(measured, index) for index in shown)
    head = ["image", "label", "read as", "confidence", "p(label)", "people on the label"]
    return Section(
        "The hardest mistakes",
        [
            Paragraph(text),
            Figure(
                f'<ul class="tiles">\n{tiles}\n</ul>',
                "White ink on black, as the network sees it.",
            ),
            Table(head, [_row(measured, index) for index in shown[:LISTED]]),
        ],
    )


def _tile(measured: Measured, index: int) -> str:
    label, digit = measured.labels[index], measured.digits[index]
    confidence = percent(measured.probabilities[index].max(), 0)
    alt = escape(f"test image {index}, label {label}, read as {digit}")
    doubt = f"<br>{escape(_people(index))}" if index in DOUBTS else ""
    kind = ' class="doubt"' if doubt else ""
    return (
        f'<li{kind}><img alt="{alt}" src="{tile.digit(measured.images[index])}">'
        f"{label} read as {digit}, {confidence}<br>image {index}{doubt}</li>"
    )


def _row(measured: Measured, index: int) -> list[str]:
    probabilities, label = measured.probabilities[index], measured.labels[index]
    return [
        str(index),
        str(label),
        str(measured.digits[index]),
        percent(probabilities.max()),
        f"{probabilities[label]:.1e}",
        _people(index) if index in DOUBTS else "",
    ]


def _people(index: int) -> str:
    doubt = DOUBTS[index]
    return f"{doubt.votes} of 5 see {doubt.label}, {doubt.other_votes} see {doubt.other}"
