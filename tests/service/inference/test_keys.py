"""Who may ask: those with a key, where there is a file of keys."""

import os
import signal

import pytest
from gunicorn.config import Config

from service.errors import SettingsError
from service.inference.access import Access, read_keys
from service.model import snapshot
from service.server.http1.request import HeadLimits, RequestHead
from service.settings import Settings
from tests.service.inference.conftest import (
    HOST,
    KEY,
    OTHER,
    RAW,
    post,
    same_reply,
    write_keys,
)
from tests.support.server import eventually

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
