"""Requests answered together, without a server."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service import metrics, repository
from service.errors import RequestError
from service.inference import Asked, answer
from service.protocols import Limits, Request, oip, predict, tfserving
from service.settings import Settings

RAW = {"content-type": "application/octet-stream"}
JSON = {"content-type": "application/json"}


@pytest.fixture(scope="module")
def served():
    return repository.load(Settings())


@pytest.fixture(scope="module")
def ask(served):
    counts = metrics.Metrics(served)

    def ask(*requests):
        batch = [Asked(dialect, request, served.default) for dialect, request in requests]
        return answer(batch, counts, Limits())

    return ask


def raw(pixels):
    return predict, Request(np.asarray(pixels, np.uint8).tobytes(), RAW, {})


def columns(pixels):
    body = json.dumps({"inputs": (np.asarray(pixels) / 255).tolist()}).encode()
    return tfserving, Request(body, {}, {})


def test_an_image_gets_the_same_bits_in_every_batch(served, frames):
    images = frames.astype(np.float32) / np.float32(255)
    alone = np.concatenate([served.default.predict(image[None]) for image in images])
    for size in (2, 3, 4, 5, 8, 13, 16, 30):
        for first in range(0, 30, size):
            together = served.default.predict(images[first : first + size])
            assert np.array_equal(together, alone[first : first + size]), size


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.sampled_from([raw, columns]), st.integers(1, 3)), max_size=12))
def test_each_request_of_a_batch_gets_its_own_answer(ask, frames, requests):
    batch, expected = [], []
    for index, (make, count) in enumerate(requests):
        pixels = frames[2 * index : 2 * index + count]
        batch.append(make(pixels))
        expected.append(ask(make(pixels))[0].body)
    assert [reply.body for reply in ask(*batch)] == expected


def test_a_fault_in_one_request_is_no_other_ones(ask, frames):
    good, blank, short = raw(frames[:2]), raw(np.zeros((1, 784))), raw([1, 2, 3])
    results = ask(good, blank, short, good)
    assert [getattr(result, "status", None) for result in results] == [200, 422, 400, 200]
    assert results[0].body == results[3].body == ask(good)[0].body


@pytest.mark.parametrize(
    ("make", "pixels", "message"),
    [
        (raw, np.zeros((1, 784)), "image 0 has no ink: every pixel is 0, expected a digit"),
        (raw, [[0, 255] * 392, [7] * 784], "image 1 has no ink: every pixel is 7"),
        (columns, [[0, 255] * 392, [255] * 784], "image 1 has no ink: every pixel is 1"),
    ],
)
def test_an_image_without_ink_is_refused(ask, make, pixels, message):
    (error,) = ask(make(pixels))
    assert isinstance(error, RequestError)
    assert error.status == 422
    assert message in error.message


def test_an_image_without_ink_is_refused_in_a_tensor(ask):
    text = {"inputs": [{"name": "image", "shape": [1, 784], "datatype": "FP32"}]}
    text["inputs"][0]["data"] = [0.0] * 784
    (error,) = ask((oip, Request(json.dumps(text).encode(), {}, {})))
    assert (error.status, "image 0 has no ink" in error.message) == (422, True)


def test_a_batch_is_counted_request_by_request(served, frames):
    counts = metrics.Metrics(served)
    batch = [Asked(*raw(frames[:n]), served.default) for n in (1, 2, 3)]
    answer([*batch, Asked(*raw([1]), served.default)], counts, Limits())
    totals = counts.totals(served.default.version)
    assert (totals.requests, totals.images, totals.refused) == (3, 6, 1)
