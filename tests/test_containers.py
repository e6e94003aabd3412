"""The containers, built and run by a real Docker engine."""

import base64
import http.client
import json
import os
import socket
import sys
import time
import urllib.error
import urllib.request

import pytest

from tests.support import standins
from tests.support.engine import (
    BUILD_S,
    LATE,
    START_S,
    STOP_S,
    Project,
    call,
    compose_command,
    free_port,
    output,
)

pytestmark = pytest.mark.containers

IMAGE = "mnist-service"
# 289 MB with a base image made of Debian's packages; what it adds to any base are 145 MB.
MOST_BYTES = 300_000_000


@pytest.fixture(scope="module")
def project(root):
    project = Project(compose_command(), root)
    try:
        project.compose("build", "service", timeout=BUILD_S)
        project.start()
        yield project
    finally:
        profiles = ["--profile", "load", "--profile", "scale"]
        project.compose(*profiles, "down", "--volumes", timeout=2 * STOP_S)


@pytest.fixture(scope="module")
def digit(root):
    entry = json.loads((root / "load" / "digits.json").read_bytes())[7]
    return {"frame": base64.b64decode(entry["frame"]), "label": entry["label"]}


def ask(port, path, body=None):
    """Return status, headers and the JSON of a reply; 0 where there is none."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", body)
    request.add_header("Content-Type", "application/octet-stream")
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.headers, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, error.headers, json.load(error)
    except OSError:
        return 0, {}, None


def wait_until_ready(port, logs):
    deadline = time.monotonic() + START_S
    while ask(port, "/readyz")[0] != 200:
        assert time.monotonic() < deadline, logs()
        time.sleep(0.2)


def test_the_service_becomes_healthy_and_predicts(project, digit):
    assert project.inspect("{{.State.Health.Status}} {{.RestartCount}}") == "healthy 0"
    status, _, reply = ask(project.port, "/predict", digit["frame"])
    assert (status, reply["predictions"][0]["digit"]) == (200, digit["label"])


def test_the_port_is_open_to_this_machine_only(project):
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


def test_root_is_read_only(project):
    # As root, for whom permissions alone would not stand in the way.
    program = """
for folder in ("/", "/app", "/app/models", "/opt/venv", "/etc"):
    try:
        open(folder + "/probe", "w")
    except OSError as error:
        print(error.strerror)
"""
    command = ["docker", "exec", "--user", "0", project.container, "python", "-c", program]
    assert output(command).splitlines() == ["Read-only file system"] * 5


def test_the_image_is_at_most_300_mb_in_all(project):
    size = int(output(["docker", "image", "inspect", "--format", "{{.Size}}", IMAGE]))
    assert 0 < size <= MOST_BYTES


def test_the_image_has_labels(project):
    labels = json.loads(
        output(["docker", "image", "inspect", "--format", "{{json .Config.Labels}}", IMAGE])
    )
    prefix = "org.opencontainers.image."
    found = {key.removeprefix(prefix): value for key, value in labels.items()}
    assert found["licenses"] == "Apache-2.0"
    assert all(found[key] for key in ("title", "description", "version", "revision"))


def test_no_training_library_is_inside(project):
    program = "import importlib.metadata as m; print(*{d.name for d in m.distributions()})"
    names = set(project.run_python(program).lower().split())
    assert "onnxruntime" in names
    assert not names & {"tensorflow", "keras", "tf2onnx", "onnx"}


def test_no_build_tool_is_inside(project):
    program = """
