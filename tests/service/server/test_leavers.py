"""Clients that leave before their turn: nothing is computed for them, and they are counted.

They have left, for all that the service can tell, before it looks: the worker is stopped
while they do.
"""

import contextlib
import logging
import os
import signal
import socket
import struct
from types import SimpleNamespace

import pytest

from service import create_app
from service.inference import Call
from service.monitoring import table
from service.server.admission import Admission
from service.server.http1.request import Ends
from service.server.http1.response import Writer
from service.server.pool import who_ended
from service.server.turns import Turns
from service.settings import Settings
from tests.support.wire import RAW, connect, post, read_reply

CLIENTS = 200  # more than a millisecond of work: an overload, by the setting below


class Asker:
    """Where a request came from, which may be gone."""

    ends = Ends(("127.0.0.1", 1), None)
    file = -1

    def __init__(self, gone):
        self.gone, self.sent = gone, []

    def send(self, outcome):
        self.sent.append(outcome)

    def go_on(self, keep):
        pass


def test_what_nobody_waits_for_is_counted_and_not_computed(frames):
    inference = create_app(Settings()).extensions["inference"]
    endpoint = inference.endpoint("/predict")
    target = inference.target(endpoint, "", {"content-type": RAW})
    call = Call(target, frames[:1].tobytes())
    head = SimpleNamespace(
        target=call.target,
        path="/predict",
        method="POST",
        length=784,
        request_id="",
        keep_alive=True,
        version=(2, 0),
    )
    soon = []
    loop = SimpleNamespace(call_soon=lambda *later: soon.append(later))
    gateway = SimpleNamespace(logs=False, loaded=True)
    admission = Admission(60, logging.getLogger())
    turns = Turns(
        SimpleNamespace(loop=loop), inference, gateway, Writer(), admission, 0, None
    )
    here, left = Asker(gone=False), Asker(gone=True)
    for asker in (left, here):
        turns.take(asker, head, call.body, True)
    while soon:
        function, *arguments = soon.pop()
        function(*arguments)
    (outcome,) = here.sent
    assert (outcome.reply.status, outcome.reply.images) == (200, 1)
    (outcome,) = left.sent
    assert (outcome.reply.status, outcome.reply.reason) == (499, "client_gone")
    sums = inference.monitoring.metrics.sums()
    assert sums[table.REFUSED.row, "client_gone"][0] == 1


def test_who_leaves_while_others_are_answered_gets_no_work(frames):
    """Of two kinds, so that they are answered one after the other."""
    inference = create_app(Settings()).extensions["inference"]
    endpoint, accept = inference.endpoint("/predict"), ("application/json", RAW)
    batch = [
        Call(inference.target(endpoint, "", {"content-type": RAW, "accept": kind}), body)
        for kind in accept
        for body in [frames[:1].tobytes()] * 2
    ]
    left: list[int] = []

    def stay(places):
        staying = [place for place in places if place not in left]
        left.append(3)
        return staying

    outcomes = inference.answer(batch, stay=stay)
    assert [it and it.reply.status for it in outcomes] == [200, 200, 200, None]
    sums = inference.monitoring.metrics.sums()
    assert (
        sum(sum(row) for key, row in sums.items() if key[0] == table.PREDICTIONS.row) == 3
    )


@pytest.mark.parametrize("known", [True, False])
def test_who_leaves_during_overload_gets_no_work(start, frames, known):
    """All have asked, and half have left, before the worker looks."""
    one = start(MNIST_MAX_WAIT_MS="1").wait_ready()
    request = post(frames[7].tobytes())
    (worker,) = one.worker_pids()
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(connect(one)) for _ in range(CLIENTS)]
        for client in clients:  # they are known to the worker
            client.sendall(request)
            read_reply(client)
        leavers = clients[1::2] if known else []
        before = totals(one)
        os.kill(worker, signal.SIGSTOP)
        try:
            for client in clients:
                client.sendall(request)
            if not known:
                leavers = [connect(one, request) for _ in range(CLIENTS // 2)]
            for client in leavers:
                client.close()
        finally:
            os.kill(worker, signal.SIGCONT)
        stayed = clients[::2] if known else clients
        statuses = [read_reply(client)[0] for client in stayed]
    assert {*statuses} == {200, 503}
    images, left = (after - first for first, after in zip(before, totals(one)))
    assert images == statuses.count(200)
    assert left > 0


def test_who_has_only_ended_its_side_is_told_so_during_overload(start, frames):
    """They connect, ask and half close before the worker looks; two ask for health."""
    one = start(MNIST_MAX_WAIT_MS="1").wait_ready()
    (worker,) = one.worker_pids()
    asks = [post(frames[7].tobytes())] * CLIENTS
    asks += [b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"] * 2
    with contextlib.ExitStack() as stack:
        os.kill(worker, signal.SIGSTOP)
        try:
            clients = [stack.enter_context(connect(one, ask)) for ask in asks]
            for client in clients:
                client.shutdown(socket.SHUT_WR)
        finally:
            os.kill(worker, signal.SIGCONT)
        *found, first, last = [read_reply(client) for client in clients]
        assert [client.recv(1) for client in clients] == [b""] * len(clients)
    assert (first[0], last[0]) == (200, 200)
    assert any(b"ended its side" in body for status, _, body in found if status == 503)


def totals(server):
    """Return how many images were predicted, and how many clients had gone."""
    lines = server.request("GET", "/metrics").body.decode().splitlines()
    found = dict(line.rsplit(" ", 1) for line in lines if line[0] != "#")
    images = sum(float(n) for name, n in found.items() if "mnist_predictions_total" in name)
    return images, float(found.get('mnist_refused_total{reason="client_gone"}', 0))


@pytest.fixture
def ends():
    """A client, and the server's end of its connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname(), timeout=10)
        near, _ = listener.accept()
        with client, near:
            yield client, near


def reset(client):
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


LEAVE = {
    "half closed": lambda client: client.shutdown(socket.SHUT_WR),
    "closed": lambda client: client.close(),
    "reset": reset,
}


@pytest.mark.parametrize("leave", LEAVE.values(), ids=LEAVE)
@pytest.mark.parametrize("content", [b"", b"unread"])
def test_who_has_ended(ends, leave, content):
    client, near = ends
    client.sendall(content)
    assert who_ended([near.fileno(), -1]) == set()
    leave(client)
    assert who_ended([near.fileno(), -1]) == {near.fileno()}


def test_who_has_ended_at_a_unix_socket():
    client, near = socket.socketpair()
    with client, near:
        assert who_ended([near.fileno()]) == set()
        client.close()
        assert who_ended([near.fileno()]) == {near.fileno()}
