"""Quantize a float32 ONNX file to int8, in the ways that ONNX Runtime offers."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from training.data import scale

# From 1.29 on, ONNX Runtime's wheels send telemetry unless told so before the import.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import onnx
from onnxruntime import quantization
from onnxruntime.quantization.shape_inference import quant_pre_process

CALIBRATION_IMAGES = 1000  # with 100 and with 10,000 the accuracy is within 0.05 points

# All but Softmax: with probabilities in steps of 1/256, ten of them would miss a sum of 1
# by up to 0.012.
QUANTIZED = ("Gemm", "Relu")


class Variant(NamedTuple):
    """A way to quantize.

    Attributes:
        title: what it is called in the report.
        static: whether the scales of activations are found once, on calibration images;
            else anew at each run, from all images of the batch.
        per_channel: whether each unit's weights have a scale of their own; else all weights
            of a layer share one.
    """

    title: str
    static: bool
    per_channel: bool


VARIANTS = (
    Variant("dynamic, per tensor", static=False, per_channel=False),
    Variant("dynamic, per channel", static=False, per_channel=True),
    Variant("static, per tensor", static=True, per_channel=False),
    Variant("static, per channel", static=True, per_channel=True),
)


def quantize(content: bytes, variant: Variant, images: npt.NDArray[np.uint8]) -> bytes:
    """Return the int8 file of a float32 one: the same input and output, both float32.

    Args:
        content: the ONNX file's bytes.
        variant: how; all else is the quantizer's default, int8 weights and, where
            activations have a type of their own, int8 activations.
        images: what a static variant is calibrated on, uint8 ``[n, 784]``; training images.
    """
    with tempfile.TemporaryDirectory() as folder:
        # MatMul and Add become Gemm, whose bias is then quantized as well. Symbolic shapes
        # are for transformers, and need a package more.
        prepared, quantized = Path(folder) / "prepared.onnx", Path(folder) / "int8.onnx"
        quant_pre_process(
            onnx.load_from_string(content), prepared, skip_symbolic_shape=True
        )
        if variant.static:
            quantization.quantize_static(
                prepared,
                quantized,
                _Calibration(images),
                op_types_to_quantize=QUANTIZED,
                per_channel=variant.per_channel,
            )
        else:
            quantization.quantize_dynamic(
                prepared, quantized, per_channel=variant.per_channel
            )
        return quantized.read_bytes()


class _Calibration(quantization.CalibrationDataReader):  # type: ignore[misc]
    """The images, one at a time, under the name of the network's input."""

    def __init__(self, images: npt.NDArray[np.uint8]) -> None:
        self._images: Iterator[npt.NDArray[np.float32]] = iter(scale(images))

    def get_next(self) -> dict[str, npt.NDArray[np.float32]] | None:
        """Return the next image, float32 ``[1, 784]``; nothing after the last."""
        image = next(self._images, None)
        return None if image is None else {"image": image[np.newaxis]}
