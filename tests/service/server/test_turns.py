"""Turns of the worker's loop: bounded in time, however costly requests turn out to be."""

import contextlib
import io
import json
import threading
import time

import pytest
from PIL import Image

from service import create_app
from service.inference import Call
from service.inference.batch import Answerer
from service.settings import Settings
from tests.support.wire import connect, post, read_reply

CLIENTS = 60


@pytest.fixture(scope="module")
def inference():
    return create_app(Settings()).extensions["inference"]


def picture(side):
    """A PNG that takes a while: noise, of the largest size."""
    content = io.BytesIO()
    Image.effect_noise((side, side), 80).save(content, "PNG", compress_level=0)
    return content.getvalue()


def calls(inference, count, content_type="application/json", body=b"{}"):
    endpoint = inference.endpoint("/predict")
    target = inference.target(endpoint, "", {"content-type": content_type})
    return [Call(target, body, f"id-{number}") for number in range(count)]


def test_what_there_is_no_time_for_has_no_outcome(inference):
    outcomes = inference.answer(calls(inference, 5), None, time.perf_counter() - 1)
    assert [it and it.request_id for it in outcomes] == ["id-0", None, None, None, None]


def test_kinds_after_the_first_wait_for_more_time(inference):
    batch = calls(inference, 1) + calls(inference, 1, "image/png", b"x")
    outcomes = inference.answer(batch, None, time.perf_counter() - 1)
    assert [it is None for it in outcomes] == [False, True]


def test_a_part_of_a_batch_is_answered_rightly(inference, frames, monkeypatch):
    """The first is refused, the second answered, and there is no time for the third."""
    now = iter([0.0, 1.0, 3.0, 4.0, 5.0])
    monkeypatch.setattr("service.protocols.perf_counter", lambda: next(now))
    good = json.dumps({"instances": [(frames[4] / 255).tolist()]}).encode()
    first, second, third = calls(inference, 3)
    batch = [first, second._replace(body=good), third]
    refused, answered, left = inference.answer(batch, None, 2.0)
    assert refused.reply.status == 400
    assert json.loads(answered.reply.body)["predictions"][0]["digit"] == 4
    assert left is None or left.reply.status == 400


def test_refusals_teach_what_a_kind_costs(inference):
    learned = []
    inference.answer(calls(inference, 3), lambda *known: learned.append(known))
    ((_, size, seconds),) = learned
    assert size == 3 * len(b"{}")
    assert seconds > 0


def test_an_answerer_never_answers_twice(inference, monkeypatch):
    """A batch that hits a bug is answered one by one, as far as there is time."""
    real = Answerer._reply

    def reply(answerer, target, bodies, limits):
        if len(bodies) > 1:
            raise ZeroDivisionError
        return real(answerer, target, bodies, limits)

    monkeypatch.setattr(Answerer, "_reply", reply)
    outcomes = inference.answer(calls(inference, 4))
    assert [it.request_id for it in outcomes] == [f"id-{n}" for n in range(4)]


@pytest.fixture(scope="module", params=["1", "0"], ids=["fast path", "flask"])
def one(start, request):
    settings = {"MNIST_FAST_PATH": request.param, "MNIST_MAX_WAIT_MS": "50"}
    return start(**settings).wait_ready()


def test_costly_requests_that_arrive_together_stop_nothing(one):
    """Small to look at and slow to answer: the worker lives, and probes are answered."""
    body = picture(1500)
    request = post(body, content_type="image/png")
    before, statuses, done = one.worker_pids(), [], threading.Event()
    probes = []

    def probe():
        while not done.is_set():
            probes.append(one.request("GET", "/readyz").status)

    watcher = threading.Thread(target=probe)
    clients = [connect(one) for _ in range(CLIENTS)]
    watcher.start()
    try:
        for client in clients:
            client.sendall(request)
        for client in clients:
            status, headers, _ = read_reply(client)
            statuses.append(status)
            assert headers["Retry-After"] == ("1" if status == 503 else None)
    finally:
        done.set()
        watcher.join()
        for client in clients:
            client.close()
    assert {*statuses} <= {200, 422, 503}
    assert 503 in statuses
    assert statuses.count(503) < CLIENTS
    assert {*probes} == {200}
    assert one.worker_pids() == before


def test_a_light_request_behind_heavy_ones_is_answered(start, frames):
    """Clients with a thousand images each are no overload for those with one."""
    one = start(MNIST_MAX_WAIT_MS="50").wait_ready()
    heavy = post(frames[7].tobytes() * 1024)
    light = post(frames[7].tobytes())

    def statuses():
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(connect(one)) for _ in range(12)]
            for client in clients[:8]:
                client.sendall(heavy)
            for client in clients[8:]:
                client.sendall(light)
            return [read_reply(client)[0] for client in clients]

    # Where others want the core, that may be overload: not each time, though.
    assert any(statuses()[8:] == [200] * 4 for _ in range(20))
