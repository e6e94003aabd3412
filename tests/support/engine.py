"""A real Docker engine, and the project's compose file on it."""

import os
import shutil
import subprocess
import time

import pytest

from bench.harness.server import free_port

BUILD_S = 600  # without a cache it downloads 60 MB
START_S = 60  # a start takes 6 s, of which 5 are the wait for the first health check
STOP_S = 30  # stop_grace_period in docker-compose.yml
LATE = 3  # a load test beside other tests may be late itself, and says so


def call(command, timeout=60, **options):
    options |= {"capture_output": True, "text": True, "stdin": subprocess.DEVNULL}
    return subprocess.run(command, timeout=timeout, **options)


def expect_success(done):
    said = done.stdout[-2000:] + done.stderr[-2000:]
    assert done.returncode == 0, f"{done.args} ended with {done.returncode}: {said}"
    return done.stdout.strip()


def output(command):
    return expect_success(call(command))


def compose_command():
    if not shutil.which("docker") or call(["docker", "info"]).returncode != 0:
        pytest.skip("needs a Docker engine: `docker info` does not answer")
    if call(["docker", "compose", "version"]).returncode == 0:
        return ["docker", "compose"]
    if shutil.which("docker-compose"):
        return ["docker-compose"]
    pytest.skip("needs `docker compose` or `docker-compose`, found neither")


class Project:
    """The project's compose file, under a name and on a port of its own."""

    def __init__(self, command, root):
        self.port = free_port()
        self.command = [*command, "--project-name", f"mnist-test-{os.getpid()}"]
        self.root = root
        self.environment = os.environ | {"PORT": str(self.port)}

    def try_compose(self, *arguments, timeout=60, **variables):
        env = self.environment | variables
        command = [*self.command, *arguments]
        return call(command, timeout=timeout, cwd=self.root, env=env)

    def compose(self, *arguments, timeout=60):
        return expect_success(self.try_compose(*arguments, timeout=timeout))

    def inspect(self, template):
        return output(["docker", "inspect", "--format", template, self.container])

    def run_python(self, program):
        return output(["docker", "exec", self.container, "python", "-c", program])

    def start(self):
        self.compose("up", "--detach", "service", timeout=START_S)
        self.container = self.compose("ps", "--quiet", "service")
        self.wait_until_healthy()

    def wait_until_healthy(self):
        deadline = time.monotonic() + START_S
        while self.inspect("{{.State.Health.Status}}") != "healthy":
            if time.monotonic() > deadline:
                pytest.fail(f"not healthy after {START_S} s: {self.compose('logs')}")
            time.sleep(0.2)
