"""Build a version's manifest: how it was made, on what, and how good it is."""

import base64
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from training import own
from training.calibration import Thresholds, expected_error
from training.dataset import DIGITS, Dataset

LIBRARIES = ("tensorflow", "keras", "tf2onnx", "onnx", "onnxruntime", "numpy")
LICENSE = "Apache-2.0"  # of the project; on data of one's own, the owner decides

METRICS = {
    "test_accuracy": "fraction of the {n:,} test images whose most probable digit is "
    "their label, by ONNX Runtime",
    "test_loss": "sparse categorical cross-entropy over the {n:,} test images: the mean "
    "of -ln p(label)",
    "validation_accuracy": "accuracy after the epoch of these weights on the held-out end "
    "of the training images",
    "largest_difference": "largest difference of a probability between Keras and ONNX "
    "Runtime over the {n:,} test images at batch 1, 2, 7 and 1,000",
    "test_calibration_error": "expected calibration error over the {n:,} test images: the "
    "mean difference of confidence and accuracy in 15 bins of equal width of confidence",
    "test_unsure": "fraction of the {n:,} test images whose confidence is below "
    "unsure_below, or the geometric mean of whose probabilities is above no_digit_above",
}


def confidence(
    calibration: dict[str, float],
    answers: npt.NDArray[np.float32],
    labels: npt.NDArray[np.uint8],
) -> dict[str, float]:
    """Measure the confidence of a calibrated network; nothing for another.

    Args:
        calibration: as ``Fitted`` has it.
        answers: probabilities of the test images, float32 ``[n, 10]``.
        labels: of the test images, uint8 ``[n]``.
    """
    marked = Thresholds.of(calibration)
    if not marked:
        return {}
    return {
        "test_calibration_error": expected_error(answers, labels),
        "test_unsure": float(marked.guesses(answers).mean()),
    }


def commit() -> dict[str, str | bool] | None:
    """Return the commit of this checkout and whether files differ from it.

    None without git, or outside of a checkout.
    """
    git = ("git", "-C", str(Path(__file__).parent))
    try:
        head, changes = (
            subprocess.run(
                (*git, *command), capture_output=True, text=True, check=True, timeout=60
            ).stdout.strip()
            for command in (("rev-parse", "HEAD"), ("status", "--porcelain"))
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return {"id": head, "dirty": bool(changes)}


def examples(
    dataset: Dataset, answers: npt.NDArray[np.float32]
) -> list[dict[str, int | str]]:
    """Choose what the service checks a model with that was not fitted on MNIST.

    The service knows how digits look, and checks a model with its own drawings. Other
    data needs examples: of each label the first test image that is answered rightly.

    Args:
        dataset: the data.
        answers: probabilities of its test images, float32 ``[n, 10]``.

    Returns:
        For each label, the image's 784 bytes in base64.
    """
    images, labels = dataset.arrays.x_test, dataset.arrays.y_test
    right = answers.argmax(axis=1) == labels
    chosen = [np.flatnonzero(right & (labels == label))[:1] for label in range(len(DIGITS))]
    return [
        {"label": int(labels[i]), "image": base64.b64encode(images[i].tobytes()).decode()}
        for i in np.concatenate(chosen)
    ]


def build(
    run: dict[str, Any],
    dataset: Dataset,
    answers: npt.NDArray[np.float32],
    metrics: dict[str, float],
) -> dict[str, Any]:
    """Build all of a manifest that is known before the file is written.

    Args:
        run: the record of a run.
        dataset: what it was fitted on.
        answers: probabilities of the test images, float32 ``[n, 10]``.
        metrics: what was measured, by its name in ``METRICS``.
    """
    calibration = dict(run["calibration"])
    return {
        **{
            name: calibration.pop(name)
            for name in Thresholds._fields
            if name in calibration
        },
        "dataset": dataset.name,
        "labels": dataset.labels,
        **({} if dataset.name == "MNIST" else {"examples": examples(dataset, answers)}),
        **({"license": LICENSE} if dataset.name in own.KNOWN else {}),
        "recipe": run["recipe"],
        **({"calibration": calibration} if calibration else {}),
        "data": run["data"],
        "metrics": {
            name: {"value": value, "definition": METRICS[name].format(n=len(answers))}
            for name, value in metrics.items()
        },
        "history": run["history"],
        "epoch": run["epoch"],
        "seconds": run["seconds"],
        **({"resumed": run["resumed"]} if "resumed" in run else {}),
        "machine": run["machine"],
        "commit": run["commit"],
        "libraries": {
            "python": platform.python_version(),
            **{name: version(name) for name in LIBRARIES},
        },
        "date": datetime.now(UTC).date().isoformat(),
    }
