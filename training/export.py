"""Export a fitted Keras network to ONNX, and refuse a file that answers differently."""

import logging

import keras
import numpy as np
import numpy.typing as npt
import onnx
import tensorflow as tf
import tf2onnx

from training import evaluate, graph
from training.data import scale
from training.errors import ExportError
from training.network import PIXELS
from training.repository import OPSET

# One, even, odd and large: ONNX Runtime's kernels differ by shape.
BATCHES = (1, 2, 7, 1000)
TOLERANCE = 1e-5  # of a probability; float32 sums in another order differ by about 1e-6


def to_onnx(network: keras.Model) -> bytes:
    """Convert a network to ONNX bytes.

    Input ``image`` float32 ``[batch, 784]``, output ``probabilities`` float32
    ``[batch, 10]``, ``batch`` free, standard operators only, weights inside the file,
    nodes and weights named after their layers.
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
    graph.name_parts(model)
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
        ExportError: a label differs, or a probability by more than ``TOLERANCE``.
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
