"""The runs of a comparison, summed up by method."""

from collections import Counter
from math import sqrt
from statistics import mean, stdev, variance
from typing import Any, NamedTuple

Record = dict[str, Any]
# The two that are "deep learning" here; all others are traditional.
NETWORKS = ("network", "lesson")


class Cell(NamedTuple):
    """A method at a number of images.

    Attributes:
        accuracies: one a draw.
        choose_seconds: mean over the draws on which something was chosen; 0 if on none.
        fit_seconds: mean over the draws.
        predict_us: mean, microseconds a test image.
        size_bytes: mean.
        value: of the hyperparameter, the one chosen most often.
    """

    accuracies: list[float]
    choose_seconds: float
    fit_seconds: float
    predict_us: float
    size_bytes: float
    value: Any

    @property
    def accuracy(self) -> float:
        """The mean over the draws."""
        return mean(self.accuracies)

    @property
    def spread(self) -> float:
        """The standard deviation over the draws; 0 for one draw."""
        return stdev(self.accuracies) if len(self.accuracies) > 1 else 0.0


def cell(record: Record, data: str, method: str, images: int | None = None) -> Cell | None:
    """Sum up a method's runs on ``pixels`` or ``table``; None where there are none."""
    runs = [
        run
        for run in record["runs"]
        if (run["data"], run["method"]) == (data, method)
        and (images is None or run["images"] == images)
    ]
    if not runs:
        return None
    chosen = [run["choose_seconds"] for run in runs if run["validation"]]
    return Cell(
        [run["accuracy"] for run in runs],
        mean(chosen) if chosen else 0.0,
        mean(run["fit_seconds"] for run in runs),
        mean(run["predict_us"] for run in runs),
        mean(run["size_bytes"] for run in runs),
        Counter(run["value"] for run in runs).most_common(1)[0][0],
    )


def cells(record: Record, data: str, images: int | None = None) -> dict[str, Cell]:
    """Sum up every method that has runs there, best first."""
    found = {name: cell(record, data, name, images) for name in record["methods"]}
    present = {name: each for name, each in found.items() if each}
    return dict(sorted(present.items(), key=lambda item: -item[1].accuracy))


def sizes(record: Record) -> list[int]:
    """Return the numbers of training images, smallest first."""
    return sorted({run["images"] for run in record["runs"] if run["data"] == "pixels"})


def error(first: Cell, second: Cell, test_images: int) -> float:
    """Return the standard error of the difference of two accuracies on pixels.

    It has two sources: which training images were drawn (the same for both methods, so
    they are compared draw by draw; unknown for one draw), and which test images there are
    (also the same for both, so this part is rather too large than too small).
    """
    total = sum(p * (1 - p) / test_images for p in (first.accuracy, second.accuracy))
    differences = [a - b for a, b in zip(first.accuracies, second.accuracies)]
    if len(differences) > 1:
        total += variance(differences) / len(differences)
    return sqrt(total)
