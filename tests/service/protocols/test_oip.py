"""The Open Inference Protocol's dialect, with plain bytes and arrays."""

import contextlib
import json
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from service.errors import RequestError
from service.protocols import Limits, Predictions, oip, scale, tensors

ONE = [0, 255] * 392
LENGTH = oip.LENGTH.lower()
PROBABILITIES = np.float32([[0.25, 0.5, *[0.03125] * 8], [0.125] * 8 + [0, 0]])


def ask(tensor, binary=b"", **others):
    """Return headers and body of one input named image, with bytes after the JSON."""
    filled = {"name": "image", "shape": [1, 784], "datatype": "UINT8", **tensor}
    text = json.dumps({"inputs": [filled], **others}).encode()
    return {LENGTH: str(len(text))} if binary else {}, text + binary


def decode(request):
    """Return what one request asks for, or raise why it is refused."""
    headers, body = request
    found = oip.decode(oip.read_head(headers, {}), [body], Limits(3))
    for error in found.refused.values():
        raise error
    return found


def encode(batch, probabilities, version=1):
    (reply,) = oip.encode(batch, Predictions.of(probabilities), "mnist", version)
    return reply


def scaled(pixels):
    return np.asarray(pixels).astype(np.float32).reshape(-1, 784) / np.float32(255)


pixels = arrays.arrays(np.uint8, st.tuples(st.integers(1, 3), st.just(784))).map(
    lambda found: np.concatenate([[[0, 255]] * len(found), found[:, 2:]], axis=1)
)


@given(pixels, st.sampled_from(["UINT8", "UINT16", "UINT64", "INT16", "INT64"]))
def test_integers_are_0_to_255_in_json_and_in_binary(found, datatype):
    for data in (found.tolist(), found.reshape(-1).tolist()):
        tensor = {"shape": list(found.shape), "datatype": datatype, "data": data}
        assert np.array_equal(scale(decode(ask(tensor)).pixels), scaled(found))
    binary = found.astype(tensors.DATATYPES[datatype]).tobytes()
    tensor = {"shape": list(found.shape), "datatype": datatype}
    tensor["parameters"] = {"binary_data_size": len(binary)}
    assert np.array_equal(scale(decode(ask(tensor, binary)).pixels), scaled(found))


@given(pixels, st.sampled_from(["FP32", "FP64"]))
def test_floating_point_is_0_to_1_in_json_and_in_binary(found, datatype):
    values = scaled(found)
    tensor = {"shape": list(found.shape), "datatype": datatype, "data": values.tolist()}
    assert np.array_equal(scale(decode(ask(tensor)).pixels), values)
    binary = values.astype(tensors.DATATYPES[datatype]).tobytes()
    tensor = {"shape": list(found.shape), "datatype": datatype}
    tensor["parameters"] = {"binary_data_size": len(binary)}
    assert np.array_equal(scale(decode(ask(tensor, binary)).pixels), values)


def test_fp16_is_for_binary():
    binary = np.float16([x / 255 for x in ONE]).tobytes()
    tensor = {"datatype": "FP16", "parameters": {"binary_data_size": len(binary)}}
    assert decode(ask(tensor, binary)).pixels.shape == (1, 784)


def test_the_raw_form_is_nothing_but_float32():
    batch = decode(({LENGTH: "0"}, scaled(ONE).tobytes()))
    assert np.array_equal(batch.pixels, scaled(ONE))
    reply = encode(batch, PROBABILITIES[:1])
    assert reply.body[int(dict(reply.headers)[oip.LENGTH]) :] == PROBABILITIES[:1].tobytes()


def reply_to(**others):
    batch = decode(ask({"shape": [2, 784], "data": ONE * 2}, **others))
    return encode(batch, PROBABILITIES, version=7)


def test_a_reply_in_json_is_flat_and_has_the_id():
    assert json.loads(reply_to(id="q").body) == {
        "model_name": "mnist",
        "model_version": "7",
        "id": "q",
        "outputs": [
            {
                "name": "probabilities",
                "datatype": "FP32",
                "shape": [2, 10],
                "data": PROBABILITIES.reshape(-1).tolist(),
            }
        ],
    }


