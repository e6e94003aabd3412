"""BentoML: a NumPy array from JSON, and a file's bytes as the root input."""

from pathlib import Path
from typing import Annotated

import bentoml
import numpy as np
from bentoml.validators import ContentType, DType

from bench.peers.model import Model

Binary = ContentType("application/octet-stream")


@bentoml.service(workers=1, logging={"access": {"enabled": False}})
class Digits:
    """The model behind two routes."""

    def __init__(self) -> None:
        self.model = Model()

    # Adaptive batching gave more requests/s than none, in a short trial, and more latency.
    # 1024: sixteen connections of 64 images.
    @bentoml.api(batchable=True, max_batch_size=1024)
    async def predict(self, instances: Annotated[np.ndarray, DType("uint8")]) -> np.ndarray:
        """Answer JSON with JSON."""
        return self.model.predict(instances)

    @bentoml.api
    async def raw(self, image: Annotated[Path, Binary], /) -> Annotated[bytes, Binary]:
        """Answer raw pixels with raw float32."""
        return self.model.predict_bytes(image.read_bytes()).tobytes()
