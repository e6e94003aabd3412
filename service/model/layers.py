"""Read the dense layers of an ONNX file and run them one by one, to look inside a model.

ONNX Runtime returns only the graph's outputs. With the weights from the file, the layers in
between take three lines of NumPy.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

from service.errors import ModelError, RequestError

Array = npt.NDArray[np.float32]

FLOAT = 1  # TensorProto.DataType
ACTIVATIONS = {"Relu": "relu", "Sigmoid": "sigmoid", "Softmax": "softmax"}

# The fields we read, numbered as in onnx.proto (ONNX 1.23); protobuf skips the rest. The
# onnx package, which has them all, is a dependency of training only.
STRING, BYTES, INT32, INT64 = 9, 12, 5, 3  # FieldDescriptorProto.Type
FIELDS: dict[str, dict[str, tuple[int, int | str, bool]]] = {
    "Tensor": {
        "dims": (1, INT64, True),
        "data_type": (2, INT32, False),
        "name": (8, STRING, False),
        "raw_data": (9, BYTES, False),
        "external_data": (13, "Entry", True),
        "data_location": (14, INT32, False),
    },
    "Entry": {},
    "SparseTensor": {"values": (1, "Tensor", False), "indices": (2, "Tensor", False)},
    "Attribute": {
        "t": (5, "Tensor", False),
        "g": (6, "Graph", False),
        "tensors": (10, "Tensor", True),
        "graphs": (11, "Graph", True),
        "sparse_tensor": (22, "SparseTensor", False),
        "sparse_tensors": (23, "SparseTensor", True),
    },
    "Node": {
        "input": (1, STRING, True),
        "output": (2, STRING, True),
        "op_type": (4, STRING, False),
        "attribute": (5, "Attribute", True),
    },
    "Graph": {
        "node": (1, "Node", True),
        "initializer": (5, "Tensor", True),
        "sparse_initializer": (15, "SparseTensor", True),
    },
    "Training": {"initialization": (1, "Graph", False), "algorithm": (2, "Graph", False)},
    "Function": {"node": (7, "Node", True), "attribute": (11, "Attribute", True)},
    "Model": {
        "graph": (7, "Graph", False),
        "training_info": (20, "Training", True),
        "functions": (25, "Function", True),
    },
}


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


def parse(content: bytes) -> Any:
    """Parse an ONNX file, all of whose weights must be in it.

    Raises:
        ModelError: it is no ONNX file, or refers to other files: the manifest's SHA-256
            would not cover them.
    """
    try:
        model = _model()().FromString(content)
    except DecodeError as error:
        raise ModelError(f"model.onnx cannot be read as ONNX: {error}") from error
    for tensor in _tensors(model):
        if tensor.data_location or tensor.external_data:
            raise ModelError(
                f"model.onnx has the values of {tensor.name!r:.100} in another file, "
                "expected all values in model.onnx itself (no external data)"
            )
    return model


def read(model: Any, start: str, end: str) -> list[Layer] | None:
    """Read the layers of a network that consists of dense layers only.

    Args:
        model: from `parse`, already loaded by ONNX Runtime and so known to be valid.
        start: name of the graph's input.
        end: name of its output.

    Returns:
        The layers from input to output; None if the network has any other layer.
    """
    graph = model.graph
    weights = {tensor.name: _values(tensor) for tensor in graph.initializer}
    value, layers = start, []
    if len(graph.node) % 3:
        return None
    # ONNX requires nodes in topological order.
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


def _tensors(message: Any) -> Iterator[Any]:
    """Yield every tensor in a message, wherever it stands."""
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        # A field is a message or a sequence of them.
        for each in [value] if hasattr(value, "DESCRIPTOR") else value:
            if field.message_type.name == "Tensor":
                yield each
            else:
                yield from _tensors(each)


def _values(tensor: Any) -> Array | None:
    if tensor.data_type != FLOAT or not tensor.raw_data:
        return None
    return np.frombuffer(tensor.raw_data, "<f4").reshape(tuple(tensor.dims))


@cache
def _model() -> Any:
    """Return the protobuf class of an ONNX model, built from `FIELDS`."""
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