@pytest.mark.parametrize(
    ("everywhere", "output", "binary"),
    [
        (None, None, False),
        (True, None, True),
        (None, {}, False),
        (True, {}, True),
        (True, {"binary_data": False}, False),
        (None, {"binary_data": True}, True),
    ],
)
def test_binary_is_asked_for_at_once_or_for_each_output(everywhere, output, binary):
    others = {} if everywhere is None else {"parameters": {"binary_data_output": True}}
    if output is not None:
        others["outputs"] = [{"name": "probabilities", "parameters": output}]
    reply = reply_to(**others)
    assert (reply.content_type == "application/octet-stream") == binary
    if binary:
        length = int(dict(reply.headers)[oip.LENGTH])
        (described,) = json.loads(reply.body[:length])["outputs"]
        assert described["parameters"] == {"binary_data_size": 80}
        assert "data" not in described
        assert reply.body[length:] == PROBABILITIES.tobytes()
    else:
        assert oip.LENGTH not in dict(reply.headers)


def test_classification_is_value_index_label_best_first():
    output = {"name": "probabilities", "parameters": {"classification": 2}}
    (found,) = json.loads(reply_to(outputs=[output]).body)["outputs"]
    assert (found["datatype"], found["shape"]) == ("BYTES", [2, 2])
    assert found["data"] == [
        "0.500000:1:1",
        "0.250000:0:0",
        "0.125000:0:0",  # equal values: the lower index first
        "0.125000:1:1",
    ]


def test_classification_in_binary_has_the_length_before_each_text():
    parameters = {"classification": 1, "binary_data": True}
    reply = reply_to(outputs=[{"name": "probabilities", "parameters": parameters}])
    texts = [b"0.500000:1:1", b"0.125000:0:0"]
    expected = b"".join(struct.pack("<I", len(text)) + text for text in texts)
    assert reply.body[int(dict(reply.headers)[oip.LENGTH]) :] == expected


def output(**fields):
    return {"data": ONE}, b"", {"outputs": [{"name": "probabilities", **fields}]}


@pytest.mark.parametrize(
    ("tensor", "binary", "others", "status", "message"),
    [
        ({}, b"", {}, 400, "neither of data and binary_data_size"),
        ({"data": ONE, "parameters": {"binary_data_size": 1}}, b"x", {}, 400, "has both"),
        ({"data": ONE}, b"x", {}, 400, "found 1 bytes after the JSON"),
        ({"parameters": {"binary_data_size": 9}}, b"x", {}, 400, "is 9, expected 1"),
        ({"parameters": {"binary_data_size": 1}}, b"x", {}, 400, "expected a multiple of"),
        ({"parameters": {"shared_memory_region": "r"}}, b"", {}, 400, "shared memory"),
        (
            {"name": "input", "data": ONE},
            b"",
            {},
            400,
            "inputs are ['input'], expected one",
        ),
        ({"data": ONE, "datatype": "BYTES"}, b"", {}, 400, "is 'BYTES', expected one of"),
        ({"data": ONE, "datatype": "FP16"}, b"", {}, 400, "found FP16 as JSON"),
        ({"data": ONE, "shape": [2, 784]}, b"", {}, 422, "is [2, 784] with 784 values"),
        ({"data": ONE, "shape": [784]}, b"", {}, 422, "is [784] with 784 values"),
        ({"data": ONE, "shape": [1, -784]}, b"", {}, 422, "is [1, -784]"),
        ({"data": ONE[1:]}, b"", {}, 422, "with 783 values"),
        ({"data": [], "shape": [0, 784]}, b"", {}, 422, "found 0 images"),
        ({"data": ONE * 4, "shape": [4, 784]}, b"", {}, 413, "found 4 images"),
        ({"data": [ONE[1:]]}, b"", {}, 422, "1 rows that are not all of 784"),
        ({"data": [1, [2]]}, b"", {}, 422, "lists beside numbers"),
        ({"data": [0.5, *ONE[1:]]}, b"", {}, 422, "has fractions"),
        (
            {"data": [256, *ONE[1:]]},
            b"",
            {},
            422,
            "pixel 0 of image 0 is 256, expected 0 to",
        ),
        ({"data": [10**400, *ONE[1:]]}, b"", {}, 422, "is inf, expected 0 to 255"),
        ({"data": [-1, *ONE[1:]], "datatype": "INT8"}, b"", {}, 422, "is -1, expected 0"),
        ({"data": ONE, "datatype": "FP32"}, b"", {}, 422, "is 255, expected 0 to 1 (FP32)"),
        ({"data": [True, *ONE[1:]]}, b"", {}, 422, "got bool"),
        (*output(parameters={"classification": -1}), 400, "classification is -1"),
        (*output(parameters={"binary_data": 1}), 400, "binary_data is 1, expected true or"),
        ({"data": ONE}, b"", {"outputs": [{"name": "x"}]}, 400, "output 0 is 'x'"),
        ({"data": ONE}, b"", {"id": 5}, 400, "Expected str | null, got int"),
    ],
    ids=lambda value: str(value)[:25],
)
def test_what_is_no_request_is_refused(tensor, binary, others, status, message):
    with pytest.raises(RequestError) as caught:
        decode(ask(tensor, binary, **others))
    assert message in caught.value.message
    assert caught.value.status == status
    assert len(caught.value.message) < 300