import pathlib, shutil
print([name for name in ("cc", "gcc", "g++", "make") if shutil.which(name)])
print([str(path) for path in pathlib.Path("/opt/venv").rglob("pip") if path.is_dir()])
"""
    assert project.run_python(program).splitlines() == ["[]", "[]"]


@pytest.mark.parametrize(
    ("port", "options", "arguments"),
    [(9000, ["--env=PORT=9000"], []), (8080, [], ["serve"])],
    ids=["PORT", "SageMaker"],
)
def test_docker_run_listens_where_it_is_told(project, port, options, arguments):
    run = ["docker", "run", "--detach", f"--publish=127.0.0.1::{port}", *options]
    container = output([*run, IMAGE, *arguments])

    def logs():
        return call(["docker", "logs", container]).stderr

    try:
        published = output(["docker", "port", container, f"{port}/tcp"])
        wait_until_ready(published.rpartition(":")[2], logs)
        assert f"open http://<host>:{port} in a browser" in logs()
        call(
            ["docker", "exec", container, "python", "-m", "service.port"]
        ).check_returncode()
    finally:
        call(["docker", "rm", "--force", container])


def test_sbom_has_every_package_with_a_hash_that_was_pinned(project, root):
    found = json.loads(output([sys.executable, root / "deploy" / "sbom.py", IMAGE]))[
        "components"
    ]
    program = "import importlib.metadata as m; print(*{d.name for d in m.distributions()})"
    python_packages = [c for c in found if c.get("purl", "").startswith("pkg:pypi/")]
    names = {component["name"] for component in python_packages}
    assert names == set(project.run_python(program).split())
    pinned = (root / "requirements" / "service.txt").read_text()
    assert all(c["hashes"][0]["content"] in pinned for c in python_packages)
    assert any(c.get("purl", "").startswith("pkg:deb/debian/libc6@") for c in found)
    models = [c["version"] for c in found if c["type"] == "machine-learning-model"]
    assert models == ["1", "2", "3"]


def test_every_profile_is_understood(project):
    profiles = ["load", "scale", "observability", "train"]
    flags = [word for profile in profiles for word in ("--profile", profile)]
    services = project.compose(*flags, "config", "--services").split()
    assert {"service", "replica", "proxy", "prometheus", "grafana", "train"} < set(services)


@pytest.fixture(scope="module")
def proxy(project):
    """The port of a proxy before two replicas."""
    if standins.provide("haproxy") is None:
        pytest.skip(f"needs the image {standins.tag('haproxy')}")
    port = free_port()
    project.environment |= {"PROXY_PORT": str(port), "REPLICAS": "2"}
    project.environment["MNIST_DRAIN_SECONDS"] = "0"
    scale = ["--profile", "scale"]
    project.compose(*scale, "build", "replica", timeout=BUILD_S)
    project.compose(*scale, "up", "--detach", "proxy", timeout=2 * START_S)
    wait_until_ready(port, lambda: project.compose(*scale, "logs", "proxy"))
    return port


def test_the_proxy_passes_answers_and_refusals_of_the_replicas_on(proxy, digit):
    status, _, reply = ask(proxy, "/predict", digit["frame"])
    assert (status, reply["predictions"][0]["digit"]) == (200, digit["label"])
    status, headers, reply = ask(proxy, "/predict", b"short")
    assert status == 400
    assert headers["X-Request-ID"]
    assert "multiple of 784" in reply["error"]


def test_metrics_of_one_replica_are_not_reachable_through_the_proxy(proxy):
    for path in ("/metrics", "//metrics", "/%6Detrics", "/metrics?a=1"):
        status, _, reply = ask(proxy, path)
        assert status == 404, path
        assert reply["error"].startswith("found no route"), path


def test_what_the_proxy_cannot_read_it_refuses_as_the_service_does(proxy):
    with socket.create_connection(("127.0.0.1", proxy), 10) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n")
        response = http.client.HTTPResponse(client)
        response.begin()
        assert (response.status, list(json.load(response))) == (400, ["error"])


def test_without_a_replica_the_proxy_refuses_as_the_service_does(project, proxy):
    project.compose("--profile", "scale", "stop", "replica", timeout=2 * STOP_S)
    status, headers, reply = ask(proxy, "/predict", bytes(784))
    assert (status, headers["Retry-After"]) == (503, "1")
    assert reply == {"error": "no replica is ready, expected one at least: ask again"}


def test_load_profile_with_two_workers_ends_with_its_verdict_and_a_report(project):
    load = ["--profile", "load"]
    project.compose(*load, "build", "load-master", "load-worker", timeout=BUILD_S)
    reports = project.root / "load" / "reports"
    reports.mkdir(exist_ok=True)
    (reports / "smoke.html").unlink(missing_ok=True)
    run = ["run", "--rm", "-T", "--use-aliases", "load-master"]
    asked = {"SCENARIO": "smoke", "LOAD_WORKERS": "2", "LOAD_LIMIT": "p50<1us"}
    asked |= {"LOAD_SECONDS": "2", "UID_GID": f"{os.getuid()}:{os.getgid()}"}
    done = project.try_compose(*load, *run, timeout=2 * START_S, **asked)
    assert done.returncode in (1, LATE), done.stdout + done.stderr
    assert "p50<1us" in (reports / "smoke.html").read_text().replace("&lt;", "<")


def test_what_could_not_write_its_result_says_so_before_it_runs(project):
    run = ["--profile", "load", "run", "--rm", "-T", "--no-deps", "load-master"]
    done = project.try_compose(*run, UID_GID="12345:12345")
    assert done.returncode == 1
    assert "user 12345 cannot write to /reports" in done.stdout + done.stderr
    assert "export UID_GID=$(id -u):$(id -g)" in done.stdout + done.stderr


def test_a_stop_ends_gracefully(project):
    project.compose("stop", "service", timeout=2 * STOP_S)
    state = project.inspect("{{.State.Status}} {{.State.ExitCode}}")
    assert state == "exited 0"  # 137 would be a SIGKILL, 143 an unhandled SIGTERM
