"""One connection to the worker: what is read from it, and what ends it."""

import contextlib
import json
import re
import socket
import time

import pytest

from tests.support.wire import CHUNKED, chunks, connect, post, read_all, read_reply


@pytest.fixture(scope="module")
def worker(start):
    return start().wait_ready()


def test_pipelined_requests_are_answered_in_their_order(worker, frames):
    received = worker.raw(
        b"".join(post(frames[n].tobytes()) for n in range(10))
        + b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"
        + post(frames[4].tobytes())
    )
    digits = [int(n) for n in re.findall(rb'"digit":(\d)', received)]
    assert digits == [*range(10), 4]
    assert received.index(b'"live"') < received.rindex(b'"digit":4')


def test_a_request_is_read_from_single_bytes(worker, frames):
    with connect(worker) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in post(frames[5].tobytes()):
            client.send(bytes([byte]))
        status, _, body = read_reply(client)
    assert (status, json.loads(body)["predictions"][0]["digit"]) == (200, 5)


def test_a_request_after_a_long_body_in_pieces_is_read(worker, frames):
    with connect(worker) as client:
        body = frames.tobytes() * 20
        content = post(body) + post(frames[6].tobytes())
        for first in range(0, len(content), 100_001):
            client.sendall(content[first : first + 100_001])
            time.sleep(0.01)
        client.shutdown(socket.SHUT_WR)
        received = read_all(client)
    assert received.count(b'"digit":') == 601
    assert received.count(b"HTTP/1.1 200 OK") == 2


def test_head_has_the_headers_and_no_body(worker):
    received = worker.raw(b"HEAD /livez HTTP/1.1\r\nHost: x\r\n\r\n")
    head, _, body = received.partition(b"\r\n\r\n")
    assert b"Content-Length: 13" in head
    assert body == b""


@pytest.mark.parametrize(
    ("version", "header", "kept"),
    [
        ("1.1", "Accept: */*", True),
        ("1.1", "Connection: close", False),
        ("1.0", "Accept: */*", False),
        ("1.0", "Connection: keep-alive", True),
    ],
)
def test_a_connection_is_kept_where_both_sides_want_it(worker, version, header, kept):
    request = f"GET /livez HTTP/{version}\r\nHost: x\r\n{header}\r\n\r\n".encode()
    with connect(worker, request) as client:
        status, headers, _ = read_reply(client)
        assert (status, headers["Connection"]) == (200, "keep-alive" if kept else "close")
        if kept:
            client.sendall(request)
            assert read_reply(client)[0] == 200
        else:
            assert client.recv(1) == b""


def test_the_client_gets_100_continue_before_it_sends_the_body(worker, frames):
    body = frames[2].tobytes()
    request = post(body, "Expect: 100-continue")
    with connect(worker, request[: -len(body)]) as client:
        assert client.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(body)
        assert read_reply(client)[0] == 200


def test_the_client_gets_no_100_continue_for_a_body_that_is_too_long(worker):
    head = b"POST /predict HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
    with connect(worker, head + b"Content-Length: 99999999\r\n\r\n") as client:
        assert client.recv(20).startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize(
    ("request_", "status", "message"),
    [
        (b"GET /" + b"x" * 5000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414, "at most 4094"),
        (b"GET /" + b"x" * 5000, 414, "request line is too long"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"x" * 9000 + b"\r\n\r\n", 431, "8190"),
        (b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 101 + b"\r\n", 431, "found 101 headers"),
        (b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 20_000, 431, "more than 65536 bytes"),
        (b"GET / HTTP/1.1\r\n\r\n", 400, "there is no header Host"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nExpect: 200-ok\r\n\r\n", 417, "100-continue"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 tls\r\n\r\n", 400, "not HTTP/1.1"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, "not HTTP/1.1"),
    ],
    ids=lambda value: str(value)[:24],
)
def test_what_is_no_request_gets_its_code_and_the_end(worker, request_, status, message):
    with connect(worker, request_) as client:
        found, headers, body = read_reply(client)
        assert client.recv(1) == b""
    assert (found, headers["Connection"]) == (status, "close")
    assert message in json.loads(body)["error"]
    assert len(headers["X-Request-ID"]) == 32


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (chunks(bytes(783), b"\xff") + b"0\r\n\r\n", 200),
        (chunks(*[bytes(1_000_000)] * 17), 413),
        (chunks(b"x") * 6_000_000, 413),
        (b"x\r\n", 400),
        (chunks(b"abc"), 400),
    ],
    ids=["whole", "too long", "tiny chunks", "malformed", "cut"],
)
def test_a_chunked_body_is_whole_and_bounded(worker, body, status):
    with connect(worker) as client:
        with contextlib.suppress(ConnectionError):  # the refusal may arrive before the end
            client.sendall(CHUNKED + body)
            client.shutdown(socket.SHUT_WR)
        found, headers, _ = read_reply(client)
    assert (found, headers["Connection"]) == (status, "close")
