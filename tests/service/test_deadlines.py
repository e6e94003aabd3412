"""For how long a client waits: in its headers, and in its body."""

import json

import pytest

from service.inference.deadline import HEADER
from tests.support.wire import RAW

PREDICTIONS = "mnist_predictions_total"
INFER = "/v2/models/mnist/infer"
WRONG = ["0", "-1", "1.5", "1s", "007", "10000000", "1,2"]


def tensor(frames, timeout):
    entry = {"name": "image", "datatype": "UINT8", "shape": [1, 784]}
    inputs = [{**entry, "data": frames[3].tolist()}]
    return json.dumps({"inputs": inputs, "parameters": {"timeout": timeout}}).encode()


def counted(server):
    """Return how many images were predicted, and how many requests came too late."""
    lines = server.request("GET", "/metrics").body.decode().splitlines()
    totals = dict(line.rsplit(" ", 1) for line in lines if line[0] != "#")
    images = sum(float(v) for k, v in totals.items() if k.startswith(PREDICTIONS))
    return images, float(totals.get('mnist_refused_total{reason="too_late"}', 0))


def ask(server, frames, timeout):
    """Send raw pixels with the header."""
    headers = {"Content-Type": RAW, HEADER: timeout}
    return server.request("POST", "/predict", frames[3].tobytes(), headers)


def test_what_comes_too_late_is_not_computed(server, frames):
    """A microsecond has passed by the time that a request is read."""
    images, late = counted(server)
    answer = server.post(tensor(frames, 1), path=INFER)
    assert answer.status == 504
    assert "expected to answer within 0.001 ms" in answer.json["error"]
    assert counted(server) == (images, late + 1)


def test_there_is_time(server, frames):
    bodies = {timeout: tensor(frames, timeout) for timeout in (None, 0, 60_000_000)}
    answers = [server.post(body, path=INFER) for body in bodies.values()]
    assert {answer.status for answer in answers} == {200}
    answer = ask(server, frames, "60000")
    assert answer.json["predictions"][0]["digit"] == 3


@pytest.mark.parametrize("value", WRONG)
def test_what_is_no_time_is_refused(server, frames, value):
    answer = ask(server, frames, value)
    assert answer.status == 400
    assert f"{value!r}, expected a whole number of milliseconds" in answer.json["error"]


@pytest.mark.parametrize("value", [-1, 1.5, True, "1"])
def test_what_is_no_timeout_is_refused(server, frames, value):
    answer = server.post(tensor(frames, value), path=INFER)
    assert answer.status == 400
    assert "expected a whole number of microseconds" in answer.json["error"]
