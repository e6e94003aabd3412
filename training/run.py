"""Run a recipe from the data to a model that can be served, in one folder.

``runs/NAME`` appears when everything is in it. Until then the same things are in
``runs/NAME.unfinished``, from which an interrupted run resumes.
"""

import dataclasses
import json
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras

from training import callbacks, evaluate, export, fit, machine, manifest, repository
from training.best import distill
from training.dataset import Dataset, Mnist
from training.errors import FitError, Interrupted, RunError
from training.recipes import Lesson, Recipe

RECORD, NETWORK = "run.json", "network.keras"
VERSION = Path("models", "mnist", "1")  # of the run's own model repository

Report = Callable[[Path, Mnist], Any]


def free_name(root: Path, base: str) -> str:
    """Return a name that no run has: ``base``, or the first free ``base-N``."""
    name, number = base, 1
    while (root / name).exists() or unfinished(root / name).exists():
        number += 1
        name = f"{base}-{number}"
    return name


def unfinished(folder: Path) -> Path:
    """Return where a run is until it is complete."""
    return folder.with_name(f"{folder.name}.unfinished")


def run(
    recipe: Recipe,
    dataset: Dataset,
    folder: Path,
    *,
    resume: bool = False,
    verbose: int = fit.SILENT,
    report: Report | None = None,
) -> dict[str, Any]:
    """Fit, export, evaluate and report.

    Args:
        recipe: the hyperparameters.
        dataset: what to fit on and to evaluate with.
        folder: of the run; it must not exist.
        resume: go on with an interrupted run of the same recipe and data.
        verbose: Keras's: 0 for silence, 1 for a bar, 2 for a line per epoch.
        report: writes a report into a version's folder; none if not given.

    Returns:
        The manifest of the model.

    Raises:
        RunError: the folder exists, or there is nothing of this recipe to resume.
        FitError: the loss is not finite; nothing is kept.
        Interrupted: by the user.
    """
    work = unfinished(folder)
    record = _begin(recipe, dataset, folder, work, resume)
    start = time.monotonic()
    try:
        if "history" not in record:
            record = _fit(recipe, dataset, work, record, verbose)
        if not (work / VERSION).exists():
            _export(dataset, work, record)
        if report:
            report(work / VERSION, dataset.arrays)
    except FitError:
        shutil.rmtree(work)
        raise
    except KeyboardInterrupt:
        record = json.loads((work / RECORD).read_text())
        kept = _kept(work, record)
        if not kept:
            shutil.rmtree(work)
            raise Interrupted("interrupted; nothing is kept yet") from None
        if "history" not in record:
            record["seconds"] += time.monotonic() - start
            _write(work, record)
        raise Interrupted(f"interrupted; {work} keeps {kept}") from None
    shutil.rmtree(work / callbacks.CHECKPOINT, ignore_errors=True)
    for teacher in work.glob("teacher-*.keras"):
        teacher.unlink()
    os.replace(work, folder)
    made: dict[str, Any] = json.loads((folder / VERSION / "manifest.json").read_text())
    return made


def _begin(
    recipe: Recipe, dataset: Dataset, folder: Path, work: Path, resume: bool
) -> dict[str, Any]:
    """Make the folder of an unfinished run, or read its record to resume it."""
    if folder.exists():
        raise RunError(f"{folder} exists, expected a new name: --name")
    numbers = json.loads(json.dumps(dataclasses.asdict(recipe)))
    if resume:
        try:
            record: dict[str, Any] = json.loads((work / RECORD).read_text())
        except OSError as error:
            raise RunError(f"{work} has no run to resume: {error.strerror}") from error
        for key, found in (("numbers", numbers), ("data", dict(dataset.files))):
            if record[key] != found:
                raise RunError(
                    f"{work} was begun with {_difference(record[key], found)}, expected "
                    "the same options with --resume"
                )
        if "history" not in record:
            record.setdefault("resumed", []).append(callbacks.epochs_kept(work))
        return record
    if work.exists():
        raise RunError(
            f"{work} exists: resume that run with --resume, or delete the folder"
        )
    work.mkdir(parents=True)
    record = {
        "numbers": numbers,
        "data": dict(dataset.files),
        "seconds": 0.0,
        "machine": machine.describe(),
        "commit": manifest.commit(),
    }
    _write(work, record)
    return record


def _difference(before: dict[str, Any], now: dict[str, Any]) -> str:
    names = [name for name in before if before[name] != now.get(name)]
    return ", ".join(f"{name} {before[name]}" for name in names) or "less data"


def _fit(
    recipe: Recipe, dataset: Dataset, work: Path, record: dict[str, Any], verbose: int
) -> dict[str, Any]:
    images, labels = dataset.arrays.x_train, dataset.arrays.y_train
    if isinstance(recipe, Lesson):
        fitted, method = fit.fit(recipe, images, labels, verbose, work), fit.METHOD
    else:
        fitted, method = distill.fit(recipe, images, labels, verbose, work), distill.METHOD
    fitted.network.save(work / NETWORK)
    numbers, hidden = record["numbers"], _hidden(fitted.network)
    record = {
        **record,
        "recipe": {"name": recipe.name, "hidden": hidden, **numbers, **method},
        "calibration": fitted.calibration,
        "history": fitted.history,
        "epoch": fitted.epoch,
        "seconds": round(record["seconds"] + fitted.seconds, 1),
    }
    _write(work, record)
    return record


def _hidden(network: keras.Model) -> list[int]:
    """Return the widths of the dense layers before the last."""
    return [layer.units for layer in network.layers[:-1] if hasattr(layer, "units")]


def _export(dataset: Dataset, work: Path, record: dict[str, Any]) -> None:
    network = keras.models.load_model(work / NETWORK)
    images, labels = dataset.arrays.x_test, dataset.arrays.y_test
    content = export.to_onnx(network)
    difference = export.check_parity(network, content, images)
    result = evaluate.evaluate(content, images, labels)
    answers = evaluate.probabilities(content, images)
    metrics = {
        "test_accuracy": result.accuracy,
        "test_loss": result.loss,
        "validation_accuracy": record["history"]["val_accuracy"][record["epoch"] - 1],
        "largest_difference": difference,
        **manifest.confidence(record["calibration"], answers, labels),
    }
    made = manifest.build(record, dataset, answers, metrics)
    repository.write_version(work / VERSION, content, made)


def _kept(work: Path, record: dict[str, Any]) -> str:
    """Return in words what an interrupted run has behind it; empty if nothing."""
    if (work / VERSION).exists():
        return "the exported network"
    if "history" in record:
        return "the fitted network"
    epochs = callbacks.epochs_kept(work)
    if epochs:
        return f"the network after epoch {epochs}"
    teachers = len(list(work.glob("teacher-*.keras")))
    return f"{teachers} teacher{'s' if teachers > 1 else ''}" if teachers else ""


def _write(work: Path, record: dict[str, Any]) -> None:
    partial = work / f"{RECORD}.partial"
    partial.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    os.replace(partial, work / RECORD)
