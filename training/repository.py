"""The model repository: write a version, whole or not at all."""

import hashlib
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from training import graph
from training.dataset import DIGITS, PIXELS
from training.errors import ExportError

OPSET = 18  # the newest that tf2onnx 1.17 writes


def versions(folder: Path) -> list[int]:
    """Return the numbers of the versions in ``<root>/<name>``, ascending."""
    return sorted(
        int(path.parent.name)
        for path in folder.glob("*/manifest.json")
        if path.parent.name.isdecimal()
    )


def find(models: Path, version: int | None = None) -> Path:
    """Return a version's folder; by default the highest's, as the service serves it.

    Raises:
        ExportError: there is none.
    """
    folder = models / "mnist"
    number = max(versions(folder), default=None) if version is None else version
    found = folder / str(number)
    if not (found / "manifest.json").exists():
        wanted = "version" if version is None else f"version {version}"
        raise ExportError(f"found no {wanted} in {folder}, expected it: --models")
    return found


def write_version(
    folder: Path, content: bytes, manifest: dict[str, Any], *, force: bool = False
) -> None:
    """Write ``model.onnx`` and ``manifest.json`` as one version, whole or not at all.

    Args:
        folder: ``<root>/<name>/<version>``.
        content: the ONNX bytes; metadata are written into them, and their SHA-256 and the
            signature are added to the manifest.
        manifest: what else the manifest says, as ``manifest.build`` makes it.
        force: whether to replace a version that is there.

    Raises:
        ExportError: the version is there and ``force`` is not set, or the folder cannot
            be written.
    """
    if folder.exists() and not force:
        raise ExportError(f"{folder} exists; choose another version or pass --force")
    complete = {"name": folder.parent.name, "version": int(folder.name), "sha256": ""}
    complete |= {
        "input": {"name": "image", "dtype": "float32", "shape": ["batch", PIXELS]},
        "output": {
            "name": "probabilities",
            "dtype": "float32",
            "shape": ["batch", len(DIGITS)],
        },
        "opset": OPSET,
    }
    complete |= {key: value for key, value in manifest.items() if key not in complete}
    content = graph.describe(content, complete)
    complete["sha256"] = hashlib.sha256(content).hexdigest()
    staging = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        # Beside the versions, under a name that the service does not read as a version.
        staging = Path(tempfile.mkdtemp(prefix=".export-", dir=folder.parent))
        (staging / "model.onnx").write_bytes(content)
        text = json.dumps(complete, indent=2, ensure_ascii=False)
        (staging / "manifest.json").write_text(f"{text}\n", encoding="utf-8")
        staging.chmod(0o755)  # mkdtemp's 0700 would hide it from the service's user
        if folder.exists():
            os.replace(folder, staging / "replaced")
        os.replace(staging, folder)
        shutil.rmtree(folder / "replaced", ignore_errors=True)
    except OSError as error:
        if staging:
            shutil.rmtree(staging, ignore_errors=True)
        raise ExportError(f"cannot write {folder}: {error}") from error
