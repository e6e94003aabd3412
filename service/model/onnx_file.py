"""Read the parts of an ONNX file that the service needs, without importing protobuf.

That import would take a twentieth of the start. The parser is stricter than the library,
which skips fields of a type that it does not expect.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from service.errors import ModelError

# The fields we read, numbered as in onnx.proto (ONNX 1.23): a number, text, bytes, or
# another message. The onnx package, which has them all, is a dependency of training only.
INT, TEXT, BYTES = "int", "text", "bytes"
FIELDS: dict[str, dict[int, tuple[str, str]]] = {
    "Tensor": {
        1: ("dims", INT),
        2: ("data_type", INT),
        8: ("name", TEXT),
        9: ("raw_data", BYTES),
        13: ("external_data", "Entry"),
        14: ("data_location", INT),
    },
    "Entry": {},
    "SparseTensor": {1: ("values", "Tensor"), 2: ("indices", "Tensor")},
    "Attribute": {
        5: ("t", "Tensor"),
        6: ("g", "Graph"),
        10: ("tensors", "Tensor"),
        11: ("graphs", "Graph"),
        22: ("sparse_tensor", "SparseTensor"),
        23: ("sparse_tensors", "SparseTensor"),
    },
    "Node": {
        1: ("input", TEXT),
        2: ("output", TEXT),
        4: ("op_type", TEXT),
        5: ("attribute", "Attribute"),
    },
    "Graph": {
        1: ("node", "Node"),
        5: ("initializer", "Tensor"),
        15: ("sparse_initializer", "SparseTensor"),
    },
    "Training": {1: ("initialization", "Graph"), 2: ("algorithm", "Graph")},
    "Function": {7: ("node", "Node"), 11: ("attribute", "Attribute")},
    "Model": {
        7: ("graph", "Graph"),
        20: ("training_info", "Training"),
        25: ("functions", "Function"),
    },
}
# Protobuf's wire types, with the sizes of those that have one.
VARINT, LENGTH, SIZES = 0, 2, {1: 8, 5: 4}
MOST_VARINT = 10  # bytes


class Message(NamedTuple):
    """A parsed message.

    Attributes:
        kind: a key of `FIELDS`.
        fields: what was found of each field, in order; empty lists for those left out.
    """

    kind: str
    fields: dict[str, list[Any]]

    def last(self, name: str, default: Any = None) -> Any:
        """Return the last value of a field, which counts where there is one."""
        return (self.fields[name] or [default])[-1]


def parse(content: bytes) -> Message:
    """Parse an ONNX file, all of whose weights must be in it.

    Raises:
        ModelError: it is no ONNX file, or refers to other files: the manifest's SHA-256
            would not cover them.
    """
    try:
        model = _message("Model", memoryview(content))
    except (ValueError, IndexError, RecursionError) as error:
        raise ModelError(f"model.onnx cannot be read as ONNX: {error}") from error
    for tensor in _tensors(model):
        if any(tensor.fields["data_location"]) or tensor.fields["external_data"]:
            raise ModelError(
                f"model.onnx has the values of {tensor.last('name', '')!r:.100} in another "
                "file, expected all values in model.onnx itself (no external data)"
            )
    return model


def _tensors(message: Message) -> Iterator[Message]:
    """Yield every tensor in a message, wherever it stands."""
    for values in message.fields.values():
        for value in values:
            if isinstance(value, Message):
                if value.kind == "Tensor":
                    yield value
                else:
                    yield from _tensors(value)


def _message(kind: str, content: memoryview) -> Message:
    """Parse a message, and the messages in it.

    Raises:
        ValueError: it is none; IndexError if it ends within a number; RecursionError if
            messages are nested too deeply.
    """
    known = FIELDS[kind]
    fields: dict[str, list[Any]] = {name: [] for name, _ in known.values()}
    start = 0
    while start < len(content):
        key, start = _varint(content, start)
        number, wire = key >> 3, key & 7
        size = SIZES.get(wire, 0)
        value, start = _varint(content, start) if wire in (VARINT, LENGTH) else (0, start)
        if wire == LENGTH:
            size = value
        elif wire != VARINT and not size:
            raise ValueError(f"found the wire type {wire}, expected 0, 1, 2 or 5")
        start += size
        if start > len(content):
            raise ValueError(f"found {len(content)} bytes, expected {start}")
        if number in known:
            if wire in SIZES:
                raise ValueError(f"found the wire type {wire}, expected 0 or 2")
            name, type_ = known[number]
            part = content[start - size : start] if wire == LENGTH else None
            fields[name] += _field(type_, value, part)
    return Message(kind, fields)


def _field(kind: str, value: int, part: memoryview | None) -> list[Any]:
    """Return the values of a field: one, or the numbers of a packed list."""
    if kind == INT:
        return [value] if part is None else _packed(part)
    if part is None:
        raise ValueError(f"found a number, expected {kind}")
    if kind == TEXT:
        return [str(part, "utf-8", "surrogateescape")]
    return [part if kind == BYTES else _message(kind, part)]


def _packed(content: memoryview) -> list[int]:
    numbers, start = [], 0
    while start < len(content):
        number, start = _varint(content, start)
        numbers.append(number)
    return numbers


def _varint(content: memoryview, start: int) -> tuple[int, int]:
    """Return a number in groups of seven bits, lowest first, and where it ends."""
    value = 0
    for count in range(MOST_VARINT):
        byte = content[start + count]
        value |= (byte & 0x7F) << 7 * count
        if byte < 0x80:
            return value, start + count + 1
    raise ValueError(f"found a number of more than {MOST_VARINT} bytes")
