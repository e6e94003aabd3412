"""The record of a comparison: all that its report needs, as JSON."""

import json
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from training import machine
from training.baselines import measure
from training.baselines.methods import Method

LIBRARIES = ("scikit-learn", "numpy", "scipy", "tensorflow", "keras", "onnxruntime")


def make(
    methods: Sequence[Method],
    sizes: Sequence[measure.Size],
    runs: Sequence[measure.Run],
    versions: list[dict[str, Any]],
    test_images: int,
    seconds: float,
) -> dict[str, Any]:
    """Put a record together."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": machine.describe(),
        "libraries": {name: version(name) for name in LIBRARIES},
        "seconds": round(seconds, 1),
        "test_images": test_images,
        "sizes": [size._asdict() for size in sizes],
        "table": {"folds": measure.TABLE_FOLDS},
        "methods": {
            method.name: {
                "title": method.title,
                "parameter": method.parameter,
                "values": list(method.values),
                "fixed": method.fixed,
            }
            for method in methods
        },
        "versions": versions,
        "runs": [run.record() for run in runs],
    }


def describe(folder: Path, images: npt.NDArray[np.uint8]) -> dict[str, Any]:
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
