"""TensorFlow Serving's dialect, with plain bytes and arrays."""

import base64
import contextlib
import io
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from service.errors import RequestError
from service.protocols import Limits, Predictions, scale, tfserving

ONE = [0, 255] * 392


def decode(body):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    found = tfserving.decode(tfserving.read_head({}, {}), [content], Limits(3))
    for error in found.refused.values():
        raise error
    return found


@pytest.mark.parametrize(
    "body",
    [
        {"instances": [ONE]},
        {"instances": [np.reshape(ONE, (28, 28)).tolist()]},
        {"instances": [[x / 255 for x in ONE]]},
        {"instances": [{"image": ONE}]},
        {"instances": [ONE], "signature_name": "serving_default", "context": 5},
        {"instances": [ONE], "signature_name": ""},
        {"instances": [ONE], "signature_name": None, "inputs": None},
        {"inputs": [ONE]},
        {"inputs": {"image": [ONE]}},
    ],
    ids=str,
)
def test_every_form_is_the_same_image(body):
    batch = decode(body)
    assert np.array_equal(scale(batch.pixels), np.float32([ONE]) / np.float32(255))
    key = "predictions" if "instances" in body else "outputs"
    (reply,) = tfserving.encode(
        batch, Predictions.of(np.full((1, 10), 0.1, np.float32)), "mnist", 1
    )
    assert json.loads(reply.body) == {key: [[0.1] * 10]}


@pytest.mark.parametrize("wrap", [lambda x: x, lambda x: {"image": x}])
def test_a_picture_in_base64_is_a_value(frames, wrap):
    buffer = io.BytesIO()
    Image.fromarray(frames[7].reshape(28, 28)).save(buffer, "PNG")
    encoded = {"b64": base64.b64encode(buffer.getvalue()).decode()}
    batch = decode({"instances": [wrap(encoded)]})
    assert np.abs(scale(batch.pixels) * 255 - frames[7]).max() <= 1


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        (b"", 400, "body is not JSON"),
        ({}, 400, "found neither of instances and inputs"),
        ({"instances": [ONE], "inputs": [ONE]}, 400, "found both of instances and inputs"),
        ({"instances": [ONE], "signature_name": "x"}, 400, "signature_name is 'x'"),
        ({"instances": []}, 422, "found 0 images"),
        ({"inputs": []}, 422, "found 0 images"),
        ({"instances": [ONE] * 4}, 413, "found 4 images, expected at most 3"),
        ({"instances": [5]}, 422, "found a number at $.instances[0]"),
        ({"instances": ["x"]}, 422, "got str"),
        ({"instances": [ONE, {"image": ONE}]}, 400, "instance 1 is an object, expected a"),
        (
            {"instances": [{"image": ONE}, ONE]},
            400,
            "instance 1 is a list, expected an obj",
        ),
        ({"instances": [{"input": ONE}]}, 400, "has the keys 'input', expected image"),
        ({"instances": [{"image": "x"}]}, 422, "instance 0 is no image"),
        ({"instances": [{"b64": "?"}]}, 422, "image 0 is not base64"),
        ({"instances": [{"b64": "eA=="}]}, 415, "expected PNG, JPEG"),
        ({"instances": [ONE[:-1]]}, 422, "image 0 has 783 numbers"),
        ({"inputs": {"image": [["a"]]}}, 422, "got str"),
        ({"inputs": [["a"]]}, 422, "got str"),
        ({"inputs": {"image": 5}}, 400, "got int"),
        ({"inputs": {"x": [ONE]}}, 400, "Object contains unknown field x"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_is_no_request_is_refused(body, status, message):
    with pytest.raises(RequestError) as caught:
        decode(body)
    assert message in caught.value.message
    assert caught.value.status == status


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["image", "b64", "x"]), inner, max_size=2)
    ),
    max_leaves=20,
)


@given(
    st.dictionaries(
        st.sampled_from(["instances", "inputs", "signature_name"]), values, max_size=3
    )
    | values
    | st.binary()
)
def test_decode_raises_nothing_but_request_error(body):
    with contextlib.suppress(RequestError):
        decode(body)
