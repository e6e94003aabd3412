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
    assert is_whole(HEAD, len(HEAD) + 3)
    head = HEAD.replace(b"Content-Length:", b"CONTENT-LENGTH: \t")
    assert is_whole(head, len(head) + 3)


@pytest.mark.parametrize("name", NOT_WHOLE)
def test_anything_else_is_not(name):
    content = NOT_WHOLE[name]
    assert not is_whole(content, len(content))


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
    while not reply_and_close(near, REPLY, ended=False):
        pass
    response = http.client.HTTPResponse(client)
    response.begin()
    assert (response.status, response.read()) == (503, b"no")
    assert client.recv(1) == b""


def test_nothing_is_read_of_another_client(pair):
    client, near = pair
    assert not reply_and_close(near, REPLY, ended=False)  # has sent nothing
    client.sendall(HEAD)
    near.setblocking(True)
    assert near.recv(1000, socket.MSG_PEEK) == HEAD
    near.setblocking(False)
    assert not reply_and_close(near, REPLY, ended=False)
    assert near.recv(1000) == HEAD


def test_a_client_that_has_gone_does_not_matter(pair):
    client, near = pair
    client.sendall(HEAD + b"abc")
    near.setblocking(True)
    near.recv(1, socket.MSG_PEEK)
    near.setblocking(False)
    client.close()
    assert reply_and_close(near, REPLY, ended=False)


@pytest.mark.parametrize("size", [0, 3, 300_000])
def test_of_a_client_that_has_ended_all_is_dropped(pair, size):
    """It reads the reply: bytes left unread would make a reset of the close."""
    client, near = pair
    for buffer, side in ((socket.SO_SNDBUF, client), (socket.SO_RCVBUF, near)):
        side.setsockopt(socket.SOL_SOCKET, buffer, 1 << 20)
    client.sendall(HEAD + bytes(size))
    client.shutdown(socket.SHUT_WR)
    assert reply_and_close(near, REPLY, ended=True)
    assert client.recv(1000) == REPLY
    assert client.recv(1) == b""


def test_a_client_that_has_ended_without_a_request_needs_a_connection(pair):
    client, near = pair
    client.shutdown(socket.SHUT_WR)
    assert not reply_and_close(near, REPLY, ended=True)


def test_health_is_not_refused_to_a_client_that_has_ended(pair):
    client, near = pair
    client.sendall(NOT_WHOLE["health"])
    client.shutdown(socket.SHUT_WR)
    assert not reply_and_close(near, REPLY, ended=True)
