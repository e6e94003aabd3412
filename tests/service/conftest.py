import hashlib
import json
import shutil
import signal
from functools import partial

import pytest

from bench.harness.server import START_S
from service.model import digits

# Every way to serve a request: tests of what clients see run with each.
WAYS = {
    "fast path": ([], {}),
    "flask": ([], {"MNIST_FAST_PATH": "0"}),
    "gthread": (["--worker-class", "gthread"], {}),
}


@pytest.fixture(scope="session", params=WAYS)
def server(start_once, request):
    options, environment = WAYS[request.param]
    return start_once(*options, WEB_CONCURRENCY="2", **environment).wait_ready()


@pytest.fixture(scope="session")
def frames():
    """The project's own digits: uint8 [n, 784]."""
    return digits.load().frames


def repository(folder, shipped):
    """Make a model repository with a shipped version in it, as version 1."""
    shutil.copytree(shipped, folder / "models" / "mnist" / "1")
    return folder / "models"


def add_to(models, version, change=lambda content: content, /, *, honest=True, **manifest):
    """Add a version to a repository: from a change of the ONNX bytes and the manifest."""
    folder = models / "mnist" / str(version)
    folder.mkdir()
    shipped = models / "mnist" / "1"
    content = (shipped / "model.onnx").read_bytes()
    changed = change(content)
    (folder / "model.onnx").write_bytes(changed)
    entries = json.loads((shipped / "manifest.json").read_text())
    digest = hashlib.sha256(changed if honest else content).hexdigest()
    entries |= {"version": version, "sha256": digest, **manifest}
    (folder / "manifest.json").write_text(json.dumps(entries))
    return folder


@pytest.fixture
def models(tmp_path, version_1):
    """A model repository with the shipped version in it."""
    return repository(tmp_path, version_1)


@pytest.fixture
def add_version(models):
    """Add versions to the repository."""
    return partial(add_to, models)


@pytest.fixture
def alarm():
    """Fail a test that waits for minutes, as in a write that nobody reads."""

    def end(*_):
        raise TimeoutError("waited for minutes")

    previous = signal.signal(signal.SIGALRM, end)
    signal.alarm(2 * START_S)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, previous)
