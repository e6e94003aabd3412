"""The record of a measurement: all that its report needs, as JSON."""

import json
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from training import data, machine
from training.int8 import measure, quantize

LIBRARIES = ("onnxruntime", "onnx", "numpy")
# As Linux names them on x86 and Arm. Without any, int8 is multiplied the long way.
INSTRUCTIONS = {"avx_vnni", "avx512_vnni", "amx_int8", "asimddp", "i8mm"}


def make(versions: list[dict[str, Any]], mnist: data.Mnist, rounds: int) -> dict[str, Any]:
    """Put a record together.

    Args:
        versions: what ``describe`` says of each.
        mnist: what they were measured with.
        rounds: timings of each file at each batch.
    """
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": machine.describe(),
        "int8_instructions": instructions(),
        "libraries": {name: version(name) for name in LIBRARIES},
        "calibration_images": min(quantize.CALIBRATION_IMAGES, len(mnist.x_train)),
        "test_images": len(mnist.x_test),
        "rounds": rounds,
        "versions": versions,
    }


def describe(folder: Path, mnist: data.Mnist, rounds: int) -> dict[str, Any]:
    """Quantize a version of the model repository and measure every file of it.

    Args:
        folder: ``<root>/<name>/<version>``.
        mnist: what to calibrate and measure with.
        rounds: timings of each file at each batch.
    """
    manifest = json.loads((folder / "manifest.json").read_text())
    return {
        "version": manifest["version"],
        "recipe": manifest["recipe"].get("name", ""),
        "sha256": manifest["sha256"],
        "files": measure.measure((folder / "model.onnx").read_bytes(), mnist, rounds),
    }


def instructions() -> list[str]:
    """Return the processor's instructions for int8, as far as Linux names them."""
    try:
        words = Path("/proc/cpuinfo").read_text().split()
    except OSError:
        return []
    return sorted(INSTRUCTIONS.intersection(words))
