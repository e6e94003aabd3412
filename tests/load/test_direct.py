"""What the reports know of the server is asked of it itself, not of a proxy."""

import http.server
import os
import subprocess
import threading

import pytest


@pytest.fixture
def host():
    """Return the address of a server that says what it is."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"name": "x", "version": "1.0"}')

        def log_message(self, *_):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def server_version(root, host, **variables):
    """Ask in a process of its own: the opener is made when the module is imported."""
    python = root / ".venv" / "load" / "bin" / "python"  # `make test` makes it
    script = f"from load import machine; print(machine.server_version({host!r}))"
    environment = {**os.environ, **variables}
    done = subprocess.run(
        [python, "-c", script], cwd=root, env=environment, capture_output=True, text=True
    )
    return done.stdout


def test_a_proxy_of_the_environment_is_not_asked_for_the_server(root, host):
    proxy = "http://127.0.0.1:9"  # nobody listens
    variables = {"http_proxy": proxy, "HTTP_PROXY": proxy, "no_proxy": "", "NO_PROXY": ""}
    assert server_version(root, host, **variables) == "x 1.0\n"


def test_a_server_that_does_not_answer_has_no_version(root):
    assert server_version(root, "http://127.0.0.1:9") == "None\n"
