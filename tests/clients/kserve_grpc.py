"""KServe's client over gRPC against a service: run with its address and images."""

import asyncio
import sys

import numpy as np
from kserve import InferenceGRPCClient, InferInput, InferRequest

address, path = sys.argv[1:]
frames = np.load(path)
expected = [n % 10 for n in range(30)]


async def main():
    client = InferenceGRPCClient(address)
    assert await client.is_server_live()
    assert await client.is_server_ready()
    assert await client.is_model_ready("mnist")
    for binary in (False, True):
        tensor = InferInput("image", list(frames.shape), "FP32")
        tensor.set_data_from_numpy(frames / np.float32(255), binary_data=binary)
        request = InferRequest(model_name="mnist", infer_inputs=[tensor])
        reply = await client.infer(request)
        assert reply.outputs[0].as_numpy().argmax(axis=1).tolist() == expected
    await client.close()


asyncio.run(main())
