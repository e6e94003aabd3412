"""The lesson's pieces in NumPy, and with them the whole network.

Nothing here knows Keras or ONNX Runtime: it is what their answers are compared with.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import onnx
from onnx import numpy_helper

Array = npt.NDArray[np.floating]


class Layer(NamedTuple):
    """A dense layer: weights ``[inputs, units]`` and biases ``[units]``."""

    weights: Array
    biases: Array


def neuron(inputs: npt.ArrayLike, weights: npt.ArrayLike, bias: float) -> float:
    """Return a neuron's output: the sigmoid of its weighted sum plus its bias.

    The lesson's example:

    >>> round(neuron([0.5, 0.3, 0.2], [0.4, 0.6, 0.8], 0.1), 4)
    0.6548
    """
    return float(sigmoid(np.dot(inputs, weights) + bias))


def sigmoid(z: npt.ArrayLike) -> Array:
    """Return 1 / (1 + e^-z), elementwise; any shape, without overflow."""
    z = np.asarray(z, dtype=np.float64)
    e = np.exp(-np.abs(z))
    values: Array = np.where(z >= 0, 1, e) / (1 + e)
    return values


def relu(z: npt.ArrayLike) -> Array:
    """Return max(0, z), elementwise; any shape."""
    values: Array = np.maximum(np.asarray(z), 0)
    return values


def softmax(z: npt.ArrayLike) -> Array:
    """Return e^z / Σ e^z along the last axis: positive, and adding up to 1.

    The largest z is taken off first, which changes nothing but keeps e^z finite.
    """
    z = np.asarray(z, dtype=np.float64)
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    probabilities: Array = e / e.sum(axis=-1, keepdims=True)
    return probabilities


def forward(layers: list[Layer], images: npt.ArrayLike) -> Array:
    """Return the network's probabilities: ReLU after each layer, softmax after the last.

    Args:
        layers: the dense layers, first to last.
        images: ``[n, 784]``, pixels 0 to 1.

    Returns:
        float64 ``[n, 10]``.
    """
    values: Array = np.asarray(images, dtype=np.float64)
    for layer in layers[:-1]:
        values = relu(values @ layer.weights + layer.biases)
    return softmax(values @ layers[-1].weights + layers[-1].biases)


def read_layers(path: Path) -> list[Layer]:
    """Read the dense layers out of an ONNX file of MatMul and Add nodes.

    tf2onnx leaves an Add out where every bias is zero, as in a network never fitted.
    """
    graph = onnx.load(path).graph
    tensors = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
    layers: list[Layer] = []
    for node in graph.node:
        constants = [tensors[name] for name in node.input if name in tensors]
        if node.op_type == "MatMul":
            layers.append(Layer(constants[0], np.zeros(constants[0].shape[1])))
        elif node.op_type == "Add":
            layers[-1] = layers[-1]._replace(biases=constants[0])
    return layers
