"""Under which names the service answers, and where its metrics are."""

import contextlib
import http.client
import socket

import pytest

from service.errors import SettingsError
from service.inference.access import Access
from service.settings import Settings
from tests.service.inference.conftest import (
    BEARER,
    HOST,
    KEY,
    METRICS_HOST,
    post,
    same_reply,
)


def ask_metrics(server, path, method="GET", body=None, **headers):
    """Ask at the address of the metrics."""
    client = http.client.HTTPConnection(METRICS_HOST, server.port, 30)
    with contextlib.closing(client):
        client.request(method, path, body, headers)
        response = client.getresponse()
        return response.status, response.read()


@pytest.mark.parametrize("path", ["/predict", "/invocations", "/v1/x:predict"])
def test_a_path_that_predicts_is_none_for_health_checks(path):
    """It would need no key."""
    with pytest.raises(SettingsError, match="MNIST_HEALTH_ROUTE has value .* of its own"):
        Access(Settings(health_route=path))


# Host names.


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
