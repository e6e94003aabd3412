"""Who may ask: keys, host names, the metrics' own address, and what browsers are told."""

import contextlib
import http.client
import os
import re
import signal
import socket

import pytest
from gunicorn.config import Config

from bench.harness.server import free_port
from service.errors import SettingsError
from service.inference.access import Access, read_keys
from service.model import snapshot
from service.server.http1.request import HeadLimits, RequestHead
from service.settings import Settings
from tests.service.conftest import WAYS
from tests.support.server import eventually

KEY, OTHER = "0123456789abcdef", "second.key~of-the_file+/=="
RAW = "application/octet-stream"
BEARER = {"Authorization": f"Bearer {KEY}"}
HOST = {"Host": "digits.example"}
METRICS_HOST = "127.0.0.2"  # where nobody else has a port


def write_keys(path, *keys):
    path.write_text("# keys of the test\n\n" + "".join(f"{key}\n" for key in keys))
    return str(path)


@pytest.fixture(scope="module")
def guarded(start, tmp_path_factory):
    """A server of each way, with all of it switched on; its two addresses share a port."""
    servers = {}
    for way, (options, environment) in WAYS.items():
        port, folder = free_port(), tmp_path_factory.mktemp("access")
        servers[way] = start(
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


def ask_metrics(server, path, method="GET", body=None, **headers):
    """Ask at the address of the metrics."""
    client = http.client.HTTPConnection(METRICS_HOST, server.port, 30)
    with contextlib.closing(client):
        client.request(method, path, body, headers)
        response = client.getresponse()
        return response.status, response.read()


# Keys.

REFUSED = {
    "none": [],
    "empty": ["Authorization:"],
    "scheme alone": ["Authorization: Bearer"],
    "wrong": ["Authorization: Bearer 0123456789abcdeF"],
    "start": [f"Authorization: Bearer {KEY[:-1]}"],
    "longer": [f"Authorization: Bearer {KEY}0"],
    "no scheme": [f"Authorization: {KEY}"],
    "basic": [f"Authorization: Basic {KEY}"],
    "two": [f"Authorization: Bearer {KEY}"] * 2,
    "two of which one is wrong": [f"Authorization: Bearer {k}" for k in (KEY, "x" * 16)],
    "all keys": [f"Authorization: Bearer {KEY} {OTHER}"],
    "long": [f"Authorization: Bearer {'k' * 7000}"],
    "Latin": ["Authorization: Bearer \xe9" + KEY],
    "another header": [f"X-API-Key: {KEY}"],
}


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


@pytest.mark.parametrize("name", REFUSED)
def test_without_a_key_all_ways_refuse_with_the_same_bytes(guarded, frames, name):
    reply = same_reply(guarded, post(frames, *REFUSED[name]))
    assert reply.startswith(b"HTTP/1.1 401 UNAUTHORIZED\r\n")
    assert b"\r\nWWW-Authenticate: Bearer\r\n" in reply
    assert reply.endswith(
        b'{"error":"found no valid API key, '
        b'expected the header Authorization: Bearer <key>"}'
    )


@pytest.mark.parametrize(
    "value", [f"Bearer {KEY}", f"Bearer {OTHER}", f"bearer {KEY}", f"Bearer  {KEY} "]
)
def test_with_a_key_of_the_file_all_ways_answer_with_the_same_bytes(guarded, frames, value):
    reply = same_reply(guarded, post(frames, f"Authorization: {value}"))
    assert reply.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b'"digit":3' in reply


@pytest.mark.parametrize("known", [False, True])
def test_a_head_that_is_known_is_as_open_as_before(one, frames, known):
    """A worker remembers heads by their bytes: with a key and without are two of them."""
    for _ in range(3):
        headers = [f"Authorization: Bearer {KEY}"] if known else []
        reply = one.raw(post(frames, *headers))
        assert reply.startswith(b"HTTP/1.1 200" if known else b"HTTP/1.1 401")


@pytest.mark.parametrize(
    ("field", "special"),
    [(b"Authorization: Bearer a_key_of_16_bytes", False), (b"A_b: c", True)],
)
def test_a_head_with_a_key_can_be_remembered(field, special):
    """Underscores make a header's name special, which no head is remembered with."""
    head = b"GET / HTTP/1.1\r\nHost: x\r\n" + field + b"\r\n\r\n"
    assert RequestHead(head, HeadLimits.of(Config())).special is special


@pytest.mark.parametrize(
    "path",
    [
        *("/livez", "/readyz", "/v2/health/live", "/v2/health/ready", "/", "/learn"),
        *("/ping", "/health"),
        *("/docs", "/docs/css/swagger-ui.css", "/static/style.css", "/openapi.json"),
        "/gallery.json",
    ],
)
def test_probes_and_pages_need_no_key(one, path):
    assert one.request("GET", path, headers=HOST).status == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        *(
            ("GET", "/weights"),
            ("GET", "/lesson.json"),
            ("GET", "/metrics"),
            ("GET", "/v2"),
        ),
        *(("GET", "/v1/models"), ("GET", "/v2/models/stats"), ("POST", "/explain")),
        *(("POST", "/v2/models/mnist/infer"), ("POST", "/v1/models/mnist:predict")),
        *(("POST", "/invocations"), ("POST", "/v1/models/mnist:explain")),
        *(("POST", "/predict?version=9"), ("GET", "/predict"), ("OPTIONS", "/predict")),
        *(("GET", "/nope"), ("GET", "/docs/../weights/"), ("GET", "/static")),
    ],
)
def test_all_else_needs_a_key_whether_it_exists_or_not(one, method, path):
    answer = one.request(method, path, headers=HOST)
    expected = 404 if path.startswith("/docs/") else 401
    assert (answer.status, list(answer.json)) == (expected, ["error"])


