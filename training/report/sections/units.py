"""The section about the hidden units."""

import numpy as np

from training.report import tile
from training.report.document import Figure, Paragraph, Section, Table, fill, percent
from training.report.measure import Measured

ACTIVE = """
A unit is active at an image if its ReLU lets something through. Counted over the
{images:,} training images, validation included. A unit that is active at none of them is
**dead**: it has no gradient at any of them, so training on them would not change its
weights."""

WEIGHTS = """
The weights of the first layer, a picture a unit, and below it the share of the training
images at which the unit is active. Ink on red pixels speaks for the unit, ink on blue
ones against it; the full colour is the unit's largest weight."""


def hidden(measured: Measured) -> Section:
    """Show what the first layer looks for, and which units do nothing."""
    rows = [
        [
            f"hidden {number}",
            str(len(found.active)),
            str(len(found.dead)),
            *(f"{100 * value:.2g} %" for value in np.quantile(found.active, [0, 0.5, 1])),
        ]
        for number, found in enumerate(measured.activities, start=1)
    ]
    head = ["layer", "units", "dead", "least active", "median", "most active"]
    return Section(
        "Hidden units",
        [
            Paragraph(fill(ACTIVE, images=measured.training_images)),
            Table(head, rows),
            Figure(_tiles(measured), fill(WEIGHTS)),
        ],
    )


def _tiles(measured: Measured) -> str:
    units = zip(measured.layers[0].weights.T, measured.activities[0].active)
    tiles = "\n".join(
        f'<li><img alt="weights of unit {number}" src="{tile.weights(weights)}">'
        f"{percent(active, 0)}</li>"
        for number, (weights, active) in enumerate(units, start=1)
    )
    return f'<ul class="units">\n{tiles}\n</ul>'
