"""Hosts, targets that are no path, and what a page of another site may send."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.inference.access import Access
from service.settings import Settings
from tests.service.conftest import WAYS

RAW = "application/octet-stream"
# By the grammar of RFC 3986, 3.2.2, and RFC 9110, 4.2.3: a Host is no empty one.
GOOD = ["x", "digits.example.", "a_b", "a~b", "%41", "x:", "x:80", "1.2.3.4:5", "a..b"]
GOOD += ["[::1]", "[::1]:8000", "[::ffff:1.2.3.4]", "[v1.x:y]", "X" * 300]
GOOD += ["a!$&'()*+,;=b"]
BAD = [
    "",
    " ",
    "a@b",
    "a/b",
    "a, b",
    "a b",
    "a?b",
    "a#b",
    "a\\b",
    "[::1",
    "::1",
    "[]",
    "[x]",
]
BAD += [
    "x:y",
    "x:80:80",
    "x:-1",
    ":80",
    "%4",
    "%",
    "<x>",
    "\xe9",
    '"x"',
    "http://x",
    "[::1]x",
]


def post(frames, *headers, target="/predict", host="x"):
    body = frames[3].tobytes()
    lines = [f"POST {target} HTTP/1.1", f"Host: {host}", f"Content-Type: {RAW}"]
    lines += [f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def status(server, content):
    return int(server.raw(content).split(b" ", 2)[1])


def test_a_host_of_the_grammar_is_taken(server, frames):
    for host in GOOD:
        assert status(server, post(frames, host=host)) == 200, host
        page = f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
        assert status(server, page) == 200, host


@pytest.mark.parametrize("path", ["/livez", "/", "/predict", "/nope"])
def test_another_host_is_refused(server, frames, path):
    for host in BAD:
        content = f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode("latin-1")
        found = server.raw(post(frames, host=host) if path == "/predict" else content)
        assert found.startswith(b"HTTP/1.1 400 "), host
        assert b"header Host is" in found, host


@given(st.ip_addresses(v=6), st.integers(0, 65535))
def test_every_address_of_version_6_is_a_host(address, port):
    assert Access(Settings()).refuse("/", {"host": f"[{address}]:{port}"}) is None


def test_an_old_request_needs_no_host(server):
    assert status(server, b"GET /livez HTTP/1.0\r\n\r\n") == 200


def test_a_request_needs_one(server):
    assert status(server, b"GET /livez HTTP/1.1\r\n\r\n") == 400


@pytest.fixture(scope="module", params=WAYS)
def named(start, request):
    """A server with names."""
    options, environment = WAYS[request.param]
    environment = {**environment, "MNIST_TRUSTED_HOSTS": "digits.example,127.0.0.1"}
    return start(*options, **environment).wait_ready()


@pytest.mark.parametrize(
    "host", ["digits.example.", "Digits.Example.:8000", "digits.example:", "127.0.0.1:1"]
)
def test_a_name_is_trusted_however_it_is_written(named, frames, host):
    assert status(named, post(frames, host=host)) == 200
    assert status(named, f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()) == 200


@pytest.mark.parametrize("host", ["digits.example..", "evil", "digits.example.evil", "."])
def test_another_name_is_not(named, frames, host):
    assert status(named, post(frames, host=host)) == 400
    assert status(named, f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()) == 400


@pytest.mark.parametrize("path", ["/", "/learn", "/predict"])
def test_the_host_of_an_absolute_target_counts(named, frames, path):
    """RFC 9112, 3.2.2."""
    method = "POST" if path == "/predict" else "GET"
    for target, host, expected in [
        (f"http://evil{path}", "digits.example", 400),
        (f"http://evil:80{path}?digits.example", "digits.example", 400),
        (f"http://digits.example{path}", "evil", 200),
        (f"HTTP://digits.example:8000{path}", "digits.example", 200),
        (f"http://digits.example@evil{path}", "digits.example", 400),
        (f"http://{path}", "digits.example", 400),
    ]:
        content = post(frames, target=target, host=host)
        if method == "GET":
            content = f"GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
        assert status(named, content) == expected, target


def test_options_of_the_whole_server(server):
    found = server.raw(b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n")
    assert found.startswith(b"HTTP/1.1 200 ")
    assert b"\r\nAllow: GET, HEAD, OPTIONS, POST\r\n" in found


@pytest.mark.parametrize("target", ["x:443", "[::1]:443", "/predict", "/livez"])
def test_connect_is_not_allowed(server, target):
    content = f"CONNECT {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    found = server.raw(content)
    assert found.startswith(b"HTTP/1.1 405 ")
    assert re.search(rb"\r\nAllow: [A-Z, ]+\r\n", found)


@pytest.mark.parametrize("name", ["websocket", "h2c", "WebSocket"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_upgrade_is_ignored(server, frames, name, method):
    """RFC 9110, 7.8."""
    headers = ("Connection: Upgrade", f"Upgrade: {name}", "Sec-WebSocket-Key: x")
    content = post(frames, *headers)
    if method == "GET":
        lines = ["GET /livez HTTP/1.1", "Host: x", *headers]
        content = "\r\n".join(lines).encode() + b"\r\n\r\n"
    assert status(server, content) == 200


PATHS = ["/predict", "/explain", "/v1/models/mnist:predict", "/v2/models/mnist/infer"]
PATHS += ["/v1/models/mnist/versions/1:predict", "/v2/models/mnist/versions/1/infer"]
PATHS += ["/invocations", "/v1/models/mnist:explain"]


@pytest.mark.parametrize("path", PATHS)
def test_no_page_of_another_site_makes_work(server, frames, path):
    """Without a preflight browsers send text/plain and forms, and do not wait for leave."""
    found = server.raw(post(frames, "Sec-Fetch-Site: cross-site", target=path))
    assert found.startswith(b"HTTP/1.1 403 ")
    assert b"expected no page of another site" in found


@pytest.mark.parametrize("site", ["same-origin", "same-site", "none"])
def test_other_pages_do(server, frames, site):
    assert status(server, post(frames, f"Sec-Fetch-Site: {site}")) == 200


def test_a_link_of_another_site_is_followed(server):
    headers = {"Sec-Fetch-Site": "cross-site"}
    assert server.request("GET", "/", headers=headers).status == 200


def test_the_refusal_is_counted_by_its_reason(server, frames):
    server.raw(post(frames, "Sec-Fetch-Site: cross-site"))
    assert 'reason="cross_site"' in server.request("GET", "/metrics").body.decode()


@pytest.mark.parametrize("verb", ["load", "unload"])
def test_models_are_not_loaded_by_clients(server, verb):
    answer = server.post(b"{}", path=f"/v2/repository/models/mnist/{verb}")
    assert answer.status == 403
    assert f"found a request to {verb} model 'mnist'" in answer.json["error"]
    assert server.post(b"{}", path=f"/v2/repository/models/x/{verb}").status == 404


def test_a_method_is_allowed_where_a_path_has_it(server):
    answer = server.request("OPTIONS", "/v1/models/mnist:predict")
    assert set(answer.headers["Allow"].split(", ")) == {"OPTIONS", "POST"}
    assert server.request("GET", "/v1/models/mnist:predict").status == 405
