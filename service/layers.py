"""The dense layers in a model's file, for those who want to look inside it.

ONNX Runtime gives out what the graph ends in and nothing on the way. The weights are in the
file, and with them the way is three lines of NumPy.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

Array = npt.NDArray[np.float32]

FLOAT = 1  # TensorProto.DataType
ACTIVATIONS = {"Relu": "relu", "Sigmoid": "sigmoid", "Softmax": "softmax"}

# What is read of a file, with the field numbers of onnx.proto (ONNX 1.23); protobuf skips
# the rest. The package onnx, which has them all, is training's.
STRING, BYTES, INT32, INT64 = 9, 12, 5, 3  # FieldDescriptorProto.Type
FIELDS: dict[str, dict[str, tuple[int, int | str, bool]]] = {
    "Tensor": {
        "dims": (1, INT64, True),
        "data_type": (2, INT32, False),
        "name": (8, STRING, False),
        "raw_data": (9, BYTES, False),
    },
    "Node": {
        "input": (1, STRING, True),
        "output": (2, STRING, True),
        "op_type": (4, STRING, False),
    },
    "Graph": {"node": (1, "Node", True), "initializer": (5, "Tensor", True)},
    "Model": {"graph": (7, "Graph", False)},
}


class Layer(NamedTuple):
    """A dense layer.

    Attributes:
        kernel: its weights, float32 ``[inputs, units]``.
        biases: float32 ``[units]``.
        activation: relu, sigmoid or softmax.
    """

    kernel: Array
    biases: Array
    activation: str


class Outcome(NamedTuple):
    """What a layer makes of images.

    Attributes:
        sums: weighted sums and biases, float32 ``[n, units]``.
        activations: what the activation makes of them, float32 ``[n, units]``.
    """

    sums: Array
    activations: Array


def read(content: bytes, start: str, end: str) -> list[Layer] | None:
    """Read the layers of a network that is dense layers and nothing else.

    Args:
        content: an ONNX file that ONNX Runtime has loaded.
        start: the name of the graph's input.
        end: the name of its output.

    Returns:
        The layers from input to output; None if the network has another form.
    """
    graph = _model()().FromString(content).graph
    weights = {tensor.name: _values(tensor) for tensor in graph.initializer}
    value, layers = start, []
    if len(graph.node) % 3:
        return None
    # A file's nodes are in an order in which each has its inputs.
    for multiply, add, activate in zip(*[iter(graph.node)] * 3):
        kinds = multiply.op_type, add.op_type
        if kinds != ("MatMul", "Add") or activate.op_type not in ACTIVATIONS:
            return None
        inputs = multiply.input[0], add.input[0], *activate.input
        kernel, biases = (weights.get(node.input[1]) for node in (multiply, add))
        chained = inputs == (value, *multiply.output, *add.output)
        if not chained or kernel is None or biases is None:
            return None
        layers.append(Layer(kernel, biases, ACTIVATIONS[activate.op_type]))
        (value,) = activate.output
    return layers if value == end else None


def forward(layers: Sequence[Layer], images: Array) -> list[Outcome]:
    """Go through the layers.

    Args:
        layers: from input to output.
        images: float32 ``[n, inputs]``.

    Returns:
        What each layer makes of what the one before it gives.
    """
    outcomes: list[Outcome] = []
    for kernel, biases, activation in layers:
        sums = images @ kernel + biases
        images = _activate(sums, activation)
        outcomes.append(Outcome(sums, images))
    return outcomes


def to_bytes(layers: Sequence[Layer]) -> bytes:
    """Return each layer's kernel, row by row, and its biases, float32 little-endian."""
    return b"".join(
        values.astype("<f4").tobytes() for layer in layers for values in layer[:2]
    )


def _activate(sums: Array, activation: str) -> Array:
    if activation == "relu":
        return np.maximum(sums, 0)
    if activation == "sigmoid":
        return np.float32(1) / (np.float32(1) + np.exp(-sums))
    # Without the largest sum, e to the power of it would overflow from 89 on.
    powers = np.exp(sums - sums.max(axis=-1, keepdims=True))
    shares: Array = powers / powers.sum(axis=-1, keepdims=True)
    return shares


def _values(tensor: Any) -> Array | None:
    if tensor.data_type != FLOAT or not tensor.raw_data:
        return None
    return np.frombuffer(tensor.raw_data, "<f4").reshape(tuple(tensor.dims))


@cache
def _model() -> Any:
    """Return the class that reads a file: protobuf makes it from the fields above."""
    file = descriptor_pb2.FileDescriptorProto(name="onnx.proto", package="onnx")
    for title, fields in FIELDS.items():
        message = file.message_type.add(name=title)
        for name, (number, kind, repeated) in fields.items():
            field = message.field.add(name=name, number=number, label=3 if repeated else 1)
            if isinstance(kind, str):
                field.type, field.type_name = 11, f".onnx.{kind}"  # a message
            else:
                field.type = kind
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("onnx.Model"))
