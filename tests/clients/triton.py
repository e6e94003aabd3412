"""tritonclient against a service: run with its address and images."""

import sys

import numpy as np
import tritonclient.http as triton
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
assert "binary_tensor_data" in client.get_server_metadata()["extensions"]
metadata, config = client.get_model_metadata("mnist"), client.get_model_config("mnist")
served = max(metadata["versions"], key=int)
for kind, dims in (("input", [784]), ("output", [10])):
    (tensor,), (declared,) = metadata[f"{kind}s"], config[kind]
    assert tensor["name"] == declared["name"]
    assert tensor["shape"] == [-1, *dims]
    assert declared["dims"] == dims
assert client.get_model_repository_index()[0]["state"] == "READY"


def infer(pixels, datatype, binary=True, outputs=None, **options):
    tensor = triton.InferInput("image", list(pixels.shape), datatype)
    tensor.set_data_from_numpy(pixels, binary_data=binary)
    return client.infer("mnist", [tensor], outputs=outputs, **options)


def statistics():
    (found,) = client.get_inference_statistics("mnist", served)["model_stats"]
    return found


before = statistics()
expected = infer(floats, "FP32").as_numpy("probabilities")
assert expected.argmax(axis=1).tolist() == [n % 10 for n in range(30)]
after = statistics()
assert after["inference_count"] - before["inference_count"] == 30
assert after["execution_count"] - before["execution_count"] == 1
for name in ("success", "compute_input", "compute_infer", "compute_output"):
    ahead, behind = after["inference_stats"][name], before["inference_stats"][name]
    assert ahead["count"] == behind["count"] + 1
    assert ahead["ns"] > behind["ns"]

for binary in (True, False):
    for datatype, pixels in (("FP32", floats), ("UINT8", frames)):
        reply = infer(pixels, datatype, binary, request_id="q7")
        assert np.array_equal(reply.as_numpy("probabilities"), expected)
        assert reply.get_response()["id"] == "q7"
        output = [triton.InferRequestedOutput("probabilities", binary)]
        reply = infer(pixels, datatype, binary, output)
        assert np.array_equal(reply.as_numpy("probabilities"), expected)
        output = [triton.InferRequestedOutput("probabilities", binary, class_count=3)]
        best = infer(pixels, datatype, binary, output).as_numpy("probabilities")
        assert best.shape == (30, 3)
        text = best[7, 0] if isinstance(best[7, 0], str) else best[7, 0].decode()
        value, index, label = text.split(":")
        assert (float(value) > 0.9, index, label) == (True, "7", "7")

for coding in ("gzip", "deflate"):
    reply = infer(frames, "UINT8", request_compression_algorithm=coding)
    assert np.array_equal(reply.as_numpy("probabilities"), expected)

for status, wrong in (
    ("400", {"outputs": [triton.InferRequestedOutput("nope")]}),
    ("404", {"model_version": "9"}),
):
    try:
        infer(frames, "UINT8", **wrong)
    except InferenceServerException as error:
        assert error.status() == status  # noqa: PT017
    else:
        raise AssertionError(f"expected status {status}")
