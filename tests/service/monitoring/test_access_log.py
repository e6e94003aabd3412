"""The access log in gunicorn's default text format: the same as gunicorn's, to the byte."""

import base64
import json
import os
import re
import socket

import pytest
from gunicorn.config import Config

from service.http import json as in_json
from service.http import overloaded, refusal
from service.monitoring.outcome import Outcome
from service.server.gateway import Gateway
from service.server.http1.request import Ends, HeadLimits, RequestHead
from service.server.logger import Logger

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
    """Return the bytes that are logged, by gunicorn or by the service itself."""

    def write(own, head, peer, reply):
        path = tmp_path / "log"
        path.unlink(missing_ok=True)
        cfg = Config()
        cfg.set("accesslog", str(path))
        log = Logger(cfg)
        log.writes_outcomes = own
        log.now = lambda: "[now]"
        ends = Ends(peer, ("127.0.0.1", 8000))
        outcome = Outcome("POST", "/predict", None, "id", reply, seconds=0.1)
        outcome.client, outcome.head = peer[0], head.facts
        Gateway(None, cfg, log).log([(ends, head, outcome)] * 2)
        return path.read_bytes()

    return write


@pytest.mark.parametrize("peer", PEERS.values(), ids=PEERS)
@pytest.mark.parametrize("lines", HEADS.values(), ids=HEADS)
def test_a_line_is_gunicorn_s_to_the_byte(write, lines, peer):
    content = ["POST /predict?a=%22\"'b HTTP/1.0", "Host: x", *lines, "", ""]
    content = "\r\n".join(content).encode("latin-1")
    for reply in (in_json({"a": 1}), refusal(overloaded("too much"))):
        head = RequestHead(content, HeadLimits.of(Config()))
        expected = write(False, head, peer, reply)
        assert expected.count(b"[now]") == expected.count(b"\n") == 2
        assert write(True, head, peer, reply) == expected


def test_a_custom_format_is_written_by_gunicorn_and_knows_the_trace(start, frames):
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    options = ("--access-logfile", "-", "--access-logformat", "%({traceparent}i)s %(s)s")
    server = start(*options).wait_ready()
    for number in range(3):
        headers = {"Content-Type": "application/octet-stream"}
        headers["traceparent"] = trace.replace("4bf", f"00{number}")
        server.request("POST", "/predict", frames[number].tobytes(), headers)
    server.wait_until("00-002.* 200")
    found = re.findall(
        r"^00-(00\d)92f3577b34da6a3ce929d0e0e4736-\S+ 200$", server.log, re.M
    )
    assert found == ["000", "001", "002"]


def test_a_client_of_a_unix_socket_has_a_line_whatever_its_name(start, tmp_path):
    path = str(tmp_path / "s")
    options = ("--bind", f"unix:{path}", "--access-logfile", "-")
    server = start(*options).wait_ready()
    with socket.socket(socket.AF_UNIX) as client:
        client.bind(f"\0{os.getpid()}\nforged")  # an abstract name, as Linux has them
        client.connect(path)
        client.sendall(b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx")
        assert client.recv(1000).startswith(b"HTTP/1.1 415 ")
    server.wait_until(r'(?m)^ - - \S+ \S+ "POST /predict HTTP/1.1" 415 ')


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_a_custom_log_configuration_gets_every_line(start, tmp_path, frames, log_format):
    # The handler is the root logger's; gunicorn's access logger has none.
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
    server = start(*options, MNIST_LOG_FORMAT=log_format).wait_ready()
    server.post(frames[0].tobytes(), "application/octet-stream")
    assert server.stop() == 0
    lines = (tmp_path / "log").read_text().splitlines()
    assert ["/readyz" in lines[0], "/predict" in lines[1], len(lines)] == [True, True, 2]
