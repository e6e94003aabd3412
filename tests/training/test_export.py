import json

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from training import evaluate, export, network, reference


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


def test_same_network_gives_the_same_bytes(keras_network, content):
    assert export.to_onnx(keras_network) == content


def test_numpy_agrees_with_the_exported_file(content, noise, tmp_path):
    (tmp_path / "model.onnx").write_bytes(content)
    expected = reference.forward(
        reference.read_layers(tmp_path / "model.onnx"), noise / 255
    )
    assert np.abs(evaluate.probabilities(content, noise) - expected).max() <= 1e-5


def test_parity_accepts_the_export_and_tells_the_difference(keras_network, content, noise):
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


def test_write_version_adds_hash_and_signature(tmp_path, content, version_1):
    folder = tmp_path / "mnist" / "3"
    export.write_version(folder, content, {"date": "2026-01-01"})
    manifest = json.loads((folder / "manifest.json").read_text())
    assert (folder / "model.onnx").read_bytes() == content
    assert (manifest["name"], manifest["version"]) == ("mnist", 3)
    shipped = json.loads((version_1 / "manifest.json").read_text())
    assert (manifest["input"], manifest["output"]) == (shipped["input"], shipped["output"])
    assert sorted(path.name for path in folder.iterdir()) == ["manifest.json", "model.onnx"]
    assert [path.name for path in folder.parent.iterdir()] == ["3"]


def test_write_version_keeps_what_is_there_unless_forced(tmp_path):
    folder = tmp_path / "mnist" / "1"
    export.write_version(folder, b"first", {})
    with pytest.raises(export.ExportError, match="exists; choose another --version"):
        export.write_version(folder, b"second", {})
    assert (folder / "model.onnx").read_bytes() == b"first"
    export.write_version(folder, b"second", {}, force=True)
    assert (folder / "model.onnx").read_bytes() == b"second"
    assert [path.name for path in folder.parent.iterdir()] == ["1"]
