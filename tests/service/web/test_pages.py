"""What the pages are and load, by HTTP; what they do is in tests/browser."""

import hashlib
import json
import re

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


def test_everything_that_the_pages_name_is_there(server):
    for page in ("/", "/learn"):
        text = server.request("GET", page).body.decode()
        for path in set(re.findall(r"(?:src|href)=\"(/[^\"#]*)", text)):
            assert server.request("GET", path).status == 200, path


def test_every_module_is_there(server, root):
    static = root / "service" / "web" / "static"
    for path in static.rglob("*.js"):
        for name in re.findall(r"from \"(\.[^\"]+)\"", path.read_text()):
            assert (path.parent / name).is_file(), (path, name)
        answer = server.request("GET", f"/static/{path.relative_to(static)}")
        assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"


def test_index_says_what_is_served(server, served):
    text = server.request("GET", "/").body.decode()
    assert f"mnist version {served}" in text
    assert f"http://127.0.0.1:{server.port}/predict" in text


@pytest.mark.parametrize("version", ["1", "2"])
def test_weights_are_those_of_the_file(server, root, version):
    from training import reference

    layers = reference.read_layers(root / "models" / "mnist" / version / "model.onnx")
    expected = np.concatenate([values.reshape(-1) for layer in layers for values in layer])
    answer = server.request("GET", f"/weights?version={version}")
    np.testing.assert_array_equal(np.frombuffer(answer.body, "<f4"), expected)


def test_weights_are_sent_once(server, root, served):
    first = server.request("GET", "/weights")
    content = (root / "models" / "mnist" / served / "model.onnx").read_bytes()
    assert first.headers["ETag"] == f'"{hashlib.sha256(content).hexdigest()}"'
    headers = {"If-None-Match": first.headers["ETag"]}
    again = server.request("GET", "/weights", headers=headers)
    assert (again.status, again.body) == (304, b"")


@pytest.mark.parametrize(("query", "status"), [("version=99", 404), ("version=x", 400)])
def test_weights_of_no_version_are_refused(server, query, status):
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
