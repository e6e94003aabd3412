"""A service with all of its access control switched on, in each of its ways."""

import re

import pytest

from bench.harness.server import free_port
from tests.service.conftest import WAYS

KEY, OTHER = "0123456789abcdef", "second.key~of-the_file+/=="
RAW = "application/octet-stream"
BEARER = {"Authorization": f"Bearer {KEY}"}
HOST = {"Host": "digits.example"}
METRICS_HOST = "127.0.0.2"  # where nobody else has a port


def write_keys(path, *keys):
    path.write_text("# keys of the test\n\n" + "".join(f"{key}\n" for key in keys))
    return str(path)


@pytest.fixture(scope="session")
def guarded(start_once, tmp_path_factory):
    """A server of each way, with all of it switched on; its two addresses share a port."""
    servers = {}
    for way, (options, environment) in WAYS.items():
        port, folder = free_port(), tmp_path_factory.mktemp("access")
        servers[way] = start_once(
            *("--bind", f"unix:{folder}/socket"),
            *options,
            **environment,
            port=port,
            MNIST_API_KEYS=write_keys(folder / "keys", KEY, OTHER),
            MNIST_TRUSTED_HOSTS=f"digits.example, .inner.example, {METRICS_HOST}",
            MNIST_METRICS_BIND=f"{METRICS_HOST}:{port}",
        ).wait_ready()
        servers[way].unix = f"{folder}/socket"
    return servers


@pytest.fixture(params=WAYS)
def one(guarded, request):
    return guarded[request.param]


def post(frames, *headers, host="digits.example"):
    body = frames[3].tobytes()
    lines = ["POST /predict HTTP/1.1", f"Host: {host}", "X-Request-ID: one"]
    lines += [f"Content-Type: {RAW}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def same_reply(servers, content):
    """Return the reply that all ways give, without the times."""
    replies = {
        re.sub(rb"\r\nDate: [^\r]+|;dur=[\d.]+", b"", server.raw(content))
        for server in servers.values()
    }
    (reply,) = replies
    return reply
