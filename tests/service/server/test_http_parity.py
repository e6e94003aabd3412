"""This worker and gunicorn's own: what reaches the application is the same."""

import json
import re
import socket
import subprocess
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bench.harness.server import START_S, free_port

APPLICATION = """
import json

def app(environ, start_response):
    kept = ("REQUEST_METHOD", "PATH_INFO", "QUERY_STRING", "RAW_URI", "SERVER_PROTOCOL",
            "SCRIPT_NAME", "CONTENT_TYPE", "CONTENT_LENGTH", "REMOTE_ADDR", "SERVER_NAME",
            "wsgi.url_scheme", "wsgi.run_once", "wsgi.input_terminated")
    seen = {k: v for k, v in environ.items() if k in kept or k.startswith("HTTP_")}
    seen["body"] = environ["wsgi.input"].read().hex()
    reply = json.dumps(seen).encode()
    start_response("200 OK", [("Content-Length", str(len(reply)))])
    return [reply]
"""


class Gunicorn:
    """A gunicorn with the small application above."""

    def __init__(self, python, root, folder, *options):
        self.port = free_port()
        command = [python, "-m", "gunicorn", "--bind", f"127.0.0.1:{self.port}"]
        command += ["--pythonpath", f"{root},{folder}", "--no-control-socket"]
        self.process = subprocess.Popen(
            [*command, *options, "echo_wsgi:app"], stderr=subprocess.DEVNULL
        )

    def send(self, content):
        """Send, close the sending side, and return everything that arrives."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=START_S) as client:
            client.sendall(content)
            client.shutdown(socket.SHUT_WR)
            received = b""
            try:
                while chunk := client.recv(65536):
                    received += chunk
            except ConnectionResetError:
                pass
            return received


@pytest.fixture(scope="module")
def both(root, tmp_path_factory):
    folder = tmp_path_factory.mktemp("echo")
    (folder / "echo_wsgi.py").write_text(APPLICATION)
    python = root / ".venv" / "service" / "bin" / "python"
    servers = [
        Gunicorn(python, root, folder, "--worker-class", "service.server.worker.Worker"),
        Gunicorn(python, root, folder, "--worker-class", "gthread", "--threads", "2"),
    ]
    for server in servers:
        deadline = time.monotonic() + START_S
        while True:
            try:
                assert server.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                break
            except OSError:
                assert time.monotonic() < deadline
                time.sleep(0.05)
    yield servers
    for server in servers:
        server.process.terminate()
        assert server.process.wait(START_S) == 0


def answers(received):
    """Return status, connection header and the environ of each reply."""
    found = []
    while received:
        head, _, rest = received.partition(b"\r\n\r\n")
        status = int(head.split(b" ", 2)[1])
        connection = re.search(rb"(?i)\r\nconnection: (\S+)", head)
        length = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
        # No body follows a HEAD, but the next reply may.
        head_only = not length or not rest or rest.startswith(b"HTTP/1.")
        size = 0 if head_only else int(length[1])
        body, received = rest[:size], rest[size:]
        seen = json.loads(body) if status == 200 and body else None
        found.append((status, connection and connection[1].lower(), seen))
    return found


token = st.text("abcXYZ019!#$%&'*+-.^_`|~", min_size=1, max_size=8)
value = st.text(
    st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"),
    max_size=12,
)
method = st.sampled_from(
    ["GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "BREW", "A-B", "get", "G", "G@T"]
)
target = st.one_of(
    st.sampled_from(
        [
            "/",
            "/a%20b?c=%41&d",
            "//a/b",
            "/a#b",
            "/%",
            "/a;b=c",
            "http://y/a?b",
            "*",
            "y:80",
        ]
        + ["", "a", "/a b", "/\xe9", "/" + "a" * 4100, "http://[x/a", "/a?b?c", "/?", "/.."]
    ),
    st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=9).map(
        "/".__add__
    ),
)
header = st.one_of(
    st.tuples(token, value),
    st.sampled_from(
        [
            ("Connection", "close"),
            ("Connection", "keep-alive"),
            ("Connection", "Close"),
            ("Content-Type", "text/plain"),
            ("X-Forwarded-Proto", "https"),
            ("X-Forwarded-Ssl", "on"),
            ("X_Underscore", "1"),
            ("Cookie", "a=b"),
            ("Cookie", "c=d"),
            ("Expect", "something"),
            ("Host", "second"),
            ("Script-Name", "/a"),
            ("Upgrade", "h2c"),
            ("Empty", ""),
            ("Tabs", "\t x \t"),
            ("Bare\nfeed", "x"),
            ("Folded", "x\r\n y"),
            ("Space ", "x"),
        ]
    ),
)


@st.composite
def requests(draw):
    line = f"{draw(method)} {draw(target)} HTTP/{draw(st.sampled_from(VERSIONS))}"
    headers = draw(st.lists(header, max_size=4))
    if draw(st.integers(0, 9)):
        headers.insert(0, ("Host", "x"))
    body = draw(st.binary(max_size=20))
    framing = draw(st.sampled_from(["none", "length", "length", "long", "chunked", "both"]))
    if framing in ("length", "both"):
        headers.append(("Content-Length", str(len(body))))
    if framing == "long":
        headers.append(("Content-Length", str(len(body) + 3)))
    if framing in ("chunked", "both"):
        headers.append(("Transfer-Encoding", "chunked"))
        body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body) if body else b"0\r\n\r\n"
    if framing == "none":
        body = b""
    text = "".join(f"{name}: {value}\r\n" for name, value in headers)
    return f"{line}\r\n{text}\r\n".encode("latin-1") + body


VERSIONS = ["1.1", "1.1", "1.1", "1.0", "1.0", "2.0", "0.9", "1.2", "x"]


@settings(
    max_examples=250,
)
@given(st.lists(requests(), min_size=1, max_size=2).map(b"".join))
@example(b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n")
@example(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" * 2)
@example(b"\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n")
@example(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nshort")
@example(b"GET / HTTP/1.1\r\nHost: x\r\nX-A: 1\r\nX-A: 2\r\nX_A: 3\r\n\r\n")
def test_both_reach_the_application_alike_or_this_one_refuses(both, content):
    ours, theirs = (answers(server.send(content)) for server in both)
    for mine, other in zip(ours, theirs):
        if mine[0] >= 400:
            return  # refused and closed, which RFC 9112 allows in doubt
        assert mine[0] == other[0]
        assert mine[2] == other[2]
        if mine[1] == b"close":
            # After a chunked body this one always closes; gunicorn does not.
            break
        assert mine[1] == other[1]
    assert len(ours) <= len(theirs)


@settings(max_examples=100)
@given(
    st.sampled_from(["GET", "POST", "PUT", "BREW"]),
    st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=9),
    st.lists(st.tuples(token.map("X-".__add__), value.map(str.strip)), max_size=4),
    st.binary(max_size=100),
)
def test_what_is_plainly_right_is_never_refused(both, name, path, headers, body):
    fields = [("Host", "x"), ("Content-Length", str(len(body))), *headers]
    text = "".join(f"{name}: {value}\r\n" for name, value in fields)
    head = f"{name} /{path} HTTP/1.1\r\n{text}\r\n".encode("latin-1")
    ours, theirs = (answers(server.send(head + body)) for server in both)
    assert ours == theirs
    assert ours[0][0] == 200
