"""What clients may keep, and how they ask whether it has changed: by its content."""

import os
import shutil
import subprocess

import pytest

from bench.harness.server import ROOT
from bench.harness.service import PYTHON
from tests.service.conftest import WAYS
from tests.support.server import Server

KEPT = [
    "/",
    "/learn",
    "/docs",
    "/openapi.json",
    "/gallery.json",
    "/lesson.json",
    "/weights",
]
KEPT += ["/static/draw.css", "/static/draw.js", "/docs/css/swagger-ui.css"]
CHANGING = ["/livez", "/readyz", "/metrics", "/v1/models", "/v2", "/v2/models/mnist/stats"]


@pytest.mark.parametrize("path", KEPT)
def test_a_client_that_has_it_gets_no_body(server, path):
    first = server.request("GET", path)
    assert "no-cache" in first.headers["Cache-Control"]
    tag = first.headers["ETag"]
    again = server.request("GET", path, headers={"If-None-Match": tag})
    assert (again.status, again.body, again.headers["ETag"]) == (304, b"", tag)
    assert "Content-Type" not in again.headers
    other = server.request("GET", path, headers={"If-None-Match": '"x"'})
    assert (other.status, other.body) == (200, first.body)


@pytest.mark.parametrize("path", KEPT)
def test_no_time_is_a_validator(server, path):
    """All files of an image have the same."""
    first = server.request("GET", path)
    assert "Last-Modified" not in first.headers
    headers = {"If-Modified-Since": "Fri, 01 Jan 2100 00:00:00 GMT"}
    assert server.request("GET", path, headers=headers).status == 200


@pytest.mark.parametrize("path", CHANGING)
def test_what_is_of_this_moment_is_not_kept(server, path):
    assert server.request("GET", path).headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", KEPT + CHANGING)
def test_a_head_has_the_length_of_its_get(server, path):
    found, known = (server.request(method, path) for method in ("HEAD", "GET"))
    assert found.body == b""
    if path not in ("/metrics", "/v2/models/mnist/stats"):  # the first request counts
        assert found.headers["Content-Length"] == str(len(known.body))


def test_a_part_of_a_file_is_sent(server):
    path = "/static/draw.css"
    whole = server.request("GET", path)
    part = server.request("GET", path, headers={"Range": "bytes=10-19"})
    assert (part.status, part.body) == (206, whole.body[10:20])
    headers = {"Range": "bytes=10-19", "If-Range": whole.headers["ETag"]}
    assert server.request("GET", path, headers=headers).status == 206
    headers["If-Range"] = '"x"'
    assert server.request("GET", path, headers=headers).body == whole.body


@pytest.mark.parametrize("way", WAYS)
def test_a_file_that_changed_with_its_size_and_time_kept_is_sent_again(
    tmp_path, models, way
):
    options, environment = WAYS[way]
    lesson = models / "mnist" / "lesson.json"
    lesson.write_text('{"a":1}')
    os.utime(lesson, (1, 1))
    server = Server(tmp_path, *options, MNIST_MODEL_ROOT=str(models), **environment)
    try:
        tag = server.wait_ready().request("GET", "/lesson.json").headers["ETag"]
        lesson.write_text('{"a":2}')
        os.utime(lesson, (1, 1))
        headers = {"If-None-Match": tag}
        again = server.request("GET", "/lesson.json", headers=headers)
    finally:
        server.stop()
    assert (again.status, again.body) == (200, b'{"a":2}')


def test_an_image_built_again_has_other_validators(tmp_path):
    """The same tree with all times alike, and one file of the same size changed."""
    tree = tmp_path / "tree"
    shutil.copytree(ROOT / "service", tree / "service")
    code = (
        "from pathlib import Path\nimport os\n"
        "for path in Path('service').rglob('*'): os.utime(path, (1, 1))\n"
        "from service import create_app\n"
        "from service.settings import Settings\n"
        f"app = create_app(Settings(model_root=Path({str(ROOT / 'models')!r})))\n"
        "print(app.test_client().get('/static/draw.css').headers['ETag'])\n"
    )

    def tag():
        return subprocess.run(
            [PYTHON, "-c", code], cwd=tree, check=True, capture_output=True, text=True
        ).stdout

    before = tag()
    style = tree / "service" / "web" / "static" / "draw.css"
    content = style.read_bytes()
    style.write_bytes(content[:-2] + b"*" + content[-1:])
    assert len(content) == style.stat().st_size
    assert tag() != before
