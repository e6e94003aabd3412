"""Ask ModelInfer as fast as it is answered, and print how many calls were.

Run in the environment of the server that has gRPC: port, images, form, seconds.
"""

import sys
import threading
import time
from typing import Any

import grpc
import numpy as np

from service.rpc.messages import InferRequest

CONNECTIONS = 16  # as many as the other measurements have


def message(images: int, typed: bool) -> bytes:
    """Return the request for so many images: raw bytes, or typed floats of 0 to 1."""
    pixels = np.random.default_rng(7).integers(0, 256, (images, 784), np.uint8)
    tensor: dict[str, Any] = {"name": "image", "datatype": "UINT8", "shape": [images, 784]}
    if not typed:
        return _message(inputs=[tensor], raw_input_contents=[pixels.tobytes()])
    floats = (pixels / np.float32(255)).ravel().tolist()
    tensor |= {"datatype": "FP32", "contents": {"fp32_contents": floats}}
    return _message(inputs=[tensor])


def _message(**fields: Any) -> bytes:
    content: bytes = InferRequest(model_name="mnist", **fields).SerializeToString()
    return content


def main(port: str, images: str, form: str, seconds: str) -> None:
    """Ask on 16 connections, each with one call at a time."""
    body, until = message(int(images), form == "typed"), time.monotonic() + float(seconds)
    counts = []

    def ask() -> None:
        options = [("grpc.use_local_subchannel_pool", 1)]
        channel = grpc.insecure_channel(f"127.0.0.1:{port}", options)
        infer = channel.unary_unary("/inference.GRPCInferenceService/ModelInfer")
        count = 0
        while time.monotonic() < until:
            infer(body, timeout=60)
            count += 1
        counts.append(count)

    threads = [threading.Thread(target=ask) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(sum(counts))


if __name__ == "__main__":
    main(*sys.argv[1:])
