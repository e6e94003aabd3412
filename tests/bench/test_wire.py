"""Requests and replies as bytes, against Python's own HTTP server."""

import http.server
import threading

import pytest

from bench.harness import wire

OK = b"HTTP/1.1 200 OK\r\ncontent-LENGTH: 3\r\n\r\nabc"


@pytest.fixture
def echo():
    """Return the port of a server that answers each body with itself."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(503 if self.path == "/busy" else 200)
            self.send_header("Retry-After", "1")
            self.send_header("Content-Length", str(len(body)))
            if self.path == "/last":
                self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,)).start()
        yield server.server_port
        server.shutdown()


def test_a_client_asks_again_and_again(echo):
    with wire.Client(echo) as client:
        for body in (b"one", bytes(300_000), b""):
            reply = client.ask(wire.request("/", body))
            assert (reply.status, reply.body) == (200, body)
        assert reply.headers["retry-after"] == "1"
        assert not reply.closes
        assert not client.is_closed


def test_a_reply_says_that_it_sheds_or_closes(echo):
    with wire.Client(echo) as client:
        assert client.ask(wire.request("/busy")).sheds
        assert client.ask(wire.request("/last")).closes
        with pytest.raises(ConnectionError):
            client.ask(wire.request("/"))


def test_a_reply_is_whole_at_its_last_byte():
    assert all(wire.parse(OK[:end]) is None for end in range(len(OK)))
    assert wire.parse(OK).body == b"abc"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (OK + b"d", "1 bytes after a reply: b'd'"),
        (OK.replace(b"/1.1", b"/1.0"), "expected HTTP/1.1"),
        (OK.replace(b"content-LENGTH: 3\r\n", b""), "one Content-Length"),
        (OK.replace(b"\r\n", b"\r\nContent-Length: 3\r\n", 1), "one Content-Length"),
        (OK.replace(b": 3", b": +3"), "one Content-Length"),
        (b"x" * 70_000, "over 65536 bytes"),
    ],
)
def test_what_is_not_one_reply_is_refused(content, reason):
    with pytest.raises(ValueError, match=reason.replace("+", r"\+")):
        wire.parse(content)