def test_a_key_is_never_told(guarded, frames):
    for server in guarded.values():
        assert KEY.encode() not in server.raw(post(frames, f"Authorization: Basic {KEY}"))
        assert KEY.encode() not in server.raw(post(frames, f"Authorization: Bearer {KEY}0"))
        assert KEY not in server.log


def test_the_document_says_where_a_key_is_needed(one):
    document = one.request("GET", "/openapi.json", headers=HOST).json
    assert document["components"]["securitySchemes"]["key"]["scheme"] == "bearer"
    locked = {
        path
        for path, operations in document["paths"].items()
        for operation in operations.values()
        if operation.get("security") and "401" in operation["responses"]
    }
    assert {"/predict", "/weights", "/v2", "/lesson.json"} <= locked
    assert not {"/", "/livez", "/v2/health/live", "/openapi.json"} & locked
    assert "/metrics" not in document["paths"]


def test_a_reload_takes_the_new_keys_and_no_longer_the_old_ones(start, frames, tmp_path):
    path = tmp_path / "keys"
    server = start(MNIST_API_KEYS=write_keys(path, KEY)).wait_ready()

    def status(key):
        headers = {"Authorization": f"Bearer {key}", "Content-Type": RAW}
        return server.request("POST", "/predict", frames[3].tobytes(), headers).status

    assert (status(KEY), status(OTHER)) == (200, 401)
    write_keys(path, OTHER)
    assert (status(KEY), status(OTHER)) == (200, 401)  # not before the signal
    (before,) = server.worker_pids()
    os.kill(server.process.pid, signal.SIGHUP)
    eventually(lambda: before not in server.worker_pids() and status(OTHER) == 200)
    assert (status(KEY), status(OTHER)) == (401, 200)


# Files of keys, and other values, that cannot work.


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "a file without a key, expected one a line"),
        ("# only words\n\n", "a file without a key, expected one a line"),
        (
            f"{KEY}\n012345678901234\n",
            "line 2 has 15 characters and is no key, expected at",
        ),
        (
            f"{KEY} {OTHER}\n",
            "line 1 has 43 characters and is no key, expected at least 16",
        ),
        (f"{KEY}\xe9\n", "line 1 has 17 characters and is no key"),
        (f"{KEY}\x00\n", "line 1 has 17 characters and is no key"),
        (f"====={KEY}\n", "line 1 has 21 characters and is no key"),
    ],
    ids=range(7),
)
def test_a_file_without_usable_keys_is_refused_and_no_key_is_told(
    tmp_path, content, message
):
    path = tmp_path / "keys"
    path.write_text(content)
    with pytest.raises(SettingsError) as caught:
        read_keys(path.read_bytes())
    assert str(caught.value).startswith("MNIST_API_KEYS is a file ")
    assert message in str(caught.value)
    assert KEY not in str(caught.value)


def test_what_is_no_text_file_is_refused(tmp_path):
    (tmp_path / "bytes").write_bytes(b"\xff" * 20)
    for name, why in (("none", "No such file"), (".", "directory"), ("bytes", "in UTF-8")):
        settings = Settings(api_keys=tmp_path / name)
        keys = snapshot.read(settings).keys
        with pytest.raises(SettingsError, match="expected the path of a file") as caught:
            Access(settings, keys)
        assert why in str(caught.value)


@pytest.mark.parametrize("key", [KEY, KEY * 20, f"../{KEY}", f"\n{KEY}"])
def test_a_key_in_place_of_the_path_is_not_told(key):
    settings = Settings.from_environment({"MNIST_API_KEYS": key})
    with pytest.raises(SettingsError, match="expected the path of a file") as caught:
        Access(settings, snapshot.read(settings).keys)
    assert KEY not in str(caught.value)


