"""What the image runs, out of a container: its entry point and its health check."""

import json
import os
import re
import signal
import subprocess
from contextlib import closing
from http.client import HTTPConnection

import pytest
import yaml

from bench.harness.server import START_S, free_port
from bench.harness.service import PYTHON
from service import port
from tests.support.server import eventually

NO_PROXY_THERE = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def instructions(root):
    """Return the commands of ENTRYPOINT and HEALTHCHECK."""
    text = (root / "service" / "Dockerfile").read_text().replace("\\\n", "")
    entry = re.search(r"^ENTRYPOINT (.*)$", text, re.M)
    health = re.search(r"^HEALTHCHECK .* CMD (.*)$", text, re.M)
    return json.loads(entry[1]), json.loads(health[1])


def environment(**more):
    clean = {k: v for k, v in os.environ.items() if not k.startswith("MNIST_")}
    path = f"{PYTHON.parent}:{clean['PATH']}"
    proxy = {"http_proxy": NO_PROXY_THERE, "HTTP_PROXY": NO_PROXY_THERE, "no_proxy": ""}
    return {**clean, **proxy, "PATH": path, "WEB_CONCURRENCY": "1", **more}


def healthy(command, variables):
    done = subprocess.run(command, env=variables, capture_output=True, timeout=START_S)
    return done.returncode == 0


def test_the_image_listens_at_port_and_is_healthy_behind_a_proxy(instructions, root):
    entry, health = instructions
    variables = environment(PORT=str(free_port()))
    process = subprocess.Popen([*entry, "--log-level", "warning"], cwd=root, env=variables)
    try:
        eventually(lambda: process.poll() is not None or healthy(health, variables))
        assert process.poll() is None
        assert not healthy(health, environment(PORT=str(free_port())))
        process.send_signal(signal.SIGTERM)  # reaches gunicorn: there is no shell
        assert process.wait(START_S) == 0
    finally:
        process.kill()


# How each cloud starts an image, which variable has the port, and what it asks then.
VERTEX = {"AIP_HEALTH_ROUTE": "/v1/endpoints/1/deployedModels/2"}
VERTEX["AIP_PREDICT_ROUTE"] = f"{VERTEX['AIP_HEALTH_ROUTE']}:predict"
CLOUDS = {
    "SageMaker": (["serve"], "SAGEMAKER_BIND_TO_PORT", {}, "/ping", "/invocations"),
    "Vertex AI": ([], "AIP_HTTP_PORT", VERTEX, *VERTEX.values()),
}


@pytest.fixture(scope="module", params=CLOUDS)
def cloud(instructions, root, request):
    """A service started as a cloud starts it: what asks it, and the two paths."""
    arguments, variable, others, health, predict = CLOUDS[request.param]
    port = free_port()
    variables = environment(**{variable: str(port)}, **others)
    command = [*instructions[0], *arguments, "--log-level", "warning"]
    process = subprocess.Popen(command, cwd=root, env=variables)

    def ask(path, body=None, content_type="application/json"):
        method = "GET" if body is None else "POST"
        with closing(HTTPConnection("127.0.0.1", port, timeout=START_S)) as connection:
            connection.request(method, path, body, {"Content-Type": content_type})
            response = connection.getresponse()
            return response.status, response.read()

    try:
        check = instructions[1]
        eventually(lambda: process.poll() is not None or healthy(check, variables))
        yield ask, health, predict
        process.send_signal(signal.SIGTERM)
        assert process.wait(START_S) == 0
    finally:
        process.kill()


def test_a_cloud_finds_its_paths(cloud):
    ask, health, predict = cloud
    assert ask(health) == (200, b'{"ready":true}')
    assert ask(predict)[0] == 405


def test_a_cloud_gets_the_same_bits_as_any_client(cloud, frames):
    ask, _, predict = cloud
    body = json.dumps({"instances": frames.tolist(), "parameters": {"x": 1}})
    status, reply = ask(predict, body)
    assert status == 200
    found = json.loads(reply)["predictions"]
    _, reply = ask("/predict", frames.tobytes(), "application/octet-stream")
    expected = json.loads(reply)["predictions"]
    if predict == "/invocations":
        assert found == expected
    else:
        assert found == [each["probabilities"] for each in expected]


@pytest.mark.parametrize(
    ("variables", "serve", "expected"),
    [
        ({}, False, "8000"),
        ({}, True, "8080"),
        ({"SAGEMAKER_BIND_TO_PORT": "1"}, True, "1"),
        ({"AIP_HTTP_PORT": "2"}, False, "2"),
        ({"PORT": "3", "AIP_HTTP_PORT": "2"}, True, "3"),
        ({"PORT": ""}, True, "8080"),
    ],
)
def test_the_port_is_what_the_cloud_asks_for(variables, serve, expected):
    assert port.asked(variables, serve) == expected


def test_a_port_that_is_none_ends_the_image_with_the_reason(instructions, root):
    entry, _ = instructions
    done = subprocess.run(
        entry, cwd=root, env=environment(PORT="http"), capture_output=True, text=True
    )
    assert done.returncode != 0
    assert done.stderr.startswith("error: PORT has value 'http', expected a whole number")


def test_the_compose_file_has_the_same_health_check(instructions, root):
    compose = yaml.safe_load((root / "docker-compose.yml").read_text())
    test = compose["x-model-server"]["healthcheck"]["test"]
    assert [part.strip() for part in test] == ["CMD", *instructions[1]]
