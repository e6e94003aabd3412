"""ONNX files as protobuf, beside the library ``onnx``."""

import numpy as np
import onnx
import pytest
from google.protobuf.message import DecodeError
from onnx import numpy_helper

from service.errors import ModelError
from service.model import onnx_file
from tests.service.model.test_layers import build


def test_whatever_onnx_cannot_parse_is_refused():
    whole = build(("Relu", ["image"], "probabilities"), shape=(2, 3)).SerializeToString()
    for length in range(len(whole)):
        try:
            onnx.ModelProto.FromString(whole[:length])
        except DecodeError:
            with pytest.raises(ModelError, match="cannot be read as ONNX"):
                onnx_file.parse(whole[:length])
        else:
            onnx_file.parse(whole[:length])


def test_packed_dimensions_are_read_as_those_one_by_one():
    kernel = numpy_helper.from_array(np.ones((300, 2), np.float32), "kernel")
    one_by_one = b"\x08\xac\x02\x08\x02"  # field 1, twice: 300 and 2
    packed = b"\x0a\x03\xac\x02\x02"
    tensor = kernel.SerializeToString()
    assert tensor.startswith(one_by_one)
    for content in (tensor, packed + tensor.removeprefix(one_by_one)):
        graph = b"\x2a" + wire_length(content) + content
        model = onnx_file.parse(b"\x3a" + wire_length(graph) + graph)
        (found,) = model.last("graph").fields["initializer"]
        assert found.fields["dims"] == [300, 2]


def wire_length(content):
    return bytes([len(content) & 0x7F | 0x80, len(content) >> 7])


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(b"\x3b\x3c", "wire type 3, expected", id="group"),
        pytest.param(b"\x38\x01", "found a number, expected Graph", id="type"),
        pytest.param(b"\x3d\0\0\0\0", "wire type 5, expected", id="fixed"),
        pytest.param(b"\x80" * 11, "more than 10 bytes", id="number"),
        pytest.param(b"\x3a\xff\xff\xff\xff\xff\x01", "found 7 bytes", id="length"),
    ],
)
def test_a_field_of_another_type_is_refused(content, reason):
    with pytest.raises(ModelError, match=reason):
        onnx_file.parse(content)


def test_messages_nested_too_deeply_are_refused():
    content = bytes(128)
    for _ in range(400):  # a graph in an attribute of a node of a graph
        for key in b"\x32", b"\x2a", b"\x0a":
            content = key + wire_length(content) + content
    with pytest.raises(ModelError, match="recursion"):
        onnx_file.parse(b"\x3a" + wire_length(content) + content)
