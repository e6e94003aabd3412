"""The three paths to a reply: the same bytes, and the same counts."""

import json
import re

import pytest

from tests.support.wire import CHUNKED, RAW, chunks, post

REQUESTS = {
    "raw": lambda f: post(f[0].tobytes()),
    "raw reply": lambda f: post(f[:2].tobytes(), f"Accept: {RAW}"),
    "json": lambda f: post(
        json.dumps({"instances": f[:2].tolist()}).encode(), content_type="application/json"
    ),
    "v1": lambda f: post(
        json.dumps({"inputs": f[:2].tolist()}).encode(), path="/v1/models/mnist:predict"
    ),
    "v2": lambda f: post(
        json.dumps(
            {
                "inputs": [
                    {
                        "name": "image",
                        "datatype": "UINT8",
                        "shape": [1, 784],
                        "data": f[0].tolist(),
                    }
                ]
            }
        ).encode(),
        path="/v2/models/mnist/versions/1/infer",
    ),
    "echo": lambda f: post(f[0].tobytes(), path="/predict?echo=frame&version=1"),
    "bad query": lambda f: post(f[0].tobytes(), path="/predict?a%20b=%FF"),
    "bad version": lambda f: post(f[0].tobytes(), path="/predict?version=7"),
    "unknown model": lambda f: post(f[0].tobytes(), path="/v2/models/other/infer"),
    "short": lambda f: post(b"abc"),
    "blank": lambda f: post(bytes(784)),
    "type": lambda f: post(b"x", content_type="text/plain"),
    "no digits": lambda f: post(b"{", content_type="application/json"),
    "encoding": lambda f: post(b"x", "Content-Encoding: br"),
    "not gzip": lambda f: post(b"x", "Content-Encoding: gzip"),
    "too long": lambda f: post(bytes(17_000_000)),
    "chunked": lambda f: CHUNKED + chunks(f[0].tobytes()) + b"0\r\n\r\n",
    "no length": lambda f: b"POST /predict HTTP/1.1\r\nHost: x\r\n\r\n",
    "method": lambda f: b"GET /predict HTTP/1.1\r\nHost: x\r\n\r\n",
    "old": lambda f: post(f[0].tobytes()).replace(b"HTTP/1.1", b"HTTP/1.0"),
}


@pytest.fixture(scope="module")
def paths(start):
    return [
        start().wait_ready(),
        start(MNIST_FAST_PATH="0").wait_ready(),
        start("--worker-class", "gthread").wait_ready(),
    ]


@pytest.mark.parametrize("name", REQUESTS)
def test_the_reply_is_the_same_to_the_byte_on_every_path(paths, frames, name):
    request = REQUESTS[name](frames).replace(b"Host: x", b"Host: x\r\nX-Request-ID: one", 1)
    found = set()
    for server in paths:
        reply = server.raw(request)
        reply = re.sub(rb"\r\nDate: [^\r]+", b"", reply)
        reply = re.sub(rb";dur=[\d.]+", b"", reply)
        # A body that is left unread, or chunked, ends the connection of this worker only.
        if name in ("too long", "chunked"):
            reply = reply.replace(b"keep-alive", b"close")
        found.add(reply)
    (reply,) = found
    assert reply.startswith(b"HTTP/1.")
    assert b"\r\nX-Request-ID: one" in reply


def test_the_counts_are_the_same_on_every_path(paths, frames):
    def counts(server):
        text = server.request("GET", "/metrics").body.decode()
        lines = [line for line in text.splitlines() if "_count" in line]
        # Only this worker counts turns, and some have only a probe.
        return sorted(line for line in lines if not line.startswith("mnist_turn"))

    assert counts(paths[0])
    assert counts(paths[0]) == counts(paths[1]) == counts(paths[2])
