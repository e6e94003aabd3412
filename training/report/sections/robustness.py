"""The sections about other pixels and other ways to compute."""

from statistics import mean

from training.report import chart
from training.report.document import Figure, Paragraph, Section, Table, fill, percent
from training.report.measure import Accuracies, Measured

DISTORTED = """
The test images, each distorted in one way and rounded to 256 grey levels. **Fed
straight**, the 28 × 28 pixels go into the network as they are. **As pictures**, the same
pixels go to the service as a PNG of 28 × 28, and its frame recipe (ink told from paper,
tight box, 20 × 20, centre of mass to the middle) comes before the network. A picture that
the service refuses counts as a mistake."""

PARITY = """
The weights of the ONNX file, computed in three ways on the {images:,} test images: by
Keras in float32, by NumPy in float64 (`training/reference.py`), and by ONNX Runtime in
float32. They add up in different orders; the largest difference of any probability is
what that makes."""


def distorted(measured: Measured) -> Section:
    """Show the accuracy under each distortion."""
    every = [measured.untouched, *measured.distorted]
    points = [(found.condition.name, found.straight, found.pictures) for found in every]
    dots = chart.dots(points, ("fed straight", "as pictures"))
    head = ["distortion", "fed straight", "as pictures", "refused", "how"]
    rows = [
        [found.condition.name, *_percents([found]), found.condition.definition]
        for found in every
    ]
    title = f"**mean of the {len(measured.distorted)}**"
    rows.append([title, *_percents(measured.distorted), "all but the untouched"])
    return Section(
        "Under distortion",
        [
            Paragraph(fill(DISTORTED)),
            Figure(
                f'<div class="charts">{dots}</div>',
                "Accuracy. Open dots: fed straight. Full dots: as pictures.",
            ),
            Table(head, rows, words=(0, 4)),
        ],
    )


def parity(measured: Measured) -> Section:
    """Show how Keras, NumPy and ONNX Runtime differ."""
    rows = [
        [" and ".join(found.ways), str(found.digits), f"{found.largest:.1e}"]
        for found in measured.parity
    ]
    return Section(
        "Keras, NumPy and ONNX Runtime",
        [
            Paragraph(fill(PARITY, images=len(measured.labels))),
            Table(["pair", "digits that differ", "largest difference"], rows),
        ],
    )


def _percents(found: list[Accuracies]) -> list[str]:
    return [
        percent(mean(values))
        for values in (
            [each.straight for each in found],
            [each.pictures for each in found],
            [each.refused for each in found],
        )
    ]
