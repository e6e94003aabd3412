"""The model as every compared server runs it: the same file, the same session options."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "models" / "mnist" / "1" / "model.onnx"
PIXELS = 784


class Model:
    """An ONNX Runtime session on one thread."""

    def __init__(self) -> None:
        options = ort.SessionOptions()
        # As in the service: an image is some 13 µs of work, and each server has one core.
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        self._session = ort.InferenceSession(
            FILE.read_bytes(), options, providers=["CPUExecutionProvider"]
        )

    def predict(self, pixels: npt.ArrayLike) -> npt.NDArray[np.float32]:
        """Return the probabilities ``[n, 10]`` for pixels of 0 to 255, ``[n, 784]``."""
        images = np.asarray(pixels, np.float32) / np.float32(255)
        return self.run(images)

    def predict_bytes(self, content: bytes) -> npt.NDArray[np.float32]:
        """Return the probabilities ``[n, 10]`` for n × 784 raw bytes."""
        return self.predict(np.frombuffer(content, np.uint8).reshape(-1, PIXELS))

    def run(self, images: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Return the probabilities ``[n, 10]`` for the model's own input, 0 to 1."""
        probabilities: npt.NDArray[np.float32]
        (probabilities,) = self._session.run(["probabilities"], {"image": images})
        return probabilities