def test_without_its_file_of_keys_the_service_does_not_start(start, tmp_path):
    server = start(MNIST_API_KEYS=str(tmp_path / "none"))
    assert server.wait() == 4
    assert "error: MNIST_API_KEYS cannot be read, expected the path of" in server.log
    assert str(tmp_path) not in server.log  # it may be a key
    assert "Traceback" not in server.log


@pytest.mark.parametrize(
    "value", ["http://x", "x:80", "*", "*.x", "x,", ",x", "x y", "é.example", "-x", "[::1]"]
)
def test_what_is_no_host_name_is_refused(value):
    with pytest.raises(SettingsError, match="MNIST_TRUSTED_HOSTS .* expected host names"):
        Settings.from_environment({"MNIST_TRUSTED_HOSTS": value})


@pytest.mark.parametrize(
    "value",
    [
        *("9090", ":9090", "localhost:9090", "127.0.0.1", "127.0.0.1:", "127.0.0.1:0"),
        *("127.0.0.1:65536", "127.0.0.256:9090", "::1:9090", "[127.0.0.1]:80", "[x]:9090"),
        *("127.0.0.1:٣", "unix:/tmp/x"),
    ],
)
def test_what_is_no_address_is_refused(value):
    with pytest.raises(SettingsError, match="MNIST_METRICS_BIND .* expected an IP address"):
        Settings.from_environment({"MNIST_METRICS_BIND": value})


@pytest.mark.parametrize("path", ["/predict", "/invocations", "/v1/x:predict"])
def test_a_path_that_predicts_is_none_for_health_checks(path):
    """It would need no key."""
    with pytest.raises(SettingsError, match="MNIST_HEALTH_ROUTE has value .* of its own"):
        Access(Settings(health_route=path))


# Host names.


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("digits.example", 200),
        ("digits.example:8000", 200),
        ("DIGITS.Example", 200),
        ("a.b.inner.example", 200),
        ("inner.example", 200),
        ("sub.digits.example", 400),
        ("digits.example.evil", 400),
        ("evildigits.example", 400),
        ("notinner.example", 400),
        ("127.0.0.1", 400),
        ("digits.example@evil", 400),
        ("", 400),
    ],
)
def test_only_the_hosts_of_the_list_are_served(guarded, frames, host, status):
    reply = same_reply(guarded, post(frames, f"Authorization: Bearer {KEY}", host=host))
    assert reply.startswith(b"HTTP/1.1 %d " % status)
    if status == 400:
        assert b"header Host is" in reply


@pytest.mark.parametrize("path", ["/", "/static/style.css", "/openapi.json", "/nope"])
def test_pages_are_not_served_under_another_name(one, path):
    answer = one.request("GET", path, headers={"Host": "evil.example", **BEARER})
    assert (answer.status, list(answer.json)) == (400, ["error"])


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/v2/health/live"])
def test_probes_ask_by_address(one, path):
    assert one.request("GET", path).status == 200


@pytest.mark.parametrize(
    ("path", "host", "served"),
    [
        ("/metrics", "172.18.0.3:8000", True),
        ("/metrics", "[fd00::3]:8000", True),
        ("/metrics", "elsewhere.example", False),
        ("/metrics", "172.18.0.3.elsewhere.example", False),
        ("/weights", "172.18.0.3:8000", False),
    ],
)
def test_prometheus_asks_by_address_and_no_page_of_another_name_does(path, host, served):
    access = Access(Settings(trusted_hosts=("digits.example",)))
    refused = access.refuse(path, {"host": host})
    assert (refused is None) is served


# The metrics' own address.


def test_metrics_are_at_their_address_without_a_key(one):
    status, body = ask_metrics(one, "/metrics")
    assert status == 200
    assert b"mnist_model_version" in body


def test_who_says_to_be_at_that_address_is_not(one):
    """gunicorn's environ has the address of a Unix socket from the header Host."""
    content = b"GET /metrics HTTP/1.1\r\nHost: %b:%d\r\n\r\n"
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(one.unix)
        client.sendall(content % (METRICS_HOST.encode(), one.port))
        assert client.recv(100).startswith(b"HTTP/1.1 401 ")


def test_metrics_are_nowhere_else(one):
    answer = one.request("GET", "/metrics", headers={**HOST, **BEARER})
    assert (answer.status, list(answer.json)) == (404, ["error"])


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
def test_probes_are_at_both_addresses(one, path):
    assert ask_metrics(one, path)[0] == one.request("GET", path).status == 200


