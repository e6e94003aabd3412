"""What a version's manifest says of its training."""

import platform
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import numpy as np
import numpy.typing as npt

from training.calibration import expected_error

LIBRARIES = ("tensorflow", "keras", "tf2onnx", "onnx", "onnxruntime", "numpy")

METRICS = {
    "test_accuracy": "fraction of the 10,000 test images whose most probable digit is "
    "their label, by ONNX Runtime",
    "test_loss": "sparse categorical cross-entropy over the 10,000 test images: the mean "
    "of -ln p(label)",
    "validation_accuracy": "accuracy after the last epoch on the held-out end of the "
    "training images",
    "largest_difference": "largest difference of a probability between Keras and ONNX "
    "Runtime over the 10,000 test images at batch 1, 2, 7 and 1,000",
    "test_calibration_error": "expected calibration error over the 10,000 test images: the "
    "mean difference of confidence and accuracy in 15 bins of equal width of confidence",
    "test_unsure": "fraction of the 10,000 test images whose confidence is below "
    "unsure_below",
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
    if not calibration:
        return {}
    return {
        "test_calibration_error": expected_error(answers, labels),
        "test_unsure": float((answers.max(axis=1) < calibration["unsure_below"]).mean()),
    }


def build(run: dict[str, Any], metrics: dict[str, float]) -> dict[str, Any]:
    """Put together all that is known before the file is written.

    Args:
        run: the record of ``python -m training fit``.
        metrics: what was measured, by its name in ``METRICS``.
    """
    calibration = dict(run["calibration"])
    unsure_below = calibration.pop("unsure_below", None)
    return {
        **({} if unsure_below is None else {"unsure_below": unsure_below}),
        "recipe": run["recipe"],
        **({"calibration": calibration} if calibration else {}),
        "data": run["data"],
        "metrics": {
            name: {"value": value, "definition": METRICS[name]}
            for name, value in metrics.items()
        },
        "history": run["history"],
        "seconds": run["seconds"],
        "libraries": {
            "python": platform.python_version(),
            **{name: version(name) for name in LIBRARIES},
        },
        "date": datetime.now(UTC).date().isoformat(),
    }
