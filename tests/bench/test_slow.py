"""The measurement beside slow clients: what it tells of each, on real sockets."""

import socket

import pytest

from bench import slow


@pytest.fixture
def pair():
    near, far = socket.socketpair()
    yield near, far
    near.close()
    far.close()


@pytest.mark.parametrize(
    ("sent", "closes", "expected"),
    [
        (b"HTTP/1.1 408 REQUEST TIMEOUT\r\n\r\n", True, slow.REFUSED),
        (b"HTTP/1.1 200 OK\r\n\r\n", True, slow.ENDED),
        (b"", True, slow.ENDED),
        (b"HTTP/1.1 200 OK\r\n\r\n", False, slow.OPEN),
    ],
)
def test_a_client_s_end_is_what_its_socket_says(pair, sent, closes, expected):
    near, far = pair
    far.sendall(sent)
    if closes:
        far.close()
    assert list(slow.ends([near])) == [expected]


def test_each_kind_connects_as_often_as_it_says_and_sends_its_bytes(monkeypatch):
    monkeypatch.setattr(slow, "CLIENTS", {"idle": (2, b""), "half a head": (1, b"POST")})
    with socket.create_server(("127.0.0.1", 0)) as server:
        clients = slow.connect(server.getsockname()[1])
        accepted = [server.accept()[0] for _ in range(3)]
    assert {kind: len(some) for kind, some in clients.items()} == {
        "idle": 2,
        "half a head": 1,
    }
    for client in (*clients["idle"], *clients["half a head"]):
        client.close()
    assert [found.recv(10) for found in accepted] == [b"", b"", b"POST"]
    for found in accepted:
        found.close()


def test_the_tables_say_how_each_kind_ended():
    latency = {"p50_us": 200.0, "p99_us": 1500.0, "max_us": 9000.0, "errors": 0}
    ended = {kind: {slow.ENDED: 3, slow.OPEN: 1} for kind in slow.CLIENTS}
    record = {
        "rate": 2000.0,
        "seconds": 13,
        "alone": latency,
        "memory_kb": [80_000, 90_500],
    }
    record["rounds"] = [{"latency": latency, "ends": ended}]
    text = slow.markdown(record)
    assert "| beside them, round 1 | 0.20 | 1.50 | 9.00 | 0 | 90.5 |" in text
    assert "| idle | 1000 | 3 closed, 1 still open |" in text
