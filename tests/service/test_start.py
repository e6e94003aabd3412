"""The start: what does not fit is told and left out, and nothing secret is in the log."""

import json
import os
from functools import partial

import pytest

from tests.service.conftest import WAYS, add_to, repository

SECRET = "key-of-the-test-0123456789"
LONG = "9" * 200
STAMP = 20260101120000


def dump(frame):
    return json.dumps({"instances": [frame.reshape(-1).tolist()]}).encode()


@pytest.fixture(scope="module")
def odd(tmp_path_factory, version_1):
    """Return a repository in which 1, 3 (as 0003) and a time stamp are good."""
    models = repository(tmp_path_factory.mktemp("odd"), version_1)
    add_version = partial(add_to, models)
    add_version(2, unsure_below=10**400)
    add_version(3).rename(models / "mnist" / "0003")
    add_version(4, **{"version": 4.0})
    pipe = add_version(5) / "model.onnx"
    pipe.unlink()
    os.mkfifo(pipe)
    add_version(STAMP)
    (models / "mnist" / "v1").mkdir()
    (models / "mnist" / LONG).mkdir()
    return models


@pytest.fixture(scope="module", params=WAYS)
def served(start, odd, request):
    options, environment = WAYS[request.param]
    settings = {"MNIST_MODEL_ROOT": str(odd), "WEB_CONCURRENCY": "1", **environment}
    settings |= {"MNIST_API_KEY": SECRET}
    return start(*options, **settings).wait_ready()


def test_every_version_is_in_the_listing(served):
    index = served.request("POST", "/v2/repository/index").json
    states = {entry["version"]: entry["state"] for entry in index}
    refused = dict.fromkeys(("2", "4", "5", "v1", LONG), "UNAVAILABLE")
    assert states == dict.fromkeys(("1", "3", str(STAMP)), "READY") | refused


def test_why_a_version_is_not_served_is_in_the_log(served):
    for line in (
        "mnist version 2 is refused: manifest.json has unsure_below 1000",
        "mnist version 4 is refused: manifest.json has version 4.0, expected the number 4",
        "mnist version 5 is refused: model.onnx cannot be read: found no regular file",
        "mnist version 'v1' is left out, expected a folder whose name is a number",
        f"mnist version '{LONG[:99]}",
    ):
        assert line in served.log


@pytest.mark.parametrize("version", [1, 3, STAMP])
def test_a_good_version_is_served_by_query_and_by_path(served, frames, version):
    body = dump(frames[3])
    by_query = served.post(body, path=f"/predict?version={version}")
    by_zeros = served.post(body, path=f"/predict?version=000{version}")
    assert by_query.json == by_zeros.json
    assert by_query.json["model"]["version"] == str(version)
    by_path = served.post(body, path=f"/v1/models/mnist/versions/{version}:predict")
    assert (by_query.status, by_path.status) == (200, 200)
    assert served.request("GET", f"/weights?version={version}").status == 200


def test_a_variable_that_is_no_setting_is_told_first(served):
    line = "warning: MNIST_API_KEY is no setting and has no effect, expected MNIST_API_KEYS"
    assert served.log.splitlines()[0] == line
    assert SECRET not in served.log


@pytest.mark.parametrize("version", [10**10, STAMP, 1 << 63, int(LONG)])
def test_a_version_that_is_not_there_is_the_same_by_query_and_by_path(
    server, frames, version
):
    body = dump(frames[3])
    by_query = server.post(body, path=f"/predict?version={version}")
    by_path = server.post(body, path=f"/v1/models/mnist/versions/{version}:predict")
    weights = server.request("GET", f"/weights?version={version}")
    assert by_query.status == by_path.status == weights.status == 404
    assert by_query.json == by_path.json == weights.json
    assert f"has no version {str(version)[:30]}, expected" in by_query.json["error"]


@pytest.fixture(scope="module")
def ended(start, tmp_path_factory):
    """Servers that end at once, all started together."""
    pipe = tmp_path_factory.mktemp("keys") / "pipe"
    os.mkfifo(pipe)
    return {
        "key": start(MNIST_API_KEYS=SECRET),
        "pipe": start(MNIST_API_KEYS=str(pipe)),
        "pixels": start(MNIST_MAX_PIXELS="9" * 400),
        "seconds": start(MNIST_CLIENT_SECONDS="9" * 400),
        "tracing": start(MNIST_TRACING="1"),
    }


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("key", "error: MNIST_API_KEYS cannot be read, expected the path of a file with "),
        ("pipe", "error: MNIST_API_KEYS cannot be read, expected the path of a file with "),
        ("pixels", "…', expected a whole number from 1 to 67108864"),
        ("seconds", "…', expected a whole number from 1 to 3600"),
        ("tracing", "and the package opentelemetry is missing, expected those of"),
    ],
)
def test_a_start_that_cannot_work_ends_without_the_secret(ended, name, reason):
    server = ended[name]
    assert server.wait() == 4
    (line,) = server.log.splitlines()
    assert reason in line
    assert SECRET not in line
