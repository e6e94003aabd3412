"""What a worker loads only when it is first asked for, and who waits for that."""

import json
import re
import select

import pytest

from tests.support.picture_files import png
from tests.support.wire import connect, digit, read_reply

# Packages by what first needs them.
FLASK = {"flask", "jinja2", "click"}
PICTURES = {"PIL"}
METRICS = {"prometheus_client"}
LATER = FLASK | PICTURES | METRICS | {"werkzeug", "opentelemetry"}


def imported(server):
    """Return the packages that master and worker have imported."""
    return {*re.findall(r"^import time: .*\| +(\w+)", server.log, re.MULTILINE)}


@pytest.fixture(scope="module")
def worker(start, frames):
    """Return a worker that was asked for predictions in numbers."""
    server = start(PYTHONPROFILEIMPORTTIME="1").wait_ready()
    body = json.dumps({"instances": [frames[3].tolist()]}).encode()
    assert server.post(body, "application/json").status == 200
    assert digit(server, frames)
    assert server.request("GET", "/livez").status == 200
    return server


def test_predictions_and_health_need_neither_flask_nor_pillow(worker):
    found = imported(worker)
    assert {"numpy", "onnxruntime", "uvloop"} <= found
    assert found & LATER == set()


@pytest.mark.parametrize(("path", "needs"), [("/metrics", METRICS), ("/docs", FLASK)])
def test_what_is_asked_for_is_loaded(worker, path, needs):
    assert worker.request("GET", path).status == 200
    assert needs <= imported(worker)


def test_a_picture_loads_pillow(worker, frames):
    answer = worker.post(png(frames[3].reshape(28, 28)), "image/png")
    assert answer.status == 200
    assert imported(worker) >= PICTURES


def test_nobody_else_waits_for_the_application(start, tmp_path, frames):
    go = tmp_path / "go"
    script = tmp_path / "wsgi_slow.py"
    script.write_text(
        "import time\nfrom pathlib import Path\nfrom service import wsgi\n"
        "app, load = wsgi.begin(), wsgi.Application.load\n"
        "def wait(self):\n"
        f"    while not Path({str(go)!r}).exists():\n        time.sleep(0.01)\n"
        "    return load(self)\n"
        "wsgi.Application.load = wait\n"
    )
    server = start("--pythonpath", str(tmp_path), "wsgi_slow:app").wait_ready()
    with connect(server, b"GET /docs HTTP/1.1\r\nHost: x\r\n\r\n") as visitor:
        assert all(digit(server, frames) for _ in range(20))
        assert server.request("GET", "/readyz").status == 200
        assert select.select([visitor], [], [], 0)[0] == []
        go.touch()
        assert read_reply(visitor)[0] == 200


def test_an_application_that_cannot_be_loaded_is_a_bug_of_its_own(start, tmp_path, frames):
    script = tmp_path / "wsgi_broken.py"
    script.write_text(
        "from service import wsgi\napp = wsgi.begin()\n"
        "def fail(self):\n    raise RuntimeError('planted')\n"
        "wsgi.Application.load = fail\n"
    )
    server = start("--pythonpath", str(tmp_path), "wsgi_broken:app").wait_ready()
    assert server.request("GET", "/docs").status == 500
    assert digit(server, frames)
    assert "cannot be loaded: RuntimeError('planted')" in server.log
