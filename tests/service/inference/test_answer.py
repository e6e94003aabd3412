"""Requests that are answered at the same time, whatever they ask for."""

import gzip
import json
from time import perf_counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service import create_app
from service.inference import Call
from service.inference.batch import Answerer
from service.inference.deadline import HEADER
from service.protocols.oip import LENGTH
from service.settings import Settings

JSON, RAW = (
    {"content-type": "application/json"},
    {"content-type": "application/octet-stream"},
)
FLOATS = {**RAW, "accept": "application/octet-stream"}
GZIP = {**RAW, "content-encoding": "gzip"}
INFER, TFS = "/v2/models/mnist/infer", "/v1/models/mnist:predict"


def rows(images):
    return json.dumps({"instances": images.tolist()}).encode()


def tensor(images):
    entry = {"name": "image", "datatype": "UINT8", "shape": list(images.shape)}
    return json.dumps({"inputs": [{**entry, "data": images.tolist()}], "id": "i"}).encode()


# Path, query, headers, and the body of some images.
KINDS = {
    "raw": ("/predict", "", RAW, lambda x: x.tobytes()),
    "floats": ("/predict", "", FLOATS, lambda x: x.tobytes()),
    "json": ("/predict", "", JSON, rows),
    "fractions": ("/predict", "", JSON, lambda x: rows(x / 255)),
    "echo": ("/predict", "echo=frame", JSON, rows),
    "gzip": ("/predict", "", GZIP, lambda x: gzip.compress(x.tobytes())),
    "no gzip": ("/predict", "", GZIP, lambda x: x.tobytes()),
    "rows": (TFS, "", JSON, rows),
    "tensor": (INFER, "", JSON, tensor),
    "no tensor": (INFER, "", {LENGTH.lower(): "9"}, lambda x: b"{}"),
    "blank": ("/predict", "", RAW, lambda x: bytes(784 * len(x))),
    "short": ("/predict", "", RAW, lambda x: x.tobytes()[1:]),
    "not JSON": ("/predict", "", JSON, lambda x: b"{"),
    "no version": ("/predict", "version=9", RAW, lambda x: x.tobytes()),
    "no type": ("/predict", "", {}, lambda x: x.tobytes()),
}


@pytest.fixture(scope="module")
def inference():
    return create_app(Settings()).extensions["inference"]


@pytest.fixture(scope="module")
def make(inference, frames):
    def make(kind, first, count):
        path, query, headers, write = KINDS[kind]
        target = inference.target(inference.endpoint(path), query, headers)
        return Call(target, write(frames[first : first + count]), f"{kind}-{first}")

    return make


def seen(outcomes):
    """Return what a client sees, without the times."""
    return [
        (
            outcome.reply.status,
            outcome.reply.body,
            outcome.reply.content_type,
            {**dict(outcome.reply.headers), "Server-Timing": ""},
        )
        for outcome in outcomes
    ]


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(st.sampled_from(list(KINDS)), st.integers(0, 20), st.integers(1, 4)),
        min_size=1,
        max_size=24,
    )
)
def test_each_request_of_a_batch_gets_its_own_answer(inference, make, asked):
    batch = [make(*one) for one in asked]
    alone = [inference.answer([one])[0] for one in batch]
    assert seen(inference.answer(batch)) == seen(alone)


def test_a_batch_of_more_than_is_predicted_at_once_is_answered_whole(inference, make):
    batch = [make("raw", n % 20, 4) for n in range(100)]
    alone = [inference.answer([one])[0] for one in batch[:20]]
    assert seen(inference.answer(batch)) == seen(alone * 5)


def test_a_client_s_id_comes_back_and_others_get_one_each(inference, make, frames):
    own = make("raw", 3, 1)
    ids = [it.request_id for it in inference.answer([own._replace(request_id=""), own] * 2)]
    assert ids[1] == ids[3] == "raw-3"
    assert len({*ids}) == 3
    assert all(len(new) == 32 and set(new) <= set("0123456789abcdef") for new in ids[::2])


def test_a_bug_in_one_answer_is_no_other_ones(inference, make, monkeypatch):
    real = Answerer._reply

    def reply(answerer, target, bodies, limits):
        if b"bug" in bodies:
            raise ZeroDivisionError
        return real(answerer, target, bodies, limits)

    monkeypatch.setattr(Answerer, "_reply", reply)
    good = make("raw", 1, 1)
    outcomes = inference.answer([good, good._replace(body=b"bug"), good])
    assert [it.reply.status for it in outcomes] == [200, 500, 200]
    assert [type(it.error) for it in outcomes] == [
        type(None),
        ZeroDivisionError,
        type(None),
    ]
    assert outcomes[0].reply.body == outcomes[2].reply.body


def test_an_answer_too_few_is_a_bug_and_nobody_gets_another_one_s(
    inference, make, monkeypatch
):
    real = Answerer._reply

    def reply(answerer, target, bodies, limits):
        replies, stages, left = real(answerer, target, bodies, limits)
        return replies[: max(1, len(bodies) - 1)], stages, left

    monkeypatch.setattr(Answerer, "_reply", reply)
    batch = [make("raw", n, 1) for n in range(4)]
    digits = [
        json.loads(it.reply.body)["predictions"][0]["digit"]
        for it in inference.answer(batch)
    ]
    assert digits == [0, 1, 2, 3]


def test_every_answer_is_counted_under_its_route_and_status(make):
    app = create_app(Settings())
    own = app.extensions["inference"]
    kinds = ("raw", "json", "blank", "tensor", "no version")
    own.monitoring.count(own.answer([make(kind, 0, 1) for kind in kinds]))
    text = app.test_client().get("/metrics").text
    name = 'http_server_request_duration_seconds_count{http_request_method="POST",'
    for status, route, count in (
        (200, "/predict", 2),
        (422, "/predict", 1),
        (404, "/predict", 1),
    ):
        labels = f'http_response_status_code="{status}",http_route="{route}"'
        assert f"{name}{labels}}} {count}.0" in text


def test_a_path_that_runs_no_model_has_no_endpoint(inference):
    assert inference.endpoint("/nope") is None
    assert inference.endpoint("/livez") is None


@pytest.mark.parametrize(
    ("path", "headers", "more"),
    [
        ("/predict", {**JSON, HEADER: "50"}, {}),
        (INFER, {**JSON, HEADER: "50"}, {}),
        (INFER, JSON, {"parameters": {"timeout": 50_000}}),
        (INFER, {**JSON, HEADER: "50"}, {"parameters": {"timeout": 10**9}}),
    ],
    ids=["header", "header of V2", "parameter", "both"],
)
def test_what_is_too_late_is_not_computed(inference, frames, path, headers, more):
    target = inference.target(inference.endpoint(path), "", headers)
    write = rows if path == "/predict" else tensor
    body = {**json.loads(write(frames[3:4])), **more}
    now = perf_counter()
    late = Call(target, json.dumps(body).encode(), "", now - 1)
    learned = []
    outcomes = inference.answer(
        [late, late._replace(since=now + 3600), late], lambda *known: learned.append(known)
    )
    assert [it.reply.status for it in outcomes] == [504, 200, 504]
    assert [it.reply.reason for it in outcomes] == ["too_late", "", "too_late"]
    assert [it.reply.images for it in outcomes] == [0, 1, 0]
    ((_, size, _),) = learned
    assert size == len(late.body)
