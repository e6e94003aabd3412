"""Requests that are there at the same time, whatever they ask for: each gets its answer."""

import gzip
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service import create_app, inference
from service.protocols.oip import LENGTH
from service.settings import Settings
from service.short_way import ShortWay

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
def short_way():
    return ShortWay(create_app(Settings()), lambda *_: None)


@pytest.fixture(scope="module")
def make(short_way, frames):
    def make(kind, first, count):
        path, query, headers, write = KINDS[kind]
        inquiry = short_way.read(
            path, query, {**headers, "x-request-id": f"{kind}-{first}"}
        )
        return inquiry, write(frames[first : first + count])

    return make


def seen(answers):
    """Return what a client sees, without the times."""
    return [
        (reply.status, reply.body, {**reply.headers, "Server-Timing": ""})
        for _, reply in answers
    ]


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.tuples(st.sampled_from(list(KINDS)), st.integers(0, 20), st.integers(1, 4)),
        min_size=1,
        max_size=24,
    )
)
def test_each_request_of_a_batch_gets_its_own_answer(short_way, make, asked):
    batch = [make(*one) for one in asked]
    alone = [short_way.answer([one])[0] for one in batch]
    assert seen(short_way.answer(batch)) == seen(alone)


def test_a_batch_of_more_than_is_predicted_at_once_is_answered_whole(short_way, make):
    batch = [make("raw", n % 20, 4) for n in range(100)]
    alone = [short_way.answer([one])[0] for one in batch[:20]]
    assert seen(short_way.answer(batch)) == seen(alone * 5)


def test_a_client_s_id_comes_back_and_others_get_one_each(short_way, make, frames):
    own, body = make("raw", 3, 1)
    batch = [(own._replace(request_id=""), body), (own, body)] * 2
    ids = [used_id for used_id, _ in short_way.answer(batch)]
    assert ids[1] == ids[3] == "raw-3"
    assert len({*ids}) == 3
    assert all(len(new) == 32 and set(new) <= set("0123456789abcdef") for new in ids[::2])


def test_a_bug_in_one_answer_is_no_other_ones(short_way, make, monkeypatch):
    real = inference.answer

    def answer(head, bodies, metrics, limits):
        if b"bug" in bodies:
            raise ZeroDivisionError
        return real(head, bodies, metrics, limits)

    monkeypatch.setattr("service.short_way.answer", answer)
    good = make("raw", 1, 1)
    answers = short_way.answer([good, (good[0], b"bug"), good])
    assert [reply.status for _, reply in answers] == [200, 500, 200]
    assert answers[0][1].body == answers[2][1].body


def test_an_answer_too_few_is_a_bug_and_nobody_gets_another_one_s(
    short_way, make, monkeypatch
):
    real = inference.answer
    monkeypatch.setattr(
        "service.short_way.answer",
        lambda head, bodies, *others: real(head, bodies, *others)[
            : max(1, len(bodies) - 1)
        ],
    )
    batch = [make("raw", n, 1) for n in range(4)]
    digits = [
        json.loads(x.body)["predictions"][0]["digit"] for _, x in short_way.answer(batch)
    ]
    assert digits == [0, 1, 2, 3]


def test_every_answer_is_counted_under_its_route_and_status(make):
    app = create_app(Settings())
    own = ShortWay(app, lambda *_: None)
    own.answer(
        [make(kind, 0, 1) for kind in ("raw", "json", "blank", "tensor", "no version")]
    )
    text = app.test_client().get("/metrics").text
    name = 'http_server_request_duration_seconds_count{http_request_method="POST",'
    for status, route, count in (
        (200, "/predict", 2),
        (422, "/predict", 1),
        (404, "/predict", 1),
    ):
        labels = f'http_response_status_code="{status}",http_route="{route}"'
        assert f"{name}{labels}}} {count}.0" in text


def test_what_is_not_for_it_is_left_to_flask(short_way):
    assert short_way.read("/nope", "", JSON) is None
    assert (
        short_way.read("/predict", "", {"content-type": "multipart/form-data; x"}) is None
    )
