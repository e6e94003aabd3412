"""Bodies that arrive in pieces: whole in the end, and no larger than what has arrived."""

import select
import socket
from contextlib import ExitStack, suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.server.http1.body import FIRST_ROOM, SizedBody
from tests.support.server import eventually
from tests.support.wire import connect, digit, memory, post, read_reply


@settings(max_examples=50)
@given(st.integers(1, 100_000), st.lists(st.integers(1, 40_000), max_size=10))
def test_any_pieces_make_the_body(length, pieces):
    whole = (bytes(range(251)) * 400)[:length]
    start = whole[: min(pieces[0] if pieces else 0, length - 1)]
    body = SizedBody(length, start)
    arrived = len(start)
    for piece in pieces[1:]:
        if body.complete:
            break
        room = body.room()
        count = min(piece, len(room))
        room[:count] = whole[arrived : arrived + count]
        body.fill(count)
        arrived += count
        assert body.complete == (arrived == length)
        assert body.size <= max(3 * arrived, arrived + FIRST_ROOM)
    assert body.content() == whole[:arrived]


@pytest.fixture(scope="module")
def worker(start):
    return start().wait_ready()


def test_what_is_announced_and_never_sent_costs_nothing(worker, frames):
    head = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 4000000\r\n\r\nx"
    before = memory(worker)
    with ExitStack() as stack:
        for _ in range(200):
            stack.enter_context(connect(worker, head))
        assert digit(worker, frames)
        assert memory(worker) - before < 40_000  # kB; 800 MB are announced


def test_what_is_kept_for_clients_is_bounded_and_freed_again(start, frames):
    small = start(MNIST_MAX_BODY_BYTES="65536").wait_ready()
    body = frames[[3] * 80].tobytes()  # 62,720 bytes; there is room for 8 of 65,536
    with ExitStack() as stack:
        clients = [stack.enter_context(connect(small, post(body)[:-1])) for _ in range(60)]
        # Those for which there is no room are told before the rest of their body.
        eventually(lambda: len(select.select(clients, [], [], 0)[0]) > 20)
        assert digit(small, frames)  # small ones are answered meanwhile
        statuses = []
        for client in clients:
            with suppress(ConnectionError):
                client.sendall(body[-1:])
            status, headers, _ = read_reply(client)
            statuses.append(status)
            if status == 503:
                assert (headers["Retry-After"], headers["Connection"]) == ("1", "close")
        assert set(statuses) == {200, 503}
        assert 5 < statuses.count(200) < 10
    for _ in range(3):  # and then there is room again
        assert small.post(body, "application/octet-stream").status == 200


def test_a_client_that_reads_nothing_keeps_no_large_replies_for_ever(start, frames):
    small = start(MNIST_MAX_BODY_BYTES="65536").wait_ready()
    request = post(frames[[3] * 80].tobytes(), path="/predict?echo=frame")
    assert digit(small, frames)
    before = memory(small)
    with ExitStack() as stack:
        for _ in range(60):
            client = stack.enter_context(connect(small))
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.setblocking(False)
            try:
                while True:
                    client.send(request)
            except OSError:
                pass
        assert digit(small, frames)
        assert memory(small) - before < 60_000  # kB
