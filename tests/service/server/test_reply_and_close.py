"""Refusing without a connection: only one whole POST request, and the reply arrives."""

import http.client
import socket

import pytest

from service.server.acceptor import is_whole, reply_and_close

HEAD = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n"
REPLY = b"HTTP/1.1 503 X\r\nRetry-After: 1\r\nContent-Length: 2\r\n\r\nno"
NOT_WHOLE = {
    "nothing": b"",
    "half a head": HEAD[:-2],
    "half a body": HEAD + b"ab",
    "more": HEAD + b"abcd",
    "no length": b"POST / HTTP/1.1\r\nHost: x\r\n\r\n",
    "chunked": b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "health": b"GET /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
    "length in the body": b"POST / HTTP/1.1\r\n\r\n\r\nContent-Length: 0\r\n",
    "an absurd length": HEAD.replace(b": 3", b": " + b"3" * 5000) + b"abc",
    "garbage": bytes(range(256)),
}


def test_a_whole_request_is_whole():
    assert is_whole(HEAD + b"abc")
    assert is_whole(HEAD.replace(b"Content-Length:", b"CONTENT-LENGTH: \t") + b"abc")


@pytest.mark.parametrize("name", NOT_WHOLE)
def test_anything_else_is_not(name):
    assert not is_whole(NOT_WHOLE[name])


@pytest.fixture
def pair():
    """A client, and the server's end of its connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname(), timeout=10)
        near, _ = listener.accept()
        near.setblocking(False)
        with client, near:
            yield client, near


def test_a_client_that_is_turned_away_reads_why_and_the_end(pair):
    client, near = pair
    client.sendall(HEAD + b"abc")
    while not reply_and_close(near, REPLY):
        pass
    response = http.client.HTTPResponse(client)
    response.begin()
    assert (response.status, response.read()) == (503, b"no")
    assert client.recv(1) == b""


def test_nothing_is_read_of_another_client(pair):
    client, near = pair
    assert not reply_and_close(near, REPLY)  # has sent nothing
    client.sendall(HEAD)
    near.setblocking(True)
    assert near.recv(1000, socket.MSG_PEEK) == HEAD
    near.setblocking(False)
    assert not reply_and_close(near, REPLY)
    assert near.recv(1000) == HEAD


def test_a_client_that_has_gone_does_not_matter(pair):
    client, near = pair
    client.sendall(HEAD + b"abc")
    near.setblocking(True)
    near.recv(1, socket.MSG_PEEK)
    near.setblocking(False)
    client.close()
    assert reply_and_close(near, REPLY)
