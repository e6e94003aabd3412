import json

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from tests.support.lazy import lazy
from training import evaluate, reference

export = lazy("training.export")
network = lazy("training.network")


@pytest.fixture(scope="module")
def keras_network():
    """A network never fitted, but with biases, which an export must keep."""
    built = network.build()
    rng = np.random.default_rng(5)
    built.set_weights([rng.normal(0, 0.1, w.shape) for w in built.get_weights()])
    return built


@pytest.fixture(scope="module")
def content(keras_network):
    return export.to_onnx(keras_network)


def signature(value):
    tensor = value.type.tensor_type
    dims = [dim.dim_param or dim.dim_value for dim in tensor.shape.dim]
    return value.name, tensor.elem_type, dims


def test_signature_is_the_contracts(content):
    graph = onnx.load_from_string(content).graph
    assert [signature(v) for v in graph.input] == [
        ("image", onnx.TensorProto.FLOAT, ["batch", 784])
    ]
    assert [signature(v) for v in graph.output] == [
        ("probabilities", onnx.TensorProto.FLOAT, ["batch", 10])
    ]


def test_only_standard_operators_and_no_external_data(content):
    model = onnx.load_from_string(content)
    assert [(o.domain, o.version) for o in model.opset_import] == [("", export.OPSET)]
    assert {node.domain for node in model.graph.node} == {""}
    assert not any(
        onnx.external_data_helper.uses_external_data(t) for t in model.graph.initializer
    )


def named(model):
    nodes = [node.name for node in model.graph.node]
    return nodes, {t.name: list(t.dims) for t in model.graph.initializer}


def test_nodes_and_weights_are_named_after_their_layers(content):
    nodes, weights = named(onnx.load_from_string(content))
    layers = {"hidden_1": "Relu", "hidden_2": "Relu", "probabilities": "Softmax"}
    assert nodes == [
        f"{layer}/{kind}"
        for layer, activation in layers.items()
        for kind in ("MatMul", "Add", activation)
    ]
    assert weights == {
        "hidden_1/kernel": [784, 128],
        "hidden_1/bias": [128],
        "hidden_2/kernel": [128, 64],
        "hidden_2/bias": [64],
        "probabilities/kernel": [64, 10],
        "probabilities/bias": [10],
    }


def test_shipped_file_has_these_names_and_its_manifests_metadata(content, shipped):
    model = onnx.load(shipped / "model.onnx")
    manifest = json.loads((shipped / "manifest.json").read_text())
    assert named(model) == named(onnx.load_from_string(content))
    props = {entry.key: entry.value for entry in model.metadata_props}
    assert json.loads(props["labels"]) == manifest["labels"] == list("0123456789")
    assert props["input"].startswith("float32 [batch, 784]: 28 × 28 pixels row by row, 0 ")
    assert props["recipe"] == manifest["recipe"]["name"]
    assert props["version"] == str(manifest["version"]) == str(model.model_version)
    assert props["license"] == "Apache-2.0"
    assert props["dataset"] == "MNIST"


def test_same_network_gives_the_same_bytes(keras_network, content):
    assert export.to_onnx(keras_network) == content


def test_numpy_agrees_with_the_exported_file(content, noise, tmp_path):
    (tmp_path / "model.onnx").write_bytes(content)
    expected = reference.forward(
        reference.read_layers(tmp_path / "model.onnx"), noise / 255
    )
    assert np.abs(evaluate.probabilities(content, noise) - expected).max() <= 1e-5


def test_parity_accepts_the_export_and_returns_the_difference(
    keras_network, content, noise
):
    assert export.check_parity(keras_network, content, noise) <= export.TOLERANCE


@pytest.mark.parametrize("shift", [1e-3, float("nan")])
def test_parity_refuses_a_file_that_answers_differently(
    keras_network, content, noise, shift
):
    model = onnx.load_from_string(content)
    (bias,) = [t for t in model.graph.initializer if list(t.dims) == [10]]
    changed = numpy_helper.to_array(bias).copy()
    changed[3] += shift
    bias.CopyFrom(numpy_helper.from_array(changed, bias.name))
    with pytest.raises(
        export.ExportError, match="at batch 1, ONNX Runtime and Keras differ"
    ):
        export.check_parity(keras_network, model.SerializeToString(), noise)
