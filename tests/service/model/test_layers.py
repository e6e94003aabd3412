"""The layers in a file: ONNX's own reader and ONNX Runtime's own steps are the oracles."""

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper

from service.model import layers, onnx_file

IMAGES = np.random.default_rng(3).random((5, 784), np.float32)


@pytest.fixture
def content(shipped):
    return (shipped / "model.onnx").read_bytes()


def build(*nodes, shape=(784, 3)):
    """A graph from image to probabilities, with a kernel, biases and the nodes."""
    random = np.random.default_rng(5)
    weights = {"kernel": random.random(shape), "biases": random.random(shape[-1:])}
    graph = helper.make_graph(
        [helper.make_node(kind, inputs, [output]) for kind, inputs, output in nodes],
        "graph",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 784])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(v.astype(np.float32), k) for k, v in weights.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])


def test_kernels_and_biases_are_those_that_onnx_reads(content):
    graph = onnx.load_from_string(content).graph
    expected = {tuple(t.dims): numpy_helper.to_array(t) for t in graph.initializer}
    found = layers.read(onnx_file.parse(content), "image", "probabilities")
    assert [layer.activation for layer in found] == ["relu", "relu", "softmax"]
    for layer in found:
        np.testing.assert_array_equal(layer.kernel, expected[layer.kernel.shape])
        np.testing.assert_array_equal(layer.biases, expected[layer.biases.shape])


def test_sums_and_activations_are_those_of_onnx_runtime(content):
    model = onnx.load_from_string(content)
    names = [node.output[0] for node in model.graph.node if node.op_type != "MatMul"]
    for name in names[:-1]:
        model.graph.output.append(
            helper.make_tensor_value_info(name, TensorProto.FLOAT, None)
        )
    session = ort.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    expected = session.run(names, {"image": IMAGES})
    found = layers.forward(
        layers.read(onnx_file.parse(content), "image", "probabilities"), IMAGES
    )
    for ours, theirs in zip([v for outcome in found for v in outcome[1:]], expected):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5)


def test_bytes_are_kernel_and_biases_layer_by_layer(content):
    graph = onnx.load_from_string(content).graph
    by_shape = {tuple(t.dims): numpy_helper.to_array(t) for t in graph.initializer}
    order = [(784, 128), (128,), (128, 64), (64,), (64, 10), (10,)]
    expected = np.concatenate([by_shape[shape].reshape(-1) for shape in order])
    found = np.frombuffer(
        layers.to_bytes(layers.read(onnx_file.parse(content), "image", "probabilities")),
        "<f4",
    )
    np.testing.assert_array_equal(found, expected)


def test_sigmoid_layers_are_read_too():
    model = build(
        ("MatMul", ["image", "kernel"], "product"),
        ("Add", ["product", "biases"], "sum"),
        ("Sigmoid", ["sum"], "probabilities"),
    )
    (layer,) = layers.read(
        onnx_file.parse(model.SerializeToString()), "image", "probabilities"
    )
    (outcome,) = layers.forward([layer], IMAGES)
    session = ort.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    (expected,) = session.run(None, {"image": IMAGES})
    np.testing.assert_allclose(outcome.activations, expected, rtol=1e-5)


@pytest.mark.parametrize(
    "nodes",
    [
        pytest.param(
            [
                ("Identity", ["image"], "same"),
                ("Identity", ["same"], "again"),
                ("Softmax", ["again"], "probabilities"),
            ],
            id="other kinds",
        ),
        pytest.param([("MatMul", ["image", "kernel"], "probabilities")], id="no biases"),
        pytest.param(
            [
                ("MatMul", ["image", "kernel"], "product"),
                ("Add", ["product", "biases"], "sum"),
                ("Tanh", ["sum"], "probabilities"),
            ],
            id="another activation",
        ),
        pytest.param(
            [
                ("MatMul", ["image", "kernel"], "product"),
                ("Add", ["product", "product"], "sum"),
                ("Softmax", ["sum"], "probabilities"),
            ],
            id="a sum of two values",
        ),
        pytest.param(
            [
                ("MatMul", ["image", "kernel"], "product"),
                ("Add", ["product", "biases"], "sum"),
                ("Softmax", ["product"], "probabilities"),
            ],
            id="a way past the biases",
        ),
        pytest.param(
            [
                ("MatMul", ["image", "kernel"], "product"),
                ("Add", ["product", "biases"], "sum"),
                ("Softmax", ["sum"], "elsewhere"),
            ],
            id="another end",
        ),
    ],
)
def test_what_is_not_dense_layers_alone_is_not_read(nodes):
    content = build(*nodes).SerializeToString()
    assert layers.read(onnx_file.parse(content), "image", "probabilities") is None


def test_softmax_of_huge_sums_is_no_overflow():
    layer = layers.Layer(
        np.full((1, 2), 500, np.float32), np.zeros(2, np.float32), "softmax"
    )
    (outcome,) = layers.forward([layer], np.ones((1, 1), np.float32))
    np.testing.assert_array_equal(outcome.activations, [[0.5, 0.5]])