def test_what_is_told_of_a_fault_does_not_depend_on_what_follows():
    deep = b'{"inputs": [{"name": "image", "datatype": "FP32", "shape": [1, 784], "data": '
    with pytest.raises(RequestError, match=r"got object - at \$\.inputs\[0\]\.data\[0\]"):
        decode(({}, deep + b'[{}], "x": ' + b"[" * 100_000))


@pytest.mark.parametrize("length", ["-1", "x", "9999", "٣", "1" * 11])
def test_a_length_of_the_json_that_cannot_be_is_refused(length):
    with pytest.raises(RequestError, match="Inference-Header-Content-Length is") as caught:
        decode(({LENGTH: length}, b"{}"))
    assert caught.value.status == 400


@pytest.mark.parametrize("data", [["aGVsbG8="], "aGVsbG8=", [["aGVsbG8="]], None])
def test_an_unserved_datatype_is_what_is_wrong_with_its_data(data):
    """Clients of Triton send pictures so."""
    with pytest.raises(RequestError, match="'BYTES', expected one of: FP16, ") as caught:
        decode(ask({"data": data, "datatype": "BYTES", "shape": [1]}))
    assert caught.value.status == 400
    assert "PNG and JPEG go to /predict" in caught.value.message


@pytest.mark.parametrize(
    ("fields", "others"),
    [
        ({}, {"parameters": None}),
        ({"parameters": None}, {}),
        ({"parameters": {"binary_data_size": None}}, {}),
        ({"parameters": {"shared_memory_region": None}}, {}),
        ({}, {"id": None, "outputs": None}),
        ({}, {"parameters": {"binary_data_output": None}}),
        ({}, {"outputs": [{"name": "probabilities", "parameters": None}]}),
        (
            {},
            {
                "outputs": [
                    {
                        "name": "probabilities",
                        "parameters": {"binary_data": None, "classification": None},
                    }
                ]
            },
        ),
    ],
)
def test_null_is_as_if_left_out(fields, others):
    found = encode(decode(ask({"data": ONE, **fields}, **others)), PROBABILITIES[:1])
    assert found == encode(decode(ask({"data": ONE})), PROBABILITIES[:1])


@pytest.mark.parametrize(
    ("datatype", "value", "written"),
    [
        ("FP64", 1.0000001, "1.0000001"),
        ("FP64", 1 + 2**-52, "1.0000000000000002"),
        ("FP32", 1 + 2**-23, "1.0000001"),
        ("FP32", -1e-9, "-1e-09"),
    ],
)
def test_a_pixel_out_of_range_is_told_in_all_its_digits(datatype, value, written):
    binary = np.array([value, *[0] * 783], tensors.DATATYPES[datatype]).tobytes()
    tensor = {"datatype": datatype, "parameters": {"binary_data_size": len(binary)}}
    with pytest.raises(RequestError, match=f" is {written}, expected 0 to 1"):
        decode(ask(tensor, binary))


def test_nan_in_binary_is_refused():
    binary = np.float32([np.nan, *ONE[1:]]).tobytes()
    with pytest.raises(RequestError, match="pixel 0 of image 0 is nan") as caught:
        decode(({LENGTH: "0"}, binary))
    assert caught.value.status == 422


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=4), inner, max_size=2)
    ),
    max_leaves=10,
)
fields = st.fixed_dictionaries(
    {},
    optional={
        "name": st.just("image") | values,
        "shape": st.lists(st.sampled_from([0, 1, 2, 784, -1])) | values,
        "datatype": st.sampled_from([*tensors.DATATYPES, "BYTES"]) | values,
        "data": st.just(ONE) | values,
        "parameters": st.dictionaries(
            st.sampled_from(["binary_data_size", "x"]), st.sampled_from([0, 784]) | values
        ),
    },
)


@given(fields, st.binary(max_size=8) | st.just(bytes(784)), values, st.integers(-1, 900))
def test_decode_raises_nothing_but_request_error(tensor, binary, outputs, length):
    for request in (
        ask(tensor, binary),
        ask(tensor, outputs=outputs),
        ({LENGTH: str(length)}, ask(tensor, binary)[1]),
        ({LENGTH: "0"}, binary),
    ):
        with contextlib.suppress(RequestError):
            decode(request)
