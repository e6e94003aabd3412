"""The payloads: what each sends, and that the real service answers all of them right."""

import contextlib
import http.client
import io
from urllib.parse import urlsplit

import numpy as np
import pytest
from PIL import Image

from load import answers, payloads

BATCHES = [
    (name, batch)
    for name in payloads.PAYLOADS
    for batch in (1, 64)
    if (name, batch) != ("png", 64)
]


@pytest.fixture(scope="module")
def ask(url):
    """Send a request to the real service: what `problem` takes besides it."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)

    def ask(request):
        connection.request(request.method, request.path, request.body, request.headers)
        reply = connection.getresponse()
        return reply.status, reply.headers, reply.read()

    with contextlib.closing(connection):
        yield ask


@pytest.mark.parametrize(("name", "batch"), BATCHES)
def test_the_service_answers_every_request_right(ask, name, batch):
    found = {answers.problem(each, *ask(each)) for each in payloads.requests(name, batch)}
    assert found == {None}


def test_the_service_answers_a_request_with_the_same_bytes_each_time(ask):
    """So that a reply that is known to be right need not be parsed again."""
    asked = payloads.requests("mixed", 1)
    assert [ask(each)[2] for each in asked] == [ask(each)[2] for each in asked]


def test_binary_payloads_are_answered_in_binary(ask):
    for name in ("raw", "v2-binary"):
        _, headers, _ = ask(payloads.requests(name, 2)[0])
        assert headers["Content-Type"] == "application/octet-stream"


@pytest.mark.parametrize(("name", "batch"), [*BATCHES, ("mixed", 1), ("mixed", 3)])
def test_each_request_has_its_images_and_another_begins_with_each_digit(name, batch):
    asked = payloads.requests(name, batch)
    labels = [label for label, _ in payloads.digits()]
    kinds = len({each.name for each in asked})
    assert [each.labels[0] for each in asked[::kinds]] == labels
    assert all(len(each.labels) == batch for each in asked)
    assert len({(each.name, each.body) for each in asked}) == len(asked)


def test_mixed_is_every_payload_in_turn():
    names = [each.name for each in payloads.requests("mixed", 1)]
    turn = ["json", "raw", "png", "v1", "v2", "v2-binary"]
    assert names == turn * (len(names) // len(turn))


def test_mixed_has_no_pictures_in_batches():
    names = {each.name for each in payloads.requests("mixed", 2)}
    assert names == {"json", "raw", "v1", "v2", "v2-binary"}


def test_a_picture_is_the_digit_as_large_as_it_is_drawn_on_the_page():
    for (_, frame), asked in zip(payloads.digits(), payloads.requests("png", 1)):
        with Image.open(io.BytesIO(asked.body)) as picture:
            assert (picture.format, picture.mode, picture.size) == ("PNG", "L", (280, 280))
            shown = np.asarray(picture)
        pixels = np.frombuffer(frame, np.uint8).reshape(28, 28)
        assert (shown == np.kron(pixels, np.ones((10, 10), np.uint8))).all()


@pytest.mark.parametrize(
    ("name", "batch", "message"),
    [
        ("png", 2, "batch is 2, expected 1: a png shows one digit"),
        ("json", 0, "batch is 0, expected at least 1"),
        ("xml", 1, "payload is 'xml', expected one of json, raw, png, v1, v2, v2-b.*mixed"),
    ],
)
def test_what_cannot_be_asked_is_an_error(name, batch, message):
    with pytest.raises(ValueError, match=message):
        payloads.requests(name, batch)
