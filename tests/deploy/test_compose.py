"""The compose file and its examples, read as files; tests/test_containers.py starts it."""

import dataclasses
import json
import re

import pytest
import yaml

from service import __version__
from service.settings import Settings

VARIABLE = re.compile(r"\$\{(\w+)(?::-([^}]*))?\}")


@pytest.fixture(scope="module")
def text(root):
    return (root / "docker-compose.yml").read_text()


@pytest.fixture(scope="module")
def services(text):
    return yaml.safe_load(text)["services"]


def variables(text, services):
    """Return every variable that the compose file reads, each with its default."""
    found = {name: default for name, default in VARIABLE.findall(text)}
    for service in services.values():
        environment = service.get("environment", {})
        if isinstance(environment, list):
            environment = dict.fromkeys(environment)
        found |= {name: "" for name, value in environment.items() if value is None}
    return found


def test_every_variable_is_in_the_example_with_its_default(root, text, services):
    lines = (root / ".env.example").read_text().splitlines()
    # A comment behind a value would be a part of it for Compose 1.29, where that is empty.
    settings = [line[1:] for line in lines if re.match(r"#\w+=", line)]
    assert dict(line.split("=", 1) for line in settings) == variables(text, services)
    # Copied as it is, it changes nothing.
    assert not [line for line in lines if line and line[0] != "#"]


def test_every_setting_reaches_the_container(root, services):
    settings = {f"MNIST_{field.name.upper()}" for field in dataclasses.fields(Settings)}
    settings.remove("MNIST_MODEL_ROOT")  # MNIST_MODELS is mounted there
    documented = set(re.findall(r"`(OTEL_\w+)", (root / "docs/operations.md").read_text()))
    assert documented
    for name in ("service", "replica"):
        assert settings | documented <= services[name]["environment"].keys()


def test_the_image_has_the_version_of_the_software(root):
    dockerfile = (root / "service" / "Dockerfile").read_text()
    assert re.findall(r"^ARG VERSION=(.*)$", dockerfile, re.M) == [__version__]


def test_every_service_is_confined(services):
    for name, service in services.items():
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["init"], name
        assert service["mem_limit"], name
        assert service["pids_limit"] > 0, name
        assert service["logging"]["options"]["max-size"], name


def test_every_image_that_is_not_built_here_has_a_version_and_a_user(services):
    for name, service in services.items():
        if "build" not in service:
            assert re.search(r":v?\d+\.\d+\.\d+$", service["image"]), name
            assert int(service["user"].partition(":")[0]) > 0, name


def test_ports_are_open_to_this_machine_only(services):
    ports = [port for service in services.values() for port in service.get("ports", [])]
    assert len(ports) == 4  # the service, the proxy, Prometheus and Grafana
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_what_is_mounted_from_deploy_is_there(root, services):
    for service in services.values():
        for volume in service.get("volumes", []):
            source = VARIABLE.sub(r"\2", volume).split(":")[0]
            assert not source.startswith("./deploy") or (root / source).is_dir(), volume


def test_only_reports_and_runs_are_mounted_writable(services):
    mounts = [v for service in services.values() for v in service.get("volumes", [])]
    writable = {mount.split(":")[0] for mount in mounts if not mount.endswith(":ro")}
    assert writable == {"./load/reports", "./runs", "prometheus"}


def test_a_stop_is_given_more_time_than_a_drain_and_the_answers_after_it(
    root, text, services
):
    settings = (root / "service" / "gunicorn.conf.py").read_text()
    graceful = int(re.search(r"^graceful_timeout = (\d+)", settings, re.MULTILINE)[1])
    drain = int(re.search(r"MNIST_DRAIN_SECONDS:-(\d+)", text)[1])
    for name in ("service", "replica"):
        assert int(services[name]["stop_grace_period"].rstrip("s")) > drain + graceful


def test_the_proxy_waits_for_fewer_seconds_than_a_replica_drains(root, text):
    config = (root / "deploy" / "haproxy" / "haproxy.cfg").read_text()
    checks = re.search(r"inter (\d+)s fastinter (\d+)ms .*fall 2", config)
    check = int(re.search(r"timeout check (\d+)s", config)[1])
    seen = int(checks[1]) + int(checks[2]) / 1000 + 2 * check
    assert seen < int(re.search(r"MNIST_DRAIN_SECONDS:-(\d+)", text)[1])


def test_a_proxy_that_is_full_of_clients_still_says_how_it_is(root, services):
    config = (root / "deploy" / "haproxy" / "haproxy.cfg").read_text()
    most, clients = map(int, re.findall(r"^  maxconn (\d+)", config, re.MULTILINE))
    assert clients < most
    assert 2 * most < services["proxy"]["ulimits"]["nofile"]


def test_what_the_proxy_says_of_what_it_cannot_read_is_an_error_of_the_service_s_kind(root):
    folder = root / "deploy" / "haproxy"
    named = re.findall(r"errorfile (\d+) (\S+)", (folder / "haproxy.cfg").read_text())
    assert {"400", "408", "414", "431"} <= {status for status, _ in named}
    for status, name in named:
        head, _, body = (folder / name).read_bytes().partition(b"\r\n\r\n")
        assert head.startswith(f"HTTP/1.1 {status} ".encode())
        assert f"Content-Length: {len(body)}".encode() in head
        assert list(json.loads(body)) == ["error"]
