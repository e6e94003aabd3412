"""KServe's client against a service: run with its address and images."""

import asyncio
import sys

import numpy as np
from kserve import InferenceRESTClient, InferInput, InferRequest, RESTConfig

address, path = sys.argv[1:]
url, frames = f"http://{address}", np.load(path)
expected = [n % 10 for n in range(30)]


async def v1():
    client = InferenceRESTClient(RESTConfig(protocol="v1"))
    assert await client.is_model_ready(url, "mnist")
    reply = await client.infer(url, {"instances": frames.tolist()}, model_name="mnist")
    assert np.argmax(reply["predictions"], axis=1).tolist() == expected


async def v2():
    client = InferenceRESTClient(RESTConfig(protocol="v2"))
    assert await client.is_server_live(url)
    assert await client.is_server_ready(url)
    assert await client.is_model_ready(url, "mnist")
    for binary in (False, True):
        tensor = InferInput("image", list(frames.shape), "FP32")
        tensor.set_data_from_numpy(frames / np.float32(255), binary_data=binary)
        request = InferRequest(model_name="mnist", infer_inputs=[tensor])
        reply = await client.infer(url, request, model_name="mnist")
        assert reply.outputs[0].as_numpy().argmax(axis=1).tolist() == expected


asyncio.run(v1())
asyncio.run(v2())
