"""Servers of a few lines on grpc.aio: ``echo`` has a fixed answer, ``model`` predicts."""

import sys
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
import grpc.aio
import numpy as np
import onnxruntime as ort
import uvloop

from bench.harness.cores import ROOT
from service.rpc.messages import SERVICE, InferRequest, InferResponse

MODEL = ROOT / "models" / "mnist" / "1" / "model.onnx"
REPLY = bytes(100)  # about as long as the answer to one image


async def echo(body: bytes, context: Any) -> bytes:
    """Answer as gRPC's library alone does."""
    return REPLY


def predictor() -> Callable[[bytes, Any], Awaitable[bytes]]:
    """Return what answers raw images of UINT8, without any check."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(MODEL, options)

    async def predict(body: bytes, context: Any) -> bytes:
        request = InferRequest.FromString(body)
        pixels = np.frombuffer(request.raw_input_contents[0], np.uint8)
        images = pixels.reshape(-1, 784).astype(np.float32) / np.float32(255)
        (found,) = session.run(None, {"image": images})
        output = {"name": "probabilities", "datatype": "FP32", "shape": found.shape}
        content: bytes = InferResponse(
            model_name="mnist", outputs=[output], raw_output_contents=[found.tobytes()]
        ).SerializeToString()
        return content

    return predict


async def main(port: str, kind: str) -> None:
    """Serve on 127.0.0.1 until the end."""
    handle = echo if kind == "echo" else predictor()
    methods = {"ModelInfer": grpc.unary_unary_rpc_method_handler(handle)}
    handler = grpc.method_handlers_generic_handler(SERVICE.full_name, methods)
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((handler,))
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    print("ready", flush=True)
    await server.wait_for_termination()


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))
