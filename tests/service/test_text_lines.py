"""The access log's usual text: the same as gunicorn's own, to the byte."""

import base64
import json
import os
import re
import socket
from types import SimpleNamespace

import pytest
from gunicorn.config import Config

from service.gateway import Gateway
from service.http1 import Request
from service.log import Logger
from service.replies import json as in_json
from service.replies import overloaded as overload
from service.replies import refusal

USER = base64.b64encode(b'us"er:pass').decode()
FORGER = base64.b64encode("a\n127.0.0.1 - - \x85\u2028:pass".encode()).decode()
HEADS = {
    "plain": [],
    "all": [
        "User-Agent: a/1 (b; c)",
        "Referer: http://x/y",
        f"Authorization: Basic {USER}",
    ],
    "quotes": ['User-Agent: "a" \\"', 'Referer: "'],
    "repeated": ["User-Agent: a", "User-Agent: b", "Referer:"],
    "not ASCII": ["User-Agent: \xe9\x85\xe2\x80\xa8", "Referer: \xff"],
    "no user": ["Authorization: Basic !", "Cookie: a"],
    "a user of lines": [f"Authorization: Basic {FORGER}"],
    "a key": ["Authorization: Bearer abc"],
    "underscores": ["User_Agent: a", "Content-Type: image/png"],
}
PEERS = {"tcp": ("127.0.0.1", 1), "tcp 6": ("::1", 1, 0, 0), "unix": ("", 0)}


@pytest.fixture
def write(tmp_path):
    """Return the bytes that are logged, by gunicorn's way or by the short one."""

    def write(usual, request, peer, reply):
        path = tmp_path / "log"
        path.unlink(missing_ok=True)
        cfg = Config()
        cfg.set("accesslog", str(path))
        log = Logger(cfg)
        log.usual = usual
        log.now = lambda: "[now]"
        connection = SimpleNamespace(peer=peer, server=("127.0.0.1", 8000))
        gateway = Gateway(None, cfg, log)
        gateway.log([(connection, request, "id", reply)] * 2, 0.1)
        return path.read_bytes()

    return write


@pytest.mark.parametrize("peer", PEERS.values(), ids=PEERS)
@pytest.mark.parametrize("lines", HEADS.values(), ids=HEADS)
def test_a_line_is_gunicorn_s_to_the_byte(write, lines, peer):
    head = ["POST /predict?a=%22\"'b HTTP/1.0", "Host: x", *lines, "", ""]
    content = "\r\n".join(head).encode("latin-1")
    for reply in (in_json({"a": 1}), refusal(overload("too much"))):
        request = Request(content, Config(), peer)
        expected = write(False, request, peer, reply)
        assert expected.count(b"[now]") == expected.count(b"\n") == 2
        assert write(True, request, peer, reply) == expected


def test_a_format_of_one_s_own_is_gunicorn_s_and_knows_the_trace(start, frames):
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    options = ("--access-logfile", "-", "--access-logformat", "%({traceparent}i)s %(s)s")
    server = start(*options, WEB_CONCURRENCY="1").wait_ready()
    for number in range(3):
        headers = {"Content-Type": "application/octet-stream"}
        headers["traceparent"] = trace.replace("4bf", f"00{number}")
        server.request("POST", "/predict", frames[number].tobytes(), headers)
    server.wait_until("00-002.* 200")
    found = re.findall(
        r"^00-(00\d)92f3577b34da6a3ce929d0e0e4736-\S+ 200$", server.log, re.M
    )
    assert found == ["000", "001", "002"]


def test_a_client_of_a_unix_socket_has_a_line_whatever_it_is_called(start, tmp_path):
    path = str(tmp_path / "s")
    options = ("--bind", f"unix:{path}", "--access-logfile", "-")
    server = start(*options, WEB_CONCURRENCY="1").wait_ready()
    with socket.socket(socket.AF_UNIX) as client:
        client.bind(f"\0{os.getpid()}\nforged")  # one of Linux's names that are no paths
        client.connect(path)
        client.sendall(b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx")
        assert client.recv(1000).startswith(b"HTTP/1.1 415 ")
    server.wait_until(r'(?m)^ - - \S+ \S+ "POST /predict HTTP/1.1" 415 ')


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_a_log_of_one_s_own_has_every_line(start, tmp_path, frames, log_format):
    # The handler is the root's, and gunicorn's log of requests has none.
    config = {
        "version": 1,
        "handlers": {
            "all": {"class": "logging.FileHandler", "filename": f"{tmp_path}/log"}
        },
        "root": {"level": "INFO", "handlers": ["all"]},
        "loggers": {"gunicorn.access": {"level": "INFO", "propagate": True}},
    }
    (tmp_path / "config").write_text(json.dumps(config))
    options = ("--log-config-json", str(tmp_path / "config"))
    server = start(*options, WEB_CONCURRENCY="1", MNIST_LOG_FORMAT=log_format).wait_ready()
    server.post(frames[0].tobytes(), "application/octet-stream")
    assert server.stop() == 0
    lines = (tmp_path / "log").read_text().splitlines()
    assert ["/readyz" in lines[0], "/predict" in lines[1], len(lines)] == [True, True, 2]
