"""The containers, built and run by a real Docker engine."""

import base64
import http.client
import json
import os
import socket
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

BASE = "python:3.11-slim-bookworm"
IMAGE = "mnist-service"


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


def test_image_adds_at_most_180_mb_to_its_base(project):
    size, base = (
        int(output(["docker", "image", "inspect", "--format", "{{.Size}}", image]))
        for image in (IMAGE, BASE)
    )
    assert 0 < size - base <= 180_000_000


def test_image_says_what_it_is(project):
    labels = json.loads(
        output(["docker", "image", "inspect", "--format", "{{json .Config.Labels}}", IMAGE])
    )
    prefix = "org.opencontainers.image."
    told = {k.removeprefix(prefix): v for k, v in labels.items() if k.startswith(prefix)}
    assert told["licenses"] == "Apache-2.0"
    assert all(told[key] for key in ("title", "description", "version", "revision"))


def test_image_has_neither_a_compiler_nor_a_cache(project):
    program = """
import pathlib, shutil
print([name for name in ("cc", "gcc", "g++", "make") if shutil.which(name)])
print([str(path) for path in pathlib.Path("/opt/venv").rglob("pip") if path.is_dir()])
print([str(path) for path in pathlib.Path("/root").rglob("*") if path.is_file()
       and ".cache" in path.parts])
"""
    command = [
        "docker",
        "run",
        "--rm",
        "--user=0",
        "--entrypoint=python",
        IMAGE,
        "-c",
        program,
    ]
    assert output(command).splitlines() == ["[]", "[]", "[]"]


def test_sbom_has_every_package_with_a_hash_that_was_pinned(project, root):
    python = root / ".venv" / "sbom" / "bin" / "python"
    if not python.exists():
        pytest.skip("needs .venv/sbom: make sbom")
    # The script checks the document against CycloneDX's schema.
    found = json.loads(output([python, root / "deploy" / "sbom.py", IMAGE]))["components"]
    program = "import importlib.metadata as m; print(*{d.name for d in m.distributions()})"
    python_packages = [c for c in found if c.get("purl", "").startswith("pkg:pypi/")]
    names = {component["name"] for component in python_packages}
    assert names == set(project.run_python(program).split())
    pinned = (root / "requirements" / "service.txt").read_text()
    assert all(c["hashes"][0]["content"] in pinned for c in python_packages)
    assert any(c.get("purl", "").startswith("pkg:deb/debian/libc6@") for c in found)
    models = [c["version"] for c in found if c["type"] == "machine-learning-model"]
    assert models == ["1", "2"]


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
    deadline = time.monotonic() + START_S
    while ask(port, "/readyz")[0] != 200:
        assert time.monotonic() < deadline, project.compose(*scale, "logs", "proxy")
        time.sleep(0.2)
    return port


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


def test_proxy_brings_replicas_that_answer(proxy, digit):
    status, _, reply = ask(proxy, "/predict", digit["frame"])
    assert status == 200
    assert reply["predictions"][0]["digit"] == digit["label"]


def test_what_a_replica_refuses_comes_through_the_proxy_as_it_is(proxy):
    status, headers, reply = ask(proxy, "/predict", b"short")
    assert status == 400
    assert headers["X-Request-ID"]
    assert "multiple of 784" in reply["error"]


@pytest.mark.parametrize("path", ["/metrics", "//metrics", "/%6Detrics", "/metrics?a=1"])
def test_metrics_of_one_replica_are_not_to_be_had_through_the_proxy(proxy, path):
    status, _, reply = ask(proxy, path)
    assert status == 404
    assert reply["error"].startswith("found no route")


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
