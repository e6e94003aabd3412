"""Export a fitted Keras network to ONNX, and refuse a file that answers differently."""

import hashlib
import json
import logging
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import onnx
import tensorflow as tf
import tf2onnx

from training import evaluate
from training.data import scale
from training.network import DIGITS, PIXELS

logger = logging.getLogger(__name__)

OPSET = 18  # the newest that tf2onnx 1.17 writes
BATCHES = (
    1,
    2,
    7,
    1000,
)  # one, even, odd and large: ONNX Runtime's kernels differ by shape
TOLERANCE = 1e-5  # of a probability; float32 sums in another order differ by about 1e-6


class ExportError(Exception):
    """The ONNX file answers differently from the Keras network, or cannot be written."""


def to_onnx(network: keras.Model) -> bytes:
    """Convert a network to ONNX bytes.

    Input ``image`` float32 ``[batch, 784]``, output ``probabilities`` float32
    ``[batch, 10]``, ``batch`` free, standard operators only, weights inside the file.
    """
    signature = [tf.TensorSpec([None, PIXELS], tf.float32, name="image")]

    # A named function: tf2onnx's from_keras fails on a Keras 3 Sequential model, and a
    # dictionary is what gives the output its name.
    @tf.function(input_signature=signature)  # type: ignore[untyped-decorator]
    def serve(image: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"probabilities": network(image, training=False)}

    # tf2onnx announces its progress at INFO.
    logging.getLogger("tf2onnx").setLevel(logging.WARNING)
    model, _ = tf2onnx.convert.from_function(serve, input_signature=signature, opset=OPSET)
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
    # tf2onnx also declares the domain ai.onnx.ml, of which no operator is used.
    standard = [opset for opset in model.opset_import if opset.domain == ""]
    del model.opset_import[:]
    model.opset_import.extend(standard)
    model.graph.name = "mnist"
    model.graph.doc_string = ""
    onnx.checker.check_model(model, full_check=True)
    content: bytes = model.SerializeToString()
    return content


def check_parity(
    network: keras.Model, content: bytes, images: npt.NDArray[np.uint8]
) -> float:
    """Compare ONNX Runtime's answers with Keras's, at every size in ``BATCHES``.

    Args:
        network: the Keras network.
        content: the ONNX file's bytes.
        images: uint8 ``[n, 784]``, 0 to 255.

    Returns:
        The largest difference of any probability.

    Raises:
        ExportError: a digit differs, or a probability by more than ``TOLERANCE``.
    """
    expected = network.predict(scale(images), batch_size=1000, verbose=0)
    largest = 0.0
    for batch in BATCHES:
        found = evaluate.probabilities(content, images, batch)
        differing = int((found.argmax(1) != expected.argmax(1)).sum())
        difference = float(np.abs(found - expected).max())
        if differing or not difference <= TOLERANCE:
            raise ExportError(
                f"at batch {batch}, ONNX Runtime and Keras differ in {differing} digits "
                f"of {len(images)} and by up to {difference:.2g} in a probability; "
                f"expected 0 and at most {TOLERANCE:.0e}"
            )
        largest = max(largest, difference)
    return largest


def write_version(
    folder: Path, content: bytes, manifest: dict[str, Any], *, force: bool = False
) -> None:
    """Write ``model.onnx`` and ``manifest.json`` as one version, whole or not at all.

    Args:
        folder: ``<root>/<name>/<version>``.
        content: the ONNX bytes; their SHA-256 and the signature are added to the manifest.
        manifest: what else the manifest says.
        force: whether to replace a version that is there.

    Raises:
        ExportError: the version is there and ``force`` is not set.
    """
    if folder.exists() and not force:
        raise ExportError(f"{folder} exists; choose another --version or pass --force")
    complete = {
        "name": folder.parent.name,
        "version": int(folder.name),
        "sha256": hashlib.sha256(content).hexdigest(),
        "input": {"name": "image", "dtype": "float32", "shape": ["batch", PIXELS]},
        "output": {"name": "probabilities", "dtype": "float32", "shape": ["batch", DIGITS]},
        "opset": OPSET,
        **manifest,
    }
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Beside the versions, under a name that the service does not read as a version.
    staging = Path(tempfile.mkdtemp(prefix=".export-", dir=folder.parent))
    try:
        (staging / "model.onnx").write_bytes(content)
        text = json.dumps(complete, indent=2, ensure_ascii=False)
        (staging / "manifest.json").write_text(f"{text}\n")
        staging.chmod(0o755)  # mkdtemp's 0700 would hide it from the service's user
        if folder.exists():
            os.replace(folder, staging / "replaced")
        os.replace(staging, folder)
        shutil.rmtree(folder / "replaced", ignore_errors=True)
    except OSError as error:
        shutil.rmtree(staging, ignore_errors=True)
        raise ExportError(f"cannot write {folder}: {error}") from error
