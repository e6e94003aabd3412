"""The command ``python -m training lesson``: the measured data of the lesson's page.

Collects the learning curves and the calibration of every version, and the comparison with
traditional machine learning, in one file beside the versions; the page reads only that.
"""

import argparse
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from training import calibration, data
from training.baselines import summary
from training.baselines.summary import Cell, Record

FILE = "lesson.json"
# Of accuracies, losses and seconds: a test image is 0.0001, and nearest neighbours are
# fitted to a table in 0.0005 s.
DECIMALS = 5


def add(command: Any) -> None:
    """Add the command; ``command`` makes a parser of a name, what to run, and a summary."""
    parser = command(
        "lesson",
        _run,
        "write what the lesson's page shows, measured, beside the versions",
        "Curves, calibration and the record of the baselines, of every version.",
    )
    parser.add_argument("--models", type=Path, default=Path("models"), help="root folder")
    parser.add_argument(
        "--baselines",
        type=Path,
        default=Path("training/results/baselines.json"),
        help="record of the baselines",
    )


def make(folder: Path, record: Record, mnist: data.Mnist) -> dict[str, Any]:
    """Measure every version of a model, and put all together.

    Args:
        folder: ``<root>/<name>``, with a folder for each version.
        record: what ``python -m training baselines`` has measured.
        mnist: the test images are those that confidence is measured on.

    Raises:
        OSError: a version has no file ``model.onnx``.
    """
    manifests = folder.glob("*/manifest.json")
    versions = [path.parent for path in manifests if path.parent.name.isdecimal()]
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "test_images": len(mnist.y_test),
        "versions": [
            _version(each, mnist) for each in sorted(versions, key=lambda v: int(v.name))
        ],
        "baselines": baselines(record),
    }


def baselines(record: Record) -> dict[str, Any]:
    """Condense a record of the baselines: means and spreads instead of single runs."""
    return {
        "date": record["date"],
        "machine": record["machine"],
        "test_images": record["test_images"],
        "sizes": summary.sizes(record),
        # The record knows the table by its fold count alone; its name is scikit-learn's.
        "table": {"data": "load_breast_cancer", **record["table"]},
        "methods": [_method(record, name) for name in record["methods"]],
    }


def _version(folder: Path, mnist: data.Mnist) -> dict[str, Any]:
    from training import evaluate

    manifest = json.loads((folder / "manifest.json").read_text())
    metrics = {name: each["value"] for name, each in manifest["metrics"].items()}
    answers = evaluate.probabilities((folder / "model.onnx").read_bytes(), mnist.x_test)
    confidence = answers.max(axis=1).astype(np.float64)
    bins = calibration.equal_width(confidence, answers.argmax(axis=1) == mnist.y_test)
    return {
        "version": manifest["version"],
        "recipe": manifest["recipe"]["name"],
        "epochs": manifest["recipe"]["epochs"],
        "seconds": manifest["seconds"],
        "test_accuracy": metrics["test_accuracy"],
        "test_loss": _short(metrics["test_loss"]),
        "unsure_below": manifest.get("unsure_below"),
        "no_digit_above": manifest.get("no_digit_above"),
        "calibration_error": _short(calibration.error(bins)),
        "calibration": [
            {name: _short(value) for name, value in each._asdict().items()} for each in bins
        ],
        "history": {
            name: [_short(value) for value in values]
            for name, values in manifest["history"].items()
        },
    }


def _method(record: Record, name: str) -> dict[str, Any]:
    """Sum up a method; it has no ``table`` where it was not tried on one."""
    by_size = {n: summary.cell(record, "pixels", name, n) for n in summary.sizes(record)}
    on_table = summary.cell(record, "table", name)
    return {
        "name": name,
        "title": record["methods"][name]["title"],
        "pixels": [
            {"images": images, **_cell(cell)} for images, cell in by_size.items() if cell
        ],
        "table": _cell(on_table) if on_table else None,
    }


def _cell(cell: Cell) -> dict[str, Any]:
    """Describe a method at one size; one draw has no spread."""
    draws = len(cell.accuracies)
    return {
        "draws": draws,
        "accuracy": _short(cell.accuracy),
        "spread": _short(cell.spread) if draws > 1 else None,
        "fit_seconds": _short(cell.fit_seconds),
    }


def _short(value: float) -> float:
    return round(value, DECIMALS)


def _run(options: argparse.Namespace) -> None:
    record = json.loads(options.baselines.read_text(encoding="utf-8"))
    mnist = data.load(options.data_dir, progress=data.show_progress)
    folder = options.models / "mnist"
    found = make(folder, record, mnist)
    path = folder / FILE
    # Without spaces: it is sent to browsers as it is.
    text = json.dumps(found, ensure_ascii=False, separators=(",", ":"))
    path.write_text(text + "\n", encoding="utf-8")
    print(f"wrote {path}: {path.stat().st_size:,} bytes")
