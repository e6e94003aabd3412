"""The dialect of /predict: what the head asks for, and the reply that is made of it."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from service.errors import RequestError
from service.protocols import (
    Batch,
    Predictions,
    predict,
)
from tests.service.protocols.predicting import JSON, RAW, decode, decode_all, dump, image


def encode(batch, probabilities, version=7):
    replies = predict.encode(batch, Predictions.of(probabilities), "mnist", version)
    assert len(replies) == len(batch.counts)
    return replies


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "application/jsonp",
        "image/bmp",
        "image",
        ";image/png",
        "multipart/mixed; boundary=B",
        "application/json; charset=utf-8-sig",
        "application/json; charset=latin-1",
    ],
)
def test_other_content_types_are_refused(content_type):
    with pytest.raises(RequestError, match="expected application/json") as caught:
        decode(dump([image()]), content_type)
    assert caught.value.status == 415


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json;charset=UTF-8",
        "Application/JSON",
        'application/json; x="y"',
        "application/json; charset=utf8",
        'application/json; charset="utf-8"',
        "application/json; charset=us-ascii",
        "application/json; x=charset",
        "application/json;",
    ],
)
def test_content_type_is_read_as_http_says(content_type):
    assert decode(dump([image()]), content_type).pixels.shape == (1, 784)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"echo": "true"}, "echo is 'true', expected frame"),
        ({"verison": "1"}, "query parameter 'verison' is unknown"),
    ],
)
def test_unknown_parameters_are_refused(parameters, message):
    with pytest.raises(RequestError, match=message) as caught:
        decode(dump([image()]), **parameters)
    assert caught.value.status == 400


@given(
    arrays.arrays(np.float32, (6, 10), elements=st.floats(0, 1, width=32)),
    st.sampled_from([[6], [1, 2, 3], [1] * 6]),
)
def test_encode_loses_no_bit(probabilities, counts):
    options = predict.Options(JSON, echo=False, raw=False)
    pixels = np.zeros((6, 784), np.uint8)
    batch = Batch(pixels, counts, [options] * len(counts))
    replies = [json.loads(reply.body) for reply in encode(batch, probabilities)]
    assert [len(reply["predictions"]) for reply in replies] == counts
    assert all(x["model"] == {"name": "mnist", "version": "7"} for x in replies)
    predictions = [found for reply in replies for found in reply["predictions"]]
    for prediction, row in zip(predictions, probabilities, strict=True):
        assert np.array_equal(np.array(prediction["probabilities"], np.float32), row)
        assert prediction["digit"] == row.argmax()
        assert np.float32(prediction["confidence"]) == row.max()


def test_a_raw_reply_is_the_bytes_of_the_probabilities():
    probabilities = np.random.default_rng(1).random((6, 10), np.float32)
    headers = {"content-type": RAW, "accept": f"text/html, {RAW};q=0.9"}
    batch = decode_all([b"\1\2" * 1176] * 2, headers)
    for reply, expected in zip(encode(batch, probabilities), np.split(probabilities, 2)):
        assert reply.content_type == RAW
        assert reply.body == expected.tobytes()


@pytest.mark.parametrize(
    ("content_type", "read_as"),
    [
        ("image/png; charset=binary", "image/png"),
        ("image/jpg", "image/jpeg"),
        ("Image/PJPEG; x=y", "image/jpeg"),
        ("image/x-png", "image/png"),
        (f"{RAW}; charset=binary", RAW),
        ("multipart/form-data; boundary=B; charset=latin-1", "multipart/form-data"),
    ],
)
def test_a_charset_of_bytes_means_nothing(content_type, read_as):
    assert predict.read_head({"content-type": content_type}, {}).content_type == read_as


@pytest.mark.parametrize(
    ("accept", "raw"),
    [
        (RAW, True),
        (f"{RAW}, */*", True),
        (f"{RAW}; q=0.5, text/html", True),
        (f"{RAW.upper()};x=y", True),
        (f"{RAW}, {JSON}", True),
        (f"{RAW};q=0, {JSON}", False),
        (f"{RAW};q=0.0", False),
        (f"{RAW};q=0.5, {JSON}", False),
        (f'text/html;x="{RAW}"', False),
        (f"{RAW}-x", False),
        ("application/*", False),
    ],
)
def test_accept_is_read_as_http_says(accept, raw):
    headers = {"content-type": JSON, "accept": accept}
    assert predict.read_head(headers, {}).raw == raw


def test_a_client_that_accepts_anything_gets_json():
    headers = {"content-type": RAW, "accept": "*/*"}
    batch = decode_all([b"\1\2" * 392], headers)
    (reply,) = encode(batch, np.full((1, 10), 0.1, np.float32))
    assert reply.content_type == JSON


def test_echo_gives_back_the_pixels_that_the_model_saw():
    pixels = np.random.default_rng(1).integers(0, 256, (2, 28, 28), dtype=np.uint8)
    bodies = [dump((image[None] / 255).tolist()) for image in pixels]
    batch = decode_all(bodies, {"content-type": JSON}, echo="frame")
    replies = encode(batch, np.full((2, 10), 0.1, np.float32))
    found = [json.loads(reply.body)["predictions"][0]["frame"] for reply in replies]
    assert found == pixels.tolist()
