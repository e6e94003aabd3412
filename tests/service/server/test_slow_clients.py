"""Clients that are slow, and those that leave."""

import contextlib
import resource
import socket
import struct
import time

import pytest

from bench.chaos import watch
from tests.support.server import eventually
from tests.support.wire import connect, digit, memory, post, read_all, read_reply

SECONDS = 2  # that a client has where it is to be too slow


@pytest.fixture(scope="module")
def hasty(start):
    """A worker that gives its clients little time."""
    return start(MNIST_CLIENT_SECONDS=str(SECONDS)).wait_ready()


@pytest.fixture(scope="module")
def many_files():
    """Let this process, and the servers that it starts, have thousands of sockets."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 10_000), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_half_a_head_gets_a_408_in_time(hasty):
    with connect(hasty, b"GET / HTTP/1.1\r\nHo") as client:
        status, _, body = read_reply(client)
    assert status == 408
    assert b"the rest of the head did not come in 2 s" in body


def test_a_head_that_trickles_gets_no_more_time(hasty):
    with connect(hasty, b"GET / HTTP/1.1\r\n") as client:
        with contextlib.suppress(ConnectionError):
            for _ in range(5 * SECONDS):
                client.sendall(b"A: b\r\n")
                time.sleep(0.5)
        assert read_all(client).startswith(b"HTTP/1.1 408 ")


def test_half_a_body_gets_a_408_in_time(hasty, frames):
    with connect(hasty, post(frames[0].tobytes())[:-1]) as client:
        status, _, body = read_reply(client)
    assert status == 408
    assert b"the rest of the body did not come in 2 s" in body


def test_an_idle_connection_is_closed_without_a_word(hasty):
    with connect(hasty) as client:
        assert client.recv(1) == b""


def test_a_client_that_never_reads_is_closed(hasty, frames):
    request = post(frames.tobytes() * 20, path="/predict?echo=frame")
    with connect(hasty) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        with contextlib.suppress(ConnectionResetError, BrokenPipeError):
            while True:  # until the other side gives up; a timeout fails
                client.sendall(request)
        assert digit(hasty, frames)


def test_thousands_of_slow_clients_cost_the_others_nothing(start, many_files, frames):
    server = start(MNIST_CLIENT_SECONDS=str(SECONDS)).wait_ready()
    body = post(frames[0].tobytes())
    kinds = {b"": 1000, b"POST /predict HTTP/1.1\r\nHost: x\r\nA": 1000, body[:-1]: 200}
    used = []
    for _ in range(2):
        clients = [connect(server, c) for c, count in kinds.items() for _ in range(count)]
        last = post(frames[1].tobytes(), "Connection: close")
        lingering = [connect(server, last) for _ in range(50)]
        assert all(digit(server, frames, n % 10) for n in range(50))
        ends = [read_all(client)[:12] for client in clients]
        assert ends.count(b"") == 1000
        assert ends.count(b"HTTP/1.1 408") == 1200
        for client in [*clients, *lingering]:
            client.close()
        used.append(memory(server))
    assert digit(server, frames)
    assert used[1] - used[0] < 4096  # kB; a worker that kept them would need some 10 MB


def test_clients_that_go_away_leave_nothing_behind(hasty, frames):
    whole = post(frames[0].tobytes())
    reset = struct.pack("ii", 1, 0)
    for end in (0, 10, 60, 200, 500, len(whole)):
        for _ in range(20):
            client = connect(hasty, whole[:end])
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
            client.close()
    assert digit(hasty, frames)
    (pid,) = hasty.worker_pids()
    eventually(lambda: len(watch.files(pid)) <= 40)
    assert "Traceback" not in hasty.log
