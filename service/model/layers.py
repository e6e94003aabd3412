"""Read the dense layers of an ONNX file and run them one by one, to look inside a model.

ONNX Runtime returns only the graph's outputs. With the weights from the file, the layers in
between take three lines of NumPy.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from service.errors import RequestError
from service.model.onnx_file import Message

Array = npt.NDArray[np.float32]

FLOAT = 1  # TensorProto.DataType
ACTIVATIONS = {"Relu": "relu", "Sigmoid": "sigmoid", "Softmax": "softmax"}


class Layer(NamedTuple):
    """A dense layer.

    Attributes:
        kernel: weights, float32 ``[inputs, units]``.
        biases: float32 ``[units]``.
        activation: relu, sigmoid or softmax.
    """

    kernel: Array
    biases: Array
    activation: str


class LayerOutput(NamedTuple):
    """A layer's output for n images.

    Attributes:
        activation: name of the activation function.
        sums: weighted sums plus biases, float32 ``[n, units]``.
        activations: the activation function of the sums, float32 ``[n, units]``.
    """

    activation: str
    sums: Array
    activations: Array


class Contributions(NamedTuple):
    """What makes each image's digit likelier than the runner-up.

    ``leads`` is ``biases`` and all of ``pixels`` together, but for rounding.

    Attributes:
        runners_up: the second most probable digit of each image.
        leads: its distance from the first, as a difference of logits, float64 ``[n]``.
        biases: what the biases add to it, float64 ``[n]``.
        pixels: what each pixel adds to it, float64 ``[n, inputs]``.
    """

    runners_up: list[int]
    leads: npt.NDArray[np.float64]
    biases: npt.NDArray[np.float64]
    pixels: npt.NDArray[np.float64]


def read(model: Message, start: str, end: str) -> list[Layer] | None:
    """Read the layers of a network that consists of dense layers only.

    Args:
        model: from `onnx_file.parse`, already loaded by ONNX Runtime and so known to be
            valid.
        start: name of the graph's input.
        end: name of its output.

    Returns:
        The layers from input to output; None if the network has any other layer.
    """
    if len(model.fields["graph"]) != 1:
        return None
    graph = model.last("graph").fields
    weights = {tensor.last("name"): _values(tensor) for tensor in graph["initializer"]}
    value, layers = start, []
    if len(graph["node"]) % 3:
        return None
    # ONNX requires nodes in topological order.
    for nodes in zip(*[iter(graph["node"])] * 3):
        multiply, add, activate = (node.fields for node in nodes)
        *kinds, activation = (node.last("op_type") for node in nodes)
        if kinds != ["MatMul", "Add"] or activation not in ACTIVATIONS:
            return None
        inputs = multiply["input"][0], add["input"][0], *activate["input"]
        kernel, biases = (weights.get(node["input"][1]) for node in (multiply, add))
        chained = inputs == (value, *multiply["output"], *add["output"])
        if not chained or kernel is None or biases is None:
            return None
        layers.append(Layer(kernel, biases, ACTIVATIONS[activation]))
        (value,) = activate["output"]
    return layers if value == end else None


def forward(layers: Sequence[Layer], images: Array) -> list[LayerOutput]:
    """Run the layers on images.

    Args:
        layers: from input to output.
        images: float32 ``[n, inputs]``.

    Returns:
        The output of each layer, first to last.
    """
    outputs: list[LayerOutput] = []
    for kernel, biases, activation in layers:
        sums = images @ kernel + biases
        images = _activate(sums, activation)
        outputs.append(LayerOutput(activation, sums, images))
    return outputs


def contributions(
    layers: Sequence[Layer],
    outputs: Sequence[LayerOutput],
    images: Array,
    digits: npt.NDArray[np.integer],
) -> Contributions | None:
    """Split the lead of each image's digit over its runner-up among the pixels.

    With the ReLU units that are on for an image, the network before softmax is linear, so
    that each weight can be taken down to the pixels and nothing is left out.

    Args:
        layers: from input to output.
        outputs: what `forward` returned for the images.
        images: float32 ``[n, inputs]``.
        digits: the most probable digit of each image, integers ``[n]``.

    Returns:
        None if a hidden layer is not ReLU.
    """
    *hidden, last = layers
    if any(layer.activation != "relu" for layer in hidden):
        return None
    rows = np.arange(len(images))
    logits = outputs[-1].sums.astype(float)
    others = logits.copy()
    others[rows, digits] = -np.inf
    runners_up = others.argmax(axis=1)
    weights = (last.kernel[:, digits] - last.kernel[:, runners_up]).T.astype(float)
    biases = (last.biases[digits] - last.biases[runners_up]).astype(float)
    for layer, output in zip(reversed(hidden), reversed(outputs[:-1])):
        weights = np.where(output.sums > 0, weights, 0)
        biases += weights @ layer.biases
        weights = weights @ layer.kernel.T
    leads = logits[rows, digits] - logits[rows, runners_up]
    return Contributions(runners_up.tolist(), leads, biases, weights * images)


def to_bytes(layers: Sequence[Layer], dtype: str = "<f4") -> bytes:
    """Return each layer's kernel, row by row, and its biases.

    Args:
        layers: from input to output.
        dtype: of the numbers. In half precision, those from 65,520 on become infinite.
    """
    with np.errstate(over="ignore"):
        return b"".join(
            values.astype(dtype).tobytes() for layer in layers for values in layer[:2]
        )


def not_dense(name: str, version: int) -> RequestError:
    """Return the 404 for a version whose layers cannot be shown."""
    return RequestError(
        404,
        f"model {name!r} version {version} has layers of other kinds, expected dense "
        "layers with relu, sigmoid or softmax",
    )


def _activate(sums: Array, activation: str) -> Array:
    if activation == "relu":
        return np.maximum(sums, 0)
    if activation == "sigmoid":
        return np.float32(1) / (np.float32(1) + np.exp(-sums))
    # Subtract the maximum: exp overflows float32 from 89 on.
    powers = np.exp(sums - sums.max(axis=-1, keepdims=True))
    shares: Array = powers / powers.sum(axis=-1, keepdims=True)
    return shares


def _values(tensor: Message) -> Array | None:
    content = tensor.last("raw_data")
    if tensor.last("data_type") != FLOAT or not content:
        return None
    return np.frombuffer(content, "<f4").reshape(tensor.fields["dims"])
