"""Requests answered together, without a server."""

import gc
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service import create_app
from service.errors import RequestError
from service.inference import Call
from service.inference.batch import Answerer
from service.monitoring.counters import Counters
from service.monitoring.metrics import Metrics
from service.protocols import Limits
from service.settings import Settings

RAW = {"content-type": "application/octet-stream"}
JSON = {"content-type": "application/json"}


@pytest.fixture(scope="module")
def inference():
    return create_app(Settings()).extensions["inference"]


@pytest.fixture(scope="module")
def served(inference):
    return inference.repository


@pytest.fixture(scope="module")
def ask(inference):
    """Ask at a path; of each body the reply."""

    def ask(path, headers, *bodies):
        target = inference.target(inference.endpoint(path), "", headers)
        return [it.reply for it in inference.answer([Call(target, b) for b in bodies])]

    return ask


def raw(pixels):
    return np.asarray(pixels, np.uint8).tobytes()


def instances(pixels):
    return json.dumps({"instances": np.asarray(pixels).tolist()}).encode()


def columns(pixels):
    return json.dumps({"inputs": (np.asarray(pixels) / 255).tolist()}).encode()


def tensor(pixels):
    data = (np.asarray(pixels) / 255).reshape(-1).tolist()
    entry = {"name": "image", "shape": [len(pixels), 784], "datatype": "FP32", "data": data}
    return json.dumps({"inputs": [entry]}).encode()


# What is asked, and how.
FORMS = {
    "raw": ("/predict", RAW, raw),
    "json": ("/predict", JSON, instances),
    "v1": ("/v1/models/mnist:predict", {}, columns),
    "v2": ("/v2/models/mnist/infer", {}, tensor),
}


def test_an_image_gets_the_same_bits_in_every_batch(served, frames):
    images = frames.astype(np.float32) / np.float32(255)
    alone = np.concatenate([served.default.predict(image[None]) for image in images])
    for size in (2, 3, 4, 5, 8, 13, 16, 30):
        for first in range(0, 30, size):
            together = served.default.predict(images[first : first + size])
            assert np.array_equal(together, alone[first : first + size]), size


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=20)
@given(counts=st.lists(st.integers(1, 3), min_size=1, max_size=12))
def test_each_request_of_a_batch_gets_its_own_answer(ask, frames, form, counts):
    dialect, headers, make = FORMS[form]
    bodies = [make(frames[2 * i : 2 * i + count]) for i, count in enumerate(counts)]
    expected = [ask(dialect, headers, body)[0].body for body in bodies]
    assert [reply.body for reply in ask(dialect, headers, *bodies)] == expected


@pytest.mark.parametrize("form", FORMS)
def test_a_fault_in_one_request_is_no_other_ones(ask, frames, form):
    dialect, headers, make = FORMS[form]
    good, blank = make(frames[:2]), make(np.zeros((3, 784)))
    results = ask(dialect, headers, good, blank, b"x", make(frames[:1]), good)
    assert [result.status for result in results] == [200, 422, 400, 200, 200]
    assert b"image 0 has no ink" in results[1].body
    assert results[0].body == results[4].body == ask(dialect, headers, good)[0].body
    assert results[3].body == ask(dialect, headers, make(frames[:1]))[0].body


@pytest.mark.parametrize(
    ("form", "pixels", "message"),
    [
        (
            "raw",
            np.zeros((1, 784)),
            "no ink: every pixel is 0, expected a digit",
        ),
        ("raw", [[0, 255] * 392, [7] * 784], "image 1 has no ink: every pixel is 7"),
        ("v1", [[0, 255] * 392, [255] * 784], "image 1 has no ink: every pixel is 1"),
        ("v2", np.zeros((1, 784)), "image 0 has no ink"),
        ("v2", [[0, 0.4] * 392], "image 0 has no ink"),  # black in every picture of it
    ],
)
def test_an_image_without_ink_is_refused(ask, form, pixels, message):
    dialect, headers, make = FORMS[form]
    (reply,) = ask(dialect, headers, make(pixels))
    assert reply.status == 422
    assert message in json.loads(reply.body)["error"]


def test_a_head_that_cannot_be_answered_refuses_every_body(ask):
    results = ask("/predict", {"content-type": "text/plain"}, b"1", b"2")
    assert [result.status for result in results] == [415, 415]


def test_a_batch_is_counted_request_by_request(inference, served, frames):
    version = served.default.version
    counts = Metrics(Counters(), [version], ["predict"])
    target = inference.target(inference.endpoint("/predict"), "", RAW)
    bodies = [*(raw(frames[:n]) for n in (1, 2, 3)), b"\1", raw(np.zeros((1, 784)))]
    Answerer(Limits(), 1 << 22, counts).answer([Call(target, body) for body in bodies])
    totals = counts.totals(version)
    assert (totals.requests, totals.images, totals.refused) == (3, 6, 2)


@pytest.mark.parametrize(
    ("query", "headers"),
    [("version=9", RAW), ("version=x", RAW), ("", {"content-type": "text/plain"})],
)
def test_a_refusal_kept_with_a_target_keeps_no_traceback(inference, query, headers):
    target = inference.target(inference.endpoint("/predict"), query, headers)
    inference.answer([Call(target, b"1")])
    error = target.refusal or target.options
    assert error.__traceback__ is None


REFUSED = {
    "not JSON": ("/predict", JSON, b"{"),
    "key twice": ("/predict", JSON, b'{"instances": [], "instances": []}'),
    "pixel": ("/predict", JSON, instances([[300] + [0] * 783])),
    "short": ("/predict", RAW, b"1"),
    "no picture": ("/predict", {"content-type": "image/png"}, b"\x89PNG\r\n\x1a\nx"),
    "no form": ("/predict", {"content-type": "multipart/form-data; boundary=x"}, b"--x"),
    "not gzip": ("/predict", {**RAW, "content-encoding": "gzip"}, b"x"),
    "v1 rows": ("/v1/models/mnist:predict", {}, b'{"instances": [[1]]}'),
    "v2 values": ("/v2/models/mnist/infer", {}, tensor(np.full((1, 784), 999))),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_a_refusal_keeps_nothing_alive(inference, kind):
    """What was decoded goes at once, and not when the garbage collector happens to run."""
    path, headers, body = REFUSED[kind]
    call = Call(inference.target(inference.endpoint(path), "", headers), body)
    gc.collect()
    gc.disable()
    try:
        statuses = {inference.answer([call, call])[0].reply.status for _ in range(20)}
        left = [x for x in gc.get_objects() if isinstance(x, RequestError)]
        unreachable = gc.collect()
    finally:
        gc.enable()
    assert statuses <= {400, 413, 422}
    assert len([x for x in left if x.status in statuses and x.__traceback__]) == 0
    assert unreachable < 20  # fewer than one object per request
