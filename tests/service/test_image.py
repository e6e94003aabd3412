"""What the image runs, out of a container: its entry point and its health check."""

import json
import os
import re
import signal
import subprocess

import pytest
import yaml

from bench.harness.server import START_S, free_port
from bench.harness.service import PYTHON
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
