"""``/explain`` through a real gunicorn, on each of the ways to an answer."""

import json

import numpy as np
import onnx
import pytest
from onnx import helper

from training import reference

RAW = "application/octet-stream"


def explain(server, image, parameters=""):
    return server.post(image.tobytes(), RAW, f"/explain{parameters}")


def test_is_what_predict_says_and_the_layers(server, frames):
    predicted = server.post(frames[7].tobytes(), RAW, "/predict?echo=frame").json
    explained = explain(server, frames[7]).json
    layers, _ = explained.pop("layers"), explained.pop("why")
    assert explained == predicted
    assert [len(layer["sums"]) for layer in layers] == [128, 64, 10]


@pytest.mark.parametrize("version", [1, 2, 3])
def test_layers_are_the_lessons_own_arithmetic(server, root, frames, version):
    """``training.reference`` does it in NumPy with the weights that ``onnx`` reads."""
    weights = reference.read_layers(root / "models" / "mnist" / str(version) / "model.onnx")
    image = frames[4:5].astype(np.float32) / np.float32(255)
    expected = image
    answer = explain(server, frames[4], f"?version={version}").json
    for (kernel, biases), layer in zip(weights, answer["layers"], strict=True):
        sums = expected @ kernel + biases
        expected = (reference.softmax if len(biases) == 10 else reference.relu)(sums)
        np.testing.assert_allclose([layer["sums"]], sums, rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose([layer["activations"]], expected, rtol=1e-4, atol=1e-5)


def test_the_last_layer_gives_the_probabilities(server, frames):
    answer = explain(server, frames[9]).json
    np.testing.assert_allclose(
        answer["layers"][-1]["activations"],
        answer["predictions"][0]["probabilities"],
        atol=1e-6,
    )


@pytest.mark.parametrize("version", [1, 2, 3])
def test_pixels_and_biases_add_up_to_the_lead(server, frames, version):
    for frame in frames[:10]:
        answer = explain(server, frame, f"?version={version}").json
        why, logits = answer["why"], answer["layers"][-1]["sums"]
        runner_up, digit = np.argsort(logits)[-2:]
        assert (why["digit"], why["runner_up"]) == (digit, runner_up)
        assert why["lead"] == pytest.approx(logits[digit] - logits[runner_up], abs=1e-5)
        assert why["biases"] + np.sum(why["pixels"]) == pytest.approx(why["lead"], abs=1e-3)
        assert not np.any(np.reshape(why["pixels"], 784)[frame == 0])


def test_a_pixel_contributes_what_the_lead_loses_with_it(server, root, frames):
    """By finite differences through the lesson's own arithmetic."""
    why = explain(server, frames[4]).json["why"]
    weights = reference.read_layers(root / "models" / "mnist" / "3" / "model.onnx")

    def lead(image):
        for kernel, biases in weights[:-1]:
            image = reference.relu(image @ kernel.astype(float) + biases)
        logits = image @ weights[-1][0].astype(float) + weights[-1][1]
        return logits[why["digit"]] - logits[why["runner_up"]]

    image = frames[4] / 255
    step = 1e-6  # so small that no unit is switched on or off
    for place in np.flatnonzero(image)[::10]:
        less = image.copy()
        less[place] *= 1 - step
        slope = (lead(image) - lead(less)) / step
        assert np.reshape(why["pixels"], 784)[place] == pytest.approx(slope, abs=1e-4)


def test_the_same_image_gets_the_same_answer_in_every_form(server, frames):
    forms = [
        (frames[3].tobytes(), RAW),
        (json.dumps({"instances": [frames[3].tolist()]}).encode(), "application/json"),
    ]
    first, second = (server.post(*form, "/explain").json for form in forms)
    assert first == second


@pytest.mark.parametrize("count", [2, 1024])
def test_a_second_image_is_refused(server, frames, count):
    answer = explain(server, np.resize(frames, (count, 784)))
    assert answer.status == 413
    assert answer.json == {"error": f"found {count} images, expected at most 1"}


def test_no_ink_is_refused(server):
    answer = explain(server, np.zeros(784, np.uint8))
    assert answer.status == 422
    assert "no ink" in answer.json["error"]


def test_raw_floats_are_not_its_reply(server, frames):
    headers = {"Content-Type": RAW, "Accept": RAW}
    answer = server.request("POST", "/explain", frames[0].tobytes(), headers)
    assert answer.headers["Content-Type"] == "application/json"


def test_unknown_version_is_a_404(server, frames):
    assert explain(server, frames[0], "?version=99").status == 404


def begin_with_identity(content):
    """The same network, with a layer of another kind before the others."""
    model = onnx.load_from_string(content)
    model.graph.node[0].input[0] = "same"
    model.graph.node.insert(0, helper.make_node("Identity", ["image"], ["same"]))
    return model.SerializeToString()


def test_kserve_s_path_gives_the_same_reply(server, frames):
    found = server.post(frames[4].tobytes(), RAW, "/v1/models/mnist/versions/1:explain")
    assert found.json == explain(server, frames[4], "?version=1").json


def test_a_network_of_other_layers_predicts_and_is_not_explained(
    start, models, add_version, frames
):
    add_version(2, begin_with_identity)
    server = start(MNIST_MODEL_ROOT=str(models)).wait_ready()
    assert server.post(frames[0].tobytes(), RAW, "/predict?version=2").status == 200
    answer = explain(server, frames[0], "?version=2")
    assert answer.status == 404
    assert "layers of other kinds" in answer.json["error"]
    assert server.request("GET", "/weights?version=2").status == 404
