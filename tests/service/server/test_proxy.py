"""Behind a real nginx: what it reads as one request is one here too."""

import os
import re
import shutil
import signal
import socket
import subprocess
from types import SimpleNamespace

import pytest

from bench.harness.server import START_S
from tests.service.server.test_smuggling import AMBIGUOUS, RAW, request
from tests.support.server import eventually, free_port
from tests.support.wire import connect, post, read_all, read_reply

CONFIG = """
daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
events {{}}
http {{
  log_format forwarded '$request_method $uri $upstream_status';
  access_log {folder}/access.log forwarded;
  client_header_timeout 1s; client_body_timeout 1s; keepalive_timeout 1s;
  # Its files may not be its worker's: nothing may be written into any.
  client_body_buffer_size 1m; proxy_max_temp_file_size 0;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  upstream service {{ server 127.0.0.1:{service}; keepalive 4; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://service; proxy_http_version 1.1; proxy_set_header Connection "";
    }}
  }}
}}
"""


def listens(port):
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module")
def proxied(start, tmp_path_factory):
    """The service with an access log, and an nginx in front of it."""
    # Where Debian puts it is not on every user's path.
    nginx = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if nginx is None:
        pytest.skip("needs nginx, found none")
    server = start("--access-logfile", "-").wait_ready()
    folder = tmp_path_factory.mktemp("nginx")
    port = free_port()
    config = folder / "nginx.conf"
    config.write_text(CONFIG.format(folder=folder, service=server.port, port=port))
    process = subprocess.Popen([nginx, "-e", folder / "error.log", "-c", config])
    eventually(lambda: process.poll() is not None or listens(port))
    assert process.poll() is None, (folder / "error.log").read_text()
    yield SimpleNamespace(port=port, server=server, log=folder / "access.log")
    process.terminate()
    process.wait(START_S)


def forwarded(proxied):
    """Return how often nginx has forwarded the request that hides behind another."""
    return len(re.findall(r"^GET /smuggled \d+$", proxied.log.read_text(), re.M))


def received(proxied):
    """Return how often it has arrived."""
    return len(re.findall(r'"GET /smuggled HTTP', proxied.server.log))


def send(proxied, content):
    # nginx drops what a half-closed client asks for, so a last request asks to close.
    last = b"GET /last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    with connect(proxied, content + last) as client:
        return read_all(client)


def test_no_request_hides_in_another(proxied, frames):
    assert b" 404 " in send(proxied, request(b"Content-Length: 3", body=b"abc"))
    for content in AMBIGUOUS.values():
        send(proxied, content)
    with connect(proxied, post(frames[7].tobytes())) as client:  # on the same connections
        status, _, body = read_reply(client)
    assert (status, b'"digit":7' in body) == (200, True)
    # One for certain: the first, which is not ambiguous.
    assert received(proxied) == forwarded(proxied) >= 1


def test_a_prediction_through_the_proxy_is_the_same_to_the_byte(proxied, frames):
    body = frames[:64].tobytes()
    direct = proxied.server.post(body, RAW)
    with connect(proxied, post(body)) as client:
        assert read_reply(client)[2] == direct.body


def test_a_refusal_and_its_headers_come_through(proxied):
    with connect(proxied, b"GET /predict HTTP/1.1\r\nHost: x\r\n\r\n") as client:
        status, headers, _ = read_reply(client)
    assert (status, headers["Allow"]) == (405, "OPTIONS, POST")


def test_a_reload_loses_nothing_that_the_proxy_has_forwarded(proxied, frames):
    # nginx keeps connections to the service, and may use one just when it is about to end.
    old = proxied.server.worker_pids()
    proxied.server.process.send_signal(signal.SIGHUP)
    statuses = set()
    while set(old) & set(proxied.server.worker_pids()):
        with connect(proxied, post(frames[7].tobytes())) as client:
            statuses.add(read_reply(client)[0])
    assert statuses == {200}
