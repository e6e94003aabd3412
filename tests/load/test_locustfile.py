"""The load test itself, run by a real Locust in its own environment."""

import http.server
import json
import os
import re
import socket
import socketserver
import subprocess
import threading
import time
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BIN = ROOT / ".venv" / "load" / "bin"  # `make test` makes it


def locust(host, *options, seconds=3):
    command = [BIN / "locust", "-f", "load/locustfile.py", "--host", host, "--headless"]
    command += ["--users", "4", "--spawn-rate", "4", "--run-time", f"{seconds}s", *options]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("LOCUST")}
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=90
    )


def verdict(completed):
    """Return the marks, in order: requests, failures, p99."""
    return "".join(re.findall("[✓✗]", completed.stderr))


@pytest.fixture
def impostor():
    """A fast server that answers every request with the same bytes."""
    reply = {"body": b""}

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Length", str(len(reply["body"])))
            self.end_headers()
            self.wfile.write(reply["body"])

        def log_message(self, *_):
            pass

    class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", reply
        server.shutdown()


def test_load_on_a_good_service_passes(url):
    completed = locust(url, "--max-p99", "5000")
    assert (completed.returncode, verdict(completed)) == (0, "✓✓✓"), completed.stderr


def test_p99_past_its_limit_fails(url):
    completed = locust(url, "--max-p99", "0.001")
    assert (completed.returncode, verdict(completed)) == (1, "✓✓✗"), completed.stderr


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not an answer: b''"),
        (b'{"predictions": []}', "not an answer"),
        (
            json.dumps(
                {"predictions": [{"digit": 11, "probabilities": [0.1] * 10}]}
            ).encode(),
            r"read a \d as 11",
        ),
    ],
    ids=["empty", "none", "wrong"],
)
def test_a_fast_wrong_answer_is_a_failure(impostor, body, reason):
    host, reply = impostor
    reply["body"] = body
    completed = locust(host, "--max-p99", "5000", seconds=2)
    assert (completed.returncode, verdict(completed)) == (1, "✓✗✓"), completed.stderr
    assert re.search(reason, completed.stdout + completed.stderr)


def test_failures_within_their_limit_pass(impostor):
    host, _ = impostor
    completed = locust(host, "--max-p99", "5000", "--max-fail-percent", "100", seconds=2)
    assert (completed.returncode, verdict(completed)) == (0, "✓✓✓"), completed.stderr


def test_a_host_that_does_not_answer_fails():
    completed = locust("http://127.0.0.1:9", seconds=2)
    assert completed.returncode == 1
    assert "✗ 100.000 % failed <= 0 %" in completed.stderr


def test_locusts_own_page_offers_the_limits(url):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [BIN / "locust", "-f", "load/locustfile.py", "--host", url]
    options = ["--web-host", "127.0.0.1", "--web-port", str(port)]
    process = subprocess.Popen([*command, *options], cwd=ROOT, stderr=subprocess.DEVNULL)
    try:
        for _ in range(300):
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/") as reply:
                    page = reply.read().decode()
                break
            except OSError:
                time.sleep(0.1)
        assert "max_p99" in page
        assert "max_fail_percent" in page
    finally:
        process.kill()
        process.wait()
