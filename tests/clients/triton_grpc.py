"""tritonclient over gRPC against a service: run with its address and images."""

import sys

import numpy as np
import tritonclient.grpc as triton
from tritonclient.utils import InferenceServerException

address, path = sys.argv[1:]
frames = np.load(path)
floats = (frames / np.float32(255)).astype(np.float32)
client = triton.InferenceServerClient(address)

assert client.is_server_live()
assert client.is_server_ready()
assert client.is_model_ready("mnist")
assert client.is_model_ready("mnist", "1")
assert not client.is_model_ready("nope")
assert not client.is_model_ready("mnist", "9")
assert "classification" in client.get_server_metadata().extensions
metadata, config = client.get_model_metadata("mnist"), client.get_model_config("mnist")
served = max(metadata.versions, key=int)
for tensor, declared, dims in (
    (metadata.inputs[0], config.config.input[0], [784]),
    (metadata.outputs[0], config.config.output[0], [10]),
):
    assert tensor.name == declared.name
    assert list(tensor.shape) == [-1, *dims]
    assert list(declared.dims) == dims
assert client.get_model_repository_index().models[0].state == "READY"


def infer(pixels, datatype, outputs=None, **options):
    tensor = triton.InferInput("image", list(pixels.shape), datatype)
    tensor.set_data_from_numpy(pixels)
    return client.infer("mnist", [tensor], outputs=outputs, **options)


def statistics():
    return client.get_inference_statistics("mnist", served).model_stats[0]


before = statistics()
expected = infer(floats, "FP32").as_numpy("probabilities")
assert expected.argmax(axis=1).tolist() == [n % 10 for n in range(30)]
after = statistics()
assert after.inference_count - before.inference_count == 30
assert after.execution_count - before.execution_count == 1
assert after.inference_stats.success.ns > before.inference_stats.success.ns

reply = infer(frames, "UINT8", request_id="q7")
assert np.array_equal(reply.as_numpy("probabilities"), expected)
assert reply.get_response().id == "q7"
output = [triton.InferRequestedOutput("probabilities", class_count=3)]
best = infer(frames, "UINT8", output).as_numpy("probabilities")
assert best.shape == (30, 3)
value, index, label = best[7, 0].decode().split(":")
assert (float(value) > 0.9, index, label) == (True, "7", "7")

for status, wrong in (
    ("StatusCode.INVALID_ARGUMENT", {"outputs": [triton.InferRequestedOutput("nope")]}),
    ("StatusCode.NOT_FOUND", {"model_version": "9"}),
):
    try:
        infer(frames, "UINT8", **wrong)
    except InferenceServerException as error:
        assert error.status() == status  # noqa: PT017
    else:
        raise AssertionError(f"expected status {status}")
