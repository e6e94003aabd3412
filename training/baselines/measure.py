"""Fit each method on the same images, and measure it."""

import json
import pickle
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from training.baselines.methods import Floats, Labels, Method

HELD_OUT = 0.2  # of the training images, to choose a hyperparameter on; the lesson's split
TABLE_FOLDS = 5

Progress = Callable[[str], None]


class Size(NamedTuple):
    """A number of training images.

    Attributes:
        images: how many.
        draws: how many times that many are drawn, to see how much chance there is.
        choices: on how many of the draws the hyperparameter is chosen; on the others, and
            where it is none, the last choice stays.
    """

    images: int
    draws: int
    choices: int


# Small draws differ much, and cost little. What 10,000 images choose is kept for 60,000:
# to choose there would take longer than all the rest.
SIZES = (Size(100, 5, 5), Size(1_000, 5, 1), Size(10_000, 2, 1), Size(60_000, 1, 0))


class Split(NamedTuple):
    """What is learned from, and what is predicted."""

    x: Floats
    y: Labels
    x_test: Floats
    y_test: Labels


@dataclass(frozen=True)
class Run:
    """One fit and what came of it.

    Attributes:
        data: ``pixels`` or ``table``.
        method: the method's name.
        images: training images (or rows).
        draw: number of the draw (or of the split), from 0.
        value: of the hyperparameter.
        validation: accuracy on the held-out part by value, where it was chosen in this run.
        accuracy: the fraction of the test images that is predicted rightly.
        choose_seconds: for choosing.
        fit_seconds: for the fit on all the training images.
        predict_us: microseconds a test image, all predicted at once.
        size_bytes: of what it takes to predict, pickled.
    """

    data: str
    method: str
    images: int
    draw: int
    value: Any
    validation: dict[str, float]
    accuracy: float
    choose_seconds: float
    fit_seconds: float
    predict_us: float
    size_bytes: int


def pixels(
    methods: Sequence[Method], full: Split, sizes: Sequence[Size], progress: Progress
) -> Iterator[Run]:
    """Measure every method at every size, each on the same draws of the training images."""
    for method in methods:
        value = method.values[0]
        for size in sizes:
            for draw in range(size.draws):
                part = (
                    full if size.images >= len(full.y) else _draw(full, size.images, draw)
                )
                run = measure(method, part, draw, draw < size.choices, value)
                value = run.value
                progress(_line(run))
                yield run


def table(
    methods: Sequence[Method], splits: Sequence[Split], progress: Progress
) -> Iterator[Run]:
    """Measure every method on every split of a table; it chooses on each of them."""
    for method in methods:
        if method.on_tables:
            runs = [
                measure(method, split, number, True, method.values[0], data="table")
                for number, split in enumerate(splits)
            ]
            progress(
                f"table, {method.title}: {np.mean([run.accuracy for run in runs]):.2%}"
            )
            yield from runs


def measure(
    method: Method, split: Split, seed: int, choose: bool, value: Any, data: str = "pixels"
) -> Run:
    """Choose a value if so asked, fit on all training images, predict the test images."""
    start = time.perf_counter()
    validation = _validate(method, split, seed) if choose and len(method.values) > 1 else {}
    if validation:
        best = max(validation.values())
        value = next(v for v in method.values if validation[str(v)] == best)
    chosen = time.perf_counter()
    estimator = method.build(value, seed)
    estimator.fit(split.x, split.y)
    fitted = time.perf_counter()
    right = estimator.predict(split.x_test) == split.y_test
    predicted = time.perf_counter()
    return Run(
        data,
        method.name,
        len(split.y),
        seed,
        value,
        validation,
        accuracy=float(right.mean()),
        choose_seconds=chosen - start,
        fit_seconds=fitted - chosen,
        predict_us=(predicted - fitted) / len(right) * 1e6,
        size_bytes=len(pickle.dumps(estimator)),
    )


def breast_cancer() -> list[Split]:
    """Return splits of the table of breast cancers, standardised by their training part.

    It is the largest table with named columns for classification that scikit-learn brings
    with it: 569 rows, 30 columns. (Its digits are pixels; iris and wine have 150 and 178
    rows.)
    """
    from sklearn.datasets import load_breast_cancer
    from sklearn.model_selection import StratifiedKFold
    from sklearn.preprocessing import StandardScaler

    x, y = load_breast_cancer(return_X_y=True)
    folds = StratifiedKFold(TABLE_FOLDS, shuffle=True, random_state=0)
    splits = []
    for number, (train, test) in enumerate(folds.split(x, y)):
        # In any order, so that the end that is held out to choose is a fair part.
        train = np.random.default_rng(number).permutation(train)
        scaler = StandardScaler().fit(x[train])
        both = (scaler.transform(x[rows]).astype(np.float32) for rows in (train, test))
        x_train, x_test = both
        splits.append(Split(x_train, y[train], x_test, y[test]))
    return splits


def version(folder: Path, images: npt.NDArray[np.uint8]) -> dict[str, Any]:
    """Describe a version of the model repository, and time it.

    Args:
        folder: ``<root>/<name>/<version>``.
        images: what to predict, uint8 ``[n, 784]``.
    """
    from training import evaluate

    manifest = json.loads((folder / "manifest.json").read_text())
    content = (folder / "model.onnx").read_bytes()
    evaluate.probabilities(content, images)  # once before, so that memory is there
    start = time.perf_counter()
    evaluate.probabilities(content, images)
    seconds = time.perf_counter() - start
    return {
        "version": manifest["version"],
        "recipe": manifest["recipe"].get("name", ""),
        "accuracy": manifest["metrics"]["test_accuracy"]["value"],
        "fit_seconds": manifest.get("seconds"),
        "predict_us": seconds / len(images) * 1e6,
        "size_bytes": len(content),
    }


def _draw(full: Split, images: int, seed: int) -> Split:
    chosen = np.random.default_rng(seed).permutation(len(full.y))[:images]
    return full._replace(x=full.x[chosen], y=full.y[chosen])


def _validate(method: Method, split: Split, seed: int) -> dict[str, float]:
    """Return the accuracy of each value on the held-out end, fitted on the rest."""
    fitted = len(split.y) - round(len(split.y) * HELD_OUT)
    found = {}
    for value in method.values:
        estimator = method.build(value, seed)
        estimator.fit(split.x[:fitted], split.y[:fitted])
        right = estimator.predict(split.x[fitted:]) == split.y[fitted:]
        found[str(value)] = float(right.mean())
    return found


def _line(run: Run) -> str:
    return (
        f"{run.images:6,d} images, {run.method} ({run.value}), draw {run.draw}: "
        f"{run.accuracy:.2%}, chosen in {run.choose_seconds:.1f} s, fitted in "
        f"{run.fit_seconds:.1f} s, {run.predict_us:.1f} µs an image, "
        f"{run.size_bytes / 1e6:.2f} MB"
    )
