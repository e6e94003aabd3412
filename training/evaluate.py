"""Evaluate an ONNX version on the test set, with ONNX Runtime."""

import os
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from training.data import scale

# From 1.29 on, ONNX Runtime's wheels send telemetry unless told so before the import.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import onnxruntime as ort

# Keras keeps the logarithm finite by the same bound (keras.config.epsilon()).
EPSILON = 1e-7


@dataclass(frozen=True)
class Evaluation:
    """Accuracy and loss on a labelled set.

    Attributes:
        digits: predicted digit of each image, int64 ``[n]``.
        accuracy: fraction of images whose most probable digit is their label.
        loss: sparse categorical cross-entropy, the mean of -ln p(label).
        by_class: for each label, the number of images and the fraction predicted correctly.
    """

    digits: npt.NDArray[np.int64]
    accuracy: float
    loss: float
    by_class: dict[int, tuple[int, float]]


def probabilities(
    content: bytes, images: npt.NDArray[np.uint8], batch: int = 1000
) -> npt.NDArray[np.float32]:
    """Run an ONNX model over images.

    Args:
        content: the ONNX file's bytes.
        images: uint8 ``[n, 784]``, 0 to 255.
        batch: images per run.

    Returns:
        float32 ``[n, 10]``.
    """
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1  # as the service runs it
    session = ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    pixels = scale(images)
    starts = range(0, len(pixels), batch)
    return np.concatenate(
        [session.run(None, {name: pixels[i : i + batch]})[0] for i in starts]
    )


def evaluate(
    content: bytes, images: npt.NDArray[np.uint8], labels: npt.NDArray[np.uint8]
) -> Evaluation:
    """Evaluate an ONNX model on labelled images (uint8 ``[n, 784]`` and ``[n]``)."""
    answers = probabilities(content, images)
    digits = answers.argmax(axis=1)
    right = digits == labels
    of_label = np.clip(answers[np.arange(len(labels)), labels], EPSILON, 1)
    return Evaluation(
        digits=digits,
        accuracy=float(right.mean()),
        loss=float(-np.log(of_label).mean()),
        by_class={
            int(label): (int((labels == label).sum()), float(right[labels == label].mean()))
            for label in np.unique(labels)
        },
    )
