"""How long a client has: to read a reply, to hear that it may go on, to be told no."""

import contextlib
import http.client
import socket
import time

import pytest

from bench.chaos import watch
from bench.harness.server import START_S, free_port
from tests.support.server import eventually

RAW = "application/octet-stream"
PAUSE_S = 3  # above the 2 s of a lingering connection and the --keep-alive of 1 s here
METRICS_HOST = "127.0.0.2"
SLOW = {"WEB_CONCURRENCY": "1"}
SLOW["MNIST_MAX_IMAGES"] = "5000"  # 10 MB of reply, more than the kernel keeps (4 MB)


def post(body, *headers, path="/predict", length=None):
    lines = [f"POST {path} HTTP/1.1", "Host: x", f"Content-Type: {RAW}", *headers]
    lines += [f"Content-Length: {len(body) if length is None else length}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@pytest.fixture(scope="module")
def patient(start):
    return start("--keep-alive", "1", **SLOW).wait_ready()


def slow_client(server, content):
    """Connect with room for little, so that most of a reply waits in the worker."""
    client = socket.socket()
    client.settimeout(START_S)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect(("127.0.0.1", server.port))
    client.sendall(content)
    return client


def whole_reply(client):
    response = http.client.HTTPResponse(client)
    response.begin()
    return response.read()


@pytest.mark.parametrize("header", ["Connection: close", "Connection: keep-alive"])
def test_a_reply_is_not_cut_while_its_reader_has_time(patient, frames, header):
    body = frames.tobytes() * 160
    content = post(body, header, path="/predict?echo=frame")
    with slow_client(patient, content) as client:
        time.sleep(PAUSE_S)
        reply = whole_reply(client)
    assert reply.count(b'"digit"') == len(body) // 784


def test_a_stop_does_not_cut_a_reply_that_is_being_read(start, frames):
    server = start(**SLOW).wait_ready()
    body = frames.tobytes() * 160
    with slow_client(server, post(body, path="/predict?echo=frame")) as client:
        assert client.recv(1, socket.MSG_PEEK)  # answered
        server.request_stop()
        time.sleep(PAUSE_S)
        reply = whole_reply(client)
    assert reply.count(b'"digit"') == len(body) // 784
    assert server.wait() == 0


@pytest.mark.parametrize("times", [30, 160], ids=["in the kernel", "in the worker"])
def test_a_reply_that_is_not_read_in_time_keeps_no_connection(start, frames, times):
    """Whatever the time is that an idle connection has, 75 s here."""
    server = start(**SLOW, MNIST_CLIENT_SECONDS="2").wait_ready()
    (pid,) = server.worker_pids()
    content = post(frames.tobytes() * times, path="/predict?echo=frame")
    with slow_client(server, content) as client:
        assert client.recv(1, socket.MSG_PEEK)  # answered
        eventually(lambda: watch.clients(pid) == 0)
        with contextlib.suppress(ConnectionError):  # no more than the kernel has
            while client.recv(65536):
                pass


def test_a_connection_that_is_idle_after_a_reply_outlasts_the_time_for_a_request(start):
    server = start(MNIST_CLIENT_SECONDS="2").wait_ready()
    content = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=START_S) as client:
        for _ in range(2):
            client.sendall(content)
            assert client.recv(1000).startswith(b"HTTP/1.1 200 ")
            time.sleep(3)
        client.sendall(content)
        assert client.recv(1000).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("length", ["17000000", "33000000", "99999999"])
def test_a_client_that_asks_to_send_too_much_is_told_at_once(patient, length):
    head = post(b"", "Expect: 100-continue", length=length)
    with socket.create_connection(("127.0.0.1", patient.port), timeout=START_S) as client:
        client.sendall(head)
        received = b""
        while chunk := client.recv(65536):
            received += chunk
    assert received.startswith(b"HTTP/1.1 413 ")
    assert b"\r\nConnection: close\r\n" in received


@pytest.mark.parametrize("path", ["/predict", "/v1/models/mnist:predict", "/nope"])
def test_a_client_that_asks_to_send_chunks_may(patient, path):
    lines = [f"POST {path} HTTP/1.1", "Host: x", f"Content-Type: {RAW}"]
    lines += ["Expect: 100-continue", "Transfer-Encoding: chunked"]
    with socket.create_connection(("127.0.0.1", patient.port), timeout=START_S) as client:
        client.sendall("\r\n".join(lines).encode() + b"\r\n\r\n")
        assert client.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"3\r\nabc\r\n0\r\n\r\n")
        assert client.recv(1000).startswith(b"HTTP/1.1 4")


@pytest.mark.parametrize(
    "content",
    [
        b"GET / HTTP/1.1\nHost: x\n\n",
        b"GET / HTTP/1.1\nHost: x",
        b"GET / HTTP/1.1\r\nHost: x\n",
        b"\n",
        b"GET / HTTP/1.1\rHost: x\r\r",
        b"GET / HTTP/1.1\r\nHost: x\r\r\n",
    ],
)
def test_half_of_a_lines_end_is_refused_without_a_wait(patient, content):
    with socket.create_connection(("127.0.0.1", patient.port), timeout=START_S) as client:
        client.sendall(content)  # and the sending side stays open
        assert client.recv(1000).startswith(b"HTTP/1.1 400 ")


def test_a_line_may_end_between_two_packets(patient):
    with socket.create_connection(("127.0.0.1", patient.port), timeout=START_S) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for part in (b"GET /livez HTTP/1.1\r", b"\nHost: x\r\n\r", b"\n"):
            client.sendall(part)
            time.sleep(0.05)
        assert client.recv(1000).startswith(b"HTTP/1.1 200 ")


def test_the_message_names_the_header_that_is_too_large(patient):
    head = f"GET / HTTP/1.1\r\nHost: x\r\nCookie: {'a' * 9000}\r\n\r\n"
    assert b"a header 'Cookie' of 9010 bytes, expected" in patient.raw(head.encode())


def test_the_message_names_the_longest_header_of_a_head_that_is_too_large(patient):
    lines = ["GET / HTTP/1.1", "Host: x", "A: b", "Cookie: " + "a" * 66_000]
    head = "\r\n".join(lines).encode()
    assert b"most of a line in 'Cookie'" in patient.raw(head)


@pytest.fixture
def full(start):
    """A worker with all its places taken by idle clients."""
    port = free_port()
    places = 40
    server = start(
        *("--worker-connections", str(places)),
        port=port,
        MNIST_METRICS_BIND=f"{METRICS_HOST}:{port}",
    ).wait_ready()
    with contextlib.ExitStack() as stack:
        for _ in range(places + 10):
            client = socket.create_connection(("127.0.0.1", port), timeout=START_S)
            stack.enter_context(client)
        # The worker is full once a client that asks gets no answer.
        client = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
        client.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
        client.settimeout(1)
        with pytest.raises(TimeoutError):
            client.recv(1)
        yield server


def test_idle_clients_do_not_silence_the_probes_of_the_metrics_port(full):
    for path in ("/readyz", "/livez", "/metrics") * 3:
        client = http.client.HTTPConnection(METRICS_HOST, full.port, timeout=START_S)
        with contextlib.closing(client):
            client.request("GET", path)
            assert client.getresponse().status == 200
