"""The containers, built and run by a real Docker engine."""

import base64
import json
import os
import shutil
import socket
import subprocess
import time
import urllib.request

import pytest

pytestmark = pytest.mark.containers

BASE = "python:3.11-slim-bookworm"
IMAGE = "mnist-service"
BUILD_S = 600  # without a cache it downloads 60 MB
START_S = 60  # a start takes 6 s, of which 5 are the wait for the first health check
STOP_S = 25  # stop_grace_period in docker-compose.yml
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


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


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


@pytest.fixture(scope="module")
def project(root):
    project = Project(compose_command(), root)
    try:
        project.compose("build", "service", timeout=BUILD_S)
        project.start()
        yield project
    finally:
        project.compose("--profile", "load", "down", "--volumes", timeout=2 * STOP_S)


@pytest.fixture(scope="module")
def digit(root):
    entry = json.loads((root / "load" / "digits.json").read_bytes())[7]
    return {"frame": base64.b64decode(entry["frame"]), "label": entry["label"]}


def test_service_becomes_healthy(project):
    assert project.inspect("{{.State.Health.Status}} {{.RestartCount}}") == "healthy 0"


def test_service_answers_predict_from_outside(project, digit):
    request = urllib.request.Request(
        f"http://127.0.0.1:{project.port}/predict",
        json.dumps({"instances": [list(digit["frame"])]}).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        (prediction,) = json.load(answer)["predictions"]
    assert prediction["digit"] == digit["label"]


def test_service_port_is_open_to_this_machine_only(project):
    bindings = json.loads(project.inspect("{{json .NetworkSettings.Ports}}"))
    expected = {"HostIp": "127.0.0.1", "HostPort": str(project.port)}
    assert bindings == {"8000/tcp": [expected]}


def test_no_process_in_the_container_is_roots_or_has_a_capability(project):
    # PID 1 is the init; every process of the namespace is read, gunicorn's among them.
    program = """
import glob
for path in glob.glob("/proc/[0-9]*/status"):
    status = dict(line.split(":", 1) for line in open(path).read().splitlines())
    print(*status["Uid"].split(), *status["Gid"].split(), status["CapEff"].strip())
"""
    lines = project.run_python(program).splitlines()
    assert len(lines) >= 3  # gunicorn's master, a worker, and this program
    assert set(lines) == {" ".join(["10001"] * 8) + " " + "0" * 16}


@pytest.mark.parametrize("folder", ["/", "/app", "/app/models", "/opt/venv", "/etc"])
def test_root_is_read_only(project, folder):
    # As root, for whom permissions alone would not stand in the way.
    command = ["docker", "exec", "--user", "0", project.container]
    done = call([*command, "python", "-c", f"open({folder!r} + '/probe', 'w')"])
    assert done.returncode == 1
    assert "Read-only file system" in done.stderr


def test_no_training_library_is_inside(project):
    program = (
        "import importlib.metadata as m, json;"
        "print(json.dumps([d.metadata['Name'].lower() for d in m.distributions()]))"
    )
    names = json.loads(project.run_python(program))
    assert "onnxruntime" in names
    training = [n for n in names if n.startswith(("tensorflow", "keras", "tf2onnx"))]
    assert training == []
    assert "onnx" not in names


def test_image_adds_at_most_250_mb_to_its_base(project):
    size, base = (
        int(output(["docker", "image", "inspect", "--format", "{{.Size}}", image]))
        for image in (IMAGE, BASE)
    )
    assert 0 < size - base <= 250_000_000


def test_load_profile_with_two_workers_ends_with_its_verdict(project):
    load = ["--profile", "load"]
    project.compose(*load, "build", "load-master", "load-worker", timeout=BUILD_S)
    run = ["run", "--rm", "-T", "--use-aliases", "load-master"]
    report = project.root / "load" / "reports" / "steps.html"
    report.unlink(missing_ok=True)
    asked = {"SCENARIO": "steps", "LOAD_WORKERS": "2", "LOAD_LIMIT": "[p50<10s, errors<=0]"}
    asked["UID_GID"] = f"{os.getuid()}:{os.getgid()}"  # who may write the report
    size = {"CONNECTIONS": "4", "LOAD_RATE": "50", "LOAD_SECONDS": "3", "LOAD_WARM_UP": "0"}
    done = project.try_compose(*load, *run, timeout=2 * START_S, **asked, **size)
    said = done.stdout + done.stderr
    assert done.returncode in (0, LATE), said
    assert "2 workers connected" in said
    assert "✓ `errors<=0`" in said
    assert "✓ `p50<10s`" in said
    assert "<svg" in report.read_text()


def test_load_profile_fails_past_a_limit(project):
    run = ["--profile", "load", "run", "--rm", "-T", "--use-aliases", "load-master"]
    size = {"SCENARIO": "smoke", "LOAD_SECONDS": "2", "LOAD_LIMIT": "p50<1us"}
    done = project.try_compose(*run, timeout=2 * START_S, **size)
    assert done.returncode in (1, LATE), done.stdout + done.stderr
    assert "✗ `p50<1us`" in done.stdout + done.stderr


def test_stop_ends_gracefully_within_the_grace_period(project):
    try:
        began = time.monotonic()
        project.compose("stop", "service", timeout=2 * STOP_S)
        took = time.monotonic() - began
        state = project.inspect("{{.State.Status}} {{.State.ExitCode}}")
        assert state == "exited 0"  # 137 would be a SIGKILL, 143 an unhandled SIGTERM
        assert took < STOP_S
    finally:
        project.start()
