"""The variables of the template ``report.md.j2``."""

from collections.abc import Sequence
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from training import calibration
from training.best import ood
from training.report import frames, hands, nodigits, shapes
from training.report.measure import Measured
from training.report.wrong_labels import DOUBTS, LABELS_SHA256, Doubt

Manifest = dict[str, Any]
CURVE_ROWS = 10  # of the table of the learning curves; a long training is thinned to it
PAIRS = 10  # most confused ones
SHOWN, LISTED = 36, 12  # hardest mistakes: as pictures, and in the table
# Confidences at which one could stop to trust; the version's own rule is added.
LEVELS = (0.5, 0.7, 0.9, 0.99)


class Mistake(NamedTuple):
    """A wrongly read test image, by its place, with p(digit) and p(label)."""

    place: int
    label: int
    digit: int
    confidence: float
    of_label: float
    doubt: Doubt | None


def context(manifest: Manifest, measured: Measured) -> dict[str, Any]:
    """Return what the template needs: the manifest, the measurement, and their sums."""
    confidence = measured.probabilities.max(axis=1).astype(np.float64)
    own = calibration.Thresholds.of(manifest)
    marked = own or calibration.Thresholds()
    guesses = marked.guesses(measured.probabilities)
    levels = [(f"{level:g}", confidence >= level) for level in LEVELS]
    levels += [("**its own**", ~guesses)] if own else []
    known, unknown = (
        [each for each in measured.no_digits if (each.group == nodigits.UNKNOWN) == new]
        for new in (False, True)
    )
    counts = confusion_matrix(measured.labels, measured.digits, labels=range(10))
    return {
        "manifest": manifest,
        "measured": measured,
        "accuracy": float(measured.right.mean()),
        "curves": _curves(manifest["history"]),
        "counts": counts,
        "scores": list(zip(*_scores(measured))),
        "pairs": most_confused(counts),
        "mistakes": _mistakes(measured, _doubts(manifest)),
        "listed": LISTED,
        "doubts": _doubts(manifest),
        "mean_confidence": confidence.mean(),
        "bins": calibration.equal_width(confidence, measured.right),
        "masses": calibration.equal_mass(confidence, measured.right),
        "error": calibration.error,
        "kept": [(name, calibration.keep(kept, measured.right)) for name, kept in levels],
        "own": own,
        "marked": marked,
        "set_aside": {
            "known": nodigits.together(known, "known"),
            "unknown": nodigits.together(unknown, "unknown"),
            "digits": float(guesses.mean()),
        },
        "no_digits": with_groups(measured.no_digits),
        "drawn": nodigits,
        "hands": [*measured.hands, hands.together(measured.hands)],
        "variants": hands.VARIANTS,
        "length": frames.LENGTH,
        "letters": "".join(sorted(ood.letters())),
        "other_letters": "".join(shapes.other_letters()),
        "quantiles": [
            np.quantile(each.active, [0, 0.5, 1]).tolist() for each in measured.activities
        ],
        "mean_of": lambda name: np.mean([getattr(e, name) for e in measured.distorted]),
    }


def hardest(measured: Measured) -> list[int]:
    """Return the wrongly read images with the largest loss, the largest first."""
    order = np.argsort(-measured.losses, kind="stable")
    return [int(index) for index in order[~measured.right[order]]]


def _curves(history: dict[str, list[float]]) -> dict[str, Any]:
    """Thin the history: its names, and rows of an epoch and its values."""
    columns = {name: values for name, values in history.items() if values}
    epochs = max(len(values) for values in columns.values())
    step = -(-epochs // CURVE_ROWS)
    rows = [
        (epoch, [v[epoch - 1] if epoch <= len(v) else None for v in columns.values()])
        for epoch in sorted({1, *range(step, epochs + 1, step), epochs})
    ]
    return {"names": list(columns), "rows": rows}


def _scores(measured: Measured) -> Any:
    return precision_recall_fscore_support(
        measured.labels, measured.digits, labels=range(10), zero_division=0
    )


def most_confused(counts: Any) -> list[tuple[int, int, int]]:
    """Return label, prediction and images of the most confused pairs, the most first."""
    wrong = counts * (1 - np.eye(len(counts), dtype=int))
    order = np.argsort(-wrong, axis=None, kind="stable")[:PAIRS]
    pairs = (divmod(int(cell), len(counts)) for cell in order)
    return [
        (label, digit, wrong[label, digit]) for label, digit in pairs if wrong[label, digit]
    ]


def _doubts(manifest: Manifest) -> dict[int, Doubt]:
    """Return the doubted labels, if the version was measured on the labels they are of."""
    return DOUBTS if LABELS_SHA256 in manifest["data"].values() else {}


def _mistakes(measured: Measured, doubts: dict[int, Doubt]) -> list[Mistake]:
    return [
        Mistake(
            index,
            int(measured.labels[index]),
            int(measured.digits[index]),
            float(measured.probabilities[index].max()),
            float(measured.probabilities[index, measured.labels[index]]),
            doubts.get(index),
        )
        for index in hardest(measured)
    ]


def with_groups(found: Sequence[nodigits.Found]) -> list[nodigits.Found]:
    """Add to each group of several kinds what they are together."""
    rows = []
    for group, members in groupby(found, key=lambda each: each.group):
        kinds = list(members)
        rows += kinds
        if len(kinds) > 1:
            rows.append(nodigits.together(kinds, f"**{group}, all**"))
    return rows