@pytest.mark.parametrize(
    "path", ["/", "/weights", "/predict", "/v2/models/mnist/infer", "/v2/health/live"]
)
def test_nothing_else_is_at_the_metrics_address(one, path):
    status, body = ask_metrics(one, path, "POST", bytes(784), **BEARER, **HOST)
    assert status == 404
    assert b"expected /metrics, /livez, /readyz" in body


def test_a_head_that_is_known_at_one_address_is_not_at_the_other(one, frames):
    """The same bytes to both, in turn: each address answers its own way."""
    content = post(frames, f"Authorization: Bearer {KEY}")
    for _ in range(2):
        assert one.raw(content).startswith(b"HTTP/1.1 200 ")
        with socket.create_connection((METRICS_HOST, one.port), 30) as client:
            client.sendall(content)
            assert client.recv(100).startswith(b"HTTP/1.1 404 ")


@pytest.mark.parametrize(
    ("bind", "own", "expected"),
    [
        ("127.0.0.1:9090", ("127.0.0.1", 9090), True),
        ("127.0.0.1:9090", ("127.0.0.1", 9091), False),
        ("127.0.0.1:9090", ("127.0.0.2", 9090), False),
        ("0.0.0.0:9090", ("10.1.2.3", 9090), True),
        ("0.0.0.0:9090", ("0.0.0.0", 9090), True),
        ("0.0.0.0:9090", ("::1", 9090, 0, 0), False),
        ("[::]:9090", ("::ffff:10.1.2.3", 9090, 0, 0), True),
        ("[::]:9090", ("127.0.0.1", 9090), False),
        ("[::1]:9090", ("::1", 9090, 0, 0), True),
        ("[0::1]:9090", ("::1", 9090, 0, 0), True),
        ("127.0.0.1:9090", "/run/127.0.0.1:9090", False),
        ("127.0.0.1:9090", None, False),
        ("", ("127.0.0.1", 9090), False),
    ],
)
def test_the_metrics_address_is_told_from_others(bind, own, expected):
    access = Access(Settings.from_environment({"MNIST_METRICS_BIND": bind}))
    assert access.is_metrics_address(own) is expected


# What browsers are told.

NOSNIFF = "X-Content-Type-Options"
EVERY_KIND = [
    *(
        ("GET", "/"),
        ("GET", "/static/style.css"),
        ("GET", "/openapi.json"),
        ("GET", "/docs"),
    ),
    *(("GET", "/livez"), ("GET", "/metrics"), ("GET", "/v2"), ("GET", "/weights")),
    *(("POST", "/predict"), ("POST", "/v2/models/mnist/infer"), ("GET", "/nope")),
    *(("GET", "/predict"), ("OPTIONS", "/predict"), ("HEAD", "/"), ("POST", "/explain")),
]


@pytest.mark.parametrize(("method", "path"), EVERY_KIND)
def test_no_reply_may_be_taken_for_another_type(server, frames, method, path):
    body = frames[3].tobytes() if method == "POST" else None
    answer = server.request(method, path, body, {"Content-Type": RAW} if body else {})
    assert answer.headers.get_all(NOSNIFF) == ["nosniff"]


@pytest.mark.parametrize("server", ["fast path"], indirect=True)
@pytest.mark.parametrize(
    "content",
    [
        b"x\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET /" + b"x" * 5000 + b" HTTP/1.1\r\n\r\n",
    ],
    ids=["400", "no host", "414"],
)
def test_nor_may_what_the_worker_itself_refuses(server, content):
    reply = server.raw(content)
    assert reply.startswith(b"HTTP/1.1 4")
    assert b"\r\nX-Content-Type-Options: nosniff\r\n" in reply


@pytest.mark.parametrize("path", ["/", "/learn", "/static/draw.js", "/weights"])
def test_other_sites_can_embed_nothing(server, path):
    headers = server.request("GET", path).headers
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"


@pytest.mark.parametrize("path", ["/", "/learn", "/docs"])
def test_pages_are_apart_from_other_sites_and_use_nothing_of_the_machine(server, path):
    headers = server.request("GET", path).headers
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    denied = headers["Permissions-Policy"].split(", ")
    assert {f"{name}=()" for name in ("camera", "microphone", "geolocation")} <= {*denied}
    assert {"payment=()", "usb=()"} <= {*denied}


@pytest.mark.parametrize("path", ["/predict", "/v2/models/mnist/infer", "/weights", "/"])
def test_no_other_site_s_page_is_let_in(server, path):
    headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    headers["Access-Control-Request-Headers"] = "content-type, authorization"
    for method in ("OPTIONS", "GET", "POST"):
        answer = server.request(method, path, headers=headers)
        assert not [name for name in answer.headers if "access-control" in name.lower()]
