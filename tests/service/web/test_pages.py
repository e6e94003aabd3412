"""What the pages are and load, by HTTP; what they do is in tests/browser."""

import hashlib
import html
import json
import re
import struct
from urllib.parse import urljoin

import numpy as np
import pytest

CSP = "Content-Security-Policy"


@pytest.mark.parametrize("path", ["/", "/learn", "/docs"])
def test_pages_are_strict(server, path):
    answer = server.request("GET", path)
    assert (answer.status, answer.headers["Content-Type"]) == (
        200,
        "text/html; charset=utf-8",
    )
    policy = answer.headers[CSP]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy  # nothing inline, nothing evaluated
    assert "http" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize("path", ["/", "/learn", "/docs"])
def test_pages_name_no_other_host(server, path):
    text = server.request("GET", path).body.decode()
    own = f"http://127.0.0.1:{server.port}/"
    assert re.findall(r"(?:src|href)=\"(?:https?:)?//[^\"]*", text.replace(own, "/")) == []


@pytest.mark.parametrize("page", ["/", "/learn", "/docs"])
def test_everything_that_the_pages_name_is_there(server, page):
    text = server.request("GET", page).body.decode()
    named = set(re.findall(r"(?:src|href)=\"([^\"#]+)", text))
    assert "learn" in named
    for path in named:
        assert server.request("GET", urljoin(page, path)).status == 200, path


@pytest.mark.parametrize("page", ["/", "/learn", "/docs"])
def test_a_link_to_a_page_has_a_preview(server, page):
    text = server.request("GET", page).body.decode()
    entries = re.findall(r'<meta (?:name|property)="([^"]+)" content="([^"]+)">', text)
    found = {name: html.unescape(content) for name, content in entries}
    assert found["og:title"] == html.unescape(re.search("<title>(.*)</title>", text)[1])
    assert found["og:description"] == found["description"]
    assert 70 <= len(found["description"]) <= 160  # more is cut off where it is shown
    assert found["twitter:card"] == "summary_large_image"
    # A crawler wants the whole address.
    own = f"http://127.0.0.1:{server.port}"
    assert found["og:image"].startswith(own)
    answer = server.request("GET", found["og:image"].removeprefix(own))
    assert answer.headers["Content-Type"] == "image/png"
    size = struct.unpack(">II", answer.body[16:24])  # of the PNG's first chunk
    assert size == tuple(int(found[f"og:image:{side}"]) for side in ("width", "height"))
    assert len(answer.body) <= 100_000


def test_index_says_what_is_served(server, served):
    text = server.request("GET", "/").body.decode()
    assert f"mnist version {served}" in text
    assert f"http://127.0.0.1:{server.port}/predict" in text


@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize("version", ["1", "2", "3"])
def test_weights_are_those_of_the_file(server, root, version, dtype):
    from training import reference

    layers = reference.read_layers(root / "models" / "mnist" / version / "model.onnx")
    expected = np.concatenate([values.reshape(-1) for layer in layers for values in layer])
    answer = server.request("GET", f"/weights?version={version}&dtype={dtype}")
    found = np.frombuffer(answer.body, np.dtype(dtype).newbyteorder("<"))
    np.testing.assert_array_equal(found, expected.astype(dtype))


def test_weights_are_sent_once(server, root, served):
    first = server.request("GET", "/weights")
    content = (root / "models" / "mnist" / served / "model.onnx").read_bytes()
    assert first.headers["ETag"] == f'"{hashlib.sha256(content).hexdigest()}"'
    headers = {"If-None-Match": first.headers["ETag"]}
    again = server.request("GET", "/weights", headers=headers)
    assert (again.status, again.body) == (304, b"")
    half = server.request("GET", "/weights?dtype=float16", headers=headers)
    assert (half.status, len(half.body)) == (200, len(first.body) // 2)


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_weights_of_a_named_model_are_kept_for_good(server, root, served, dtype):
    content = (root / "models" / "mnist" / served / "model.onnx").read_bytes()
    sha256 = hashlib.sha256(content).hexdigest()
    for asked, kept in ((sha256, True), (sha256[:-1] + "x", False), ("", False)):
        answer = server.request("GET", f"/weights?dtype={dtype}&sha256={asked}")
        assert answer.status == 200
        assert ("immutable" in answer.headers["Cache-Control"]) == kept
        assert ("no-cache" in answer.headers["Cache-Control"]) != kept


def test_weights_behind_a_key_are_asked_for_again(start, tmp_path, root, served):
    (tmp_path / "keys").write_text("a-key-of-the-test")
    server = start(MNIST_API_KEYS=str(tmp_path / "keys")).wait_ready()
    content = (root / "models" / "mnist" / served / "model.onnx").read_bytes()
    path = f"/weights?sha256={hashlib.sha256(content).hexdigest()}"
    headers = {"Authorization": "Bearer a-key-of-the-test"}
    answer = server.request("GET", path, headers=headers)
    assert (answer.status, answer.headers["Cache-Control"]) == (200, "no-cache")


@pytest.mark.parametrize(
    ("query", "status"),
    [("version=99", 404), ("version=x", 400), ("dtype=float64", 400), ("x=1", 400)],
)
def test_weights_of_nothing_known_are_refused(server, query, status):
    answer = server.request("GET", f"/weights?{query}")
    assert (answer.status, list(answer.json)) == (status, ["error"])


def test_gallery_is_the_projects_drawings(server, root):
    found = server.request("GET", "/gallery.json").json
    own = json.loads((root / "service" / "model" / "digits.json").read_bytes())["digits"]
    assert found["digits"] == own
    assert len(found["hard"]) >= 12


def test_lesson_is_the_file_of_the_repository(server, root):
    expected = (root / "models" / "mnist" / "lesson.json").read_bytes()
    answer = server.request("GET", "/lesson.json")
    assert answer.body == expected
    assert answer.headers["Content-Type"] == "application/json"


def test_a_repository_without_a_lesson_says_so(start, models):
    server = start(MNIST_MODEL_ROOT=str(models)).wait_ready()
    answer = server.request("GET", "/lesson.json")
    assert answer.status == 404
    assert "training lesson" in answer.json["error"]
