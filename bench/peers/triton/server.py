"""Triton through PyTriton: its Python backend with dynamic batching."""

import os
from typing import Any

import numpy as np
from pytriton.decorators import batch
from pytriton.model_config import DynamicBatcher, ModelConfig, Tensor
from pytriton.triton import Triton, TritonConfig

from bench.peers.model import PIXELS, Model

model = Model()


@batch
def infer(image: Any) -> dict[str, Any]:
    """Run the model on the images that came together."""
    return {"probabilities": model.predict(image)}


config = TritonConfig(
    http_address="127.0.0.1",
    http_port=int(os.environ["PORT"]),
    allow_grpc=False,
    allow_metrics=False,
)
with Triton(config=config) as triton:
    triton.bind(
        model_name="mnist",
        infer_func=infer,
        inputs=[Tensor(name="image", dtype=np.uint8, shape=(PIXELS,))],
        outputs=[Tensor(name="probabilities", dtype=np.float32, shape=(10,))],
        # 1024: sixteen connections of 64 images. No delay: a batch is what has queued up.
        config=ModelConfig(max_batch_size=1024, batcher=DynamicBatcher()),
    )
    triton.serve()
