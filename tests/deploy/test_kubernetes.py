"""What the Kubernetes manifests mean, held against the service itself."""

import re
import runpy
from collections import ChainMap
from dataclasses import fields

import pytest
import yaml

from load import options
from load.__main__ import command
from service.settings import PREFIX, Settings
from tests.deploy.manifests import (
    BUILDS,
    FOLDER,
    ROOT,
    build,
    build_with,
    dockerfile,
    of_kind,
    one,
    pods,
    ports,
    selects,
    variables,
)
from tests.support.server import free_port

PROBES = ("startupProbe", "readinessProbe", "livenessProbe")
SERVES = ["base", "overlays/small", "overlays/production", "kserve"]
ADAPTER = FOLDER / "components" / "monitoring" / "adapter.yaml"
RULES = yaml.safe_load(ADAPTER.read_text())["rules"]["custom"]


@pytest.fixture(params=BUILDS)
def objects(request):
    return build(request.param)


@pytest.fixture
def deployment():
    return one(build("base"), "Deployment")


@pytest.fixture
def pod(deployment):
    return deployment["spec"]["template"]["spec"]


@pytest.fixture
def container(pod):
    (only,) = pod["containers"]
    return only


def containers(objects):
    return [(spec, it) for _, spec in pods(objects) for it in spec["containers"]]


# The service as the manifest starts it.


@pytest.fixture(scope="module")
def served(start):
    """The real service with the settings of the base, on other ports; its metrics' port."""
    objects = build("base")
    (_, container), *_ = containers(objects)
    settings = variables(objects, container)
    port = free_port()
    host, declared = settings["MNIST_METRICS_BIND"].split(":")
    assert (host, int(declared)) == ("0.0.0.0", ports(container)["metrics"])
    settings["MNIST_METRICS_BIND"] = f"127.0.0.1:{port}"
    server = start(**settings).wait_ready()
    server.port, server.clients = port, server.port
    return server


@pytest.mark.parametrize("probe", PROBES)
def test_each_probe_is_answered_where_it_asks(served, container, probe):
    asked = container[probe]["httpGet"]
    assert asked["port"] == "metrics"
    assert served.request("GET", asked["path"]).status == 200


def test_what_prometheus_is_to_scrape_is_there(served, tmp_path):
    objects = build_with(tmp_path, "monitoring")
    (endpoint,) = one(objects, "PodMonitor")["spec"]["podMetricsEndpoints"]
    assert endpoint["port"] == "metrics"
    assert served.request("GET", endpoint["path"]).status == 200


def test_the_autoscaler_s_metric_is_made_of_metrics_that_the_service_has(served):
    scaler = one(build("overlays/production"), "HorizontalPodAutoscaler")
    (metric,) = scaler["spec"]["metrics"]
    (rule,) = (it for it in RULES if it["name"]["as"] == metric["pods"]["metric"]["name"])
    series = re.match(r"[\w:]+", rule["seriesQuery"])[0]
    assert re.fullmatch(rule["name"]["matches"], series)
    query = rule["metricsQuery"].replace("<<.Series>>", series)
    asked = re.findall(r"([a-z_]+)\{<<\.LabelMatchers>>\}", query)
    assert len(asked) == query.count("LabelMatchers")
    text = served.request("GET", "/metrics").body.decode()
    known = re.findall(r"^([\w:]+)[{ ]", text, re.M)
    assert set(asked) <= set(known)


# Names and numbers that have to agree.


def test_ports_are_those_of_the_image(container):
    assert ports(container)["http"] == int(dockerfile("service")["EXPOSE"])
    (service,) = one(build("base"), "Service")["spec"]["ports"]
    assert service["targetPort"] == "http"


def test_every_selector_takes_the_pods_that_it_is_for(objects):
    labels = [it for it, _ in pods(objects)]
    for it in objects:
        spec = it.get("spec", {})
        selector = spec.get("podSelector") or spec.get("selector") or {}
        if it["kind"] == "Service":
            selector = {"matchLabels": selector}
        assert any(selects(selector, each) for each in labels), it["metadata"]
    for each, spec in pods(objects):
        for spread in spec.get("topologySpreadConstraints", []):
            assert selects(spread["labelSelector"], each)


def test_every_pod_and_object_is_in_one_namespace(objects):
    spaces = {it["metadata"]["name"] for it in of_kind(objects, "Namespace")} or {"mnist"}
    inside = [it for it in objects if it["kind"] != "Namespace"]
    assert {it["metadata"].get("namespace") for it in inside} == spaces


def test_every_variable_with_the_service_s_prefix_is_a_setting(objects):
    known = {PREFIX + field.name.upper() for field in fields(Settings)}
    for _, container in containers(objects):
        found = variables(objects, container)
        assert {name for name in found if name.startswith(PREFIX)} <= known
        Settings.from_environment(found)  # with values that it takes


@pytest.mark.parametrize("name", SERVES)
def test_the_grace_period_is_enough_for_the_drain_and_for_the_stop(name):
    objects = build(name)
    ((pod, container),) = containers(objects)
    config = runpy.run_path(str(ROOT / "service" / "gunicorn.conf.py"))
    drain = int(variables(objects, container).get("MNIST_DRAIN_SECONDS", 0))
    hook = container["lifecycle"]["preStop"]["sleep"]["seconds"]
    needed = hook + drain + config["graceful_timeout"]
    assert pod["terminationGracePeriodSeconds"] > needed


def test_gunicorn_may_replace_a_worker_that_hangs_before_kubernetes_ends_the_pod(container):
    config = runpy.run_path(str(ROOT / "service" / "gunicorn.conf.py"))
    probe = container["livenessProbe"]
    assert probe["periodSeconds"] * (probe["failureThreshold"] - 1) > config["timeout"]


def test_the_autoscaler_alone_says_how_many_pods_there_are(deployment):
    assert "replicas" not in deployment["spec"]
    spec = one(build("base"), "HorizontalPodAutoscaler")["spec"]
    target = spec["scaleTargetRef"]
    assert target["kind"] == deployment["kind"]
    assert target["name"] == deployment["metadata"]["name"]


def test_at_the_autoscaler_s_target_a_pod_can_be_lost():
    spec = one(build("base"), "HorizontalPodAutoscaler")["spec"]
    target = spec["metrics"][0]["pods"]["target"]["averageValue"]
    busy = int(target.removesuffix("m")) / 1000
    assert spec["minReplicas"] * busy / (spec["minReplicas"] - 1) < 1  # of the others


def test_a_rollout_and_a_drained_machine_leave_enough_pods(deployment):
    assert deployment["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    assert one(build("base"), "PodDisruptionBudget")["spec"]["maxUnavailable"] == 1


# What holds if somebody gets in.


def test_every_container_is_confined(objects):
    for job, (pod, container) in zip(jobs(objects), containers(objects)):
        found = ChainMap(container["securityContext"], pod.get("securityContext", {}))
        user = dockerfile(job)["USER"]
        assert f"{found['runAsUser']}:{found['runAsGroup']}" == user
        assert found["runAsNonRoot"] is True
        assert found["readOnlyRootFilesystem"] is True
        assert found["allowPrivilegeEscalation"] is False
        assert found["capabilities"] == {"drop": ["ALL"]}
        assert found["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["automountServiceAccountToken"] is False
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod)


@pytest.mark.parametrize(
    ("component", "variable"), [("keys", "MNIST_API_KEYS"), ("models", "MNIST_MODEL_ROOT")]
)
def test_what_a_component_mounts_is_where_the_service_looks(component, variable, tmp_path):
    objects = build_with(tmp_path, component)
    ((pod, container),) = containers(objects)
    (mount,) = (it for it in container["volumeMounts"] if it["name"] == component)
    assert variables(objects, container)[variable].startswith(mount["mountPath"])
    assert mount["readOnly"] is True
    # The types that the level `restricted` lets in, which the namespace asks for.
    (volume,) = (it for it in pod["volumes"] if it["name"] == component)
    assert set(volume) - {"name"} <= {"secret", "persistentVolumeClaim"}


def jobs(objects):
    """The folder of each container's Dockerfile."""
    images = [container["image"] for _, container in containers(objects)]
    return [image.split(":")[0].removeprefix("mnist-") for image in images]


def test_whole_cores_are_the_limit_and_are_reserved(objects):
    for _, container in containers(objects):
        resources = container["resources"]
        assert resources["limits"] == resources["requests"]
        assert int(resources["limits"]["cpu"]) >= 1  # raises for "500m" and "1.5"


def test_every_volatile_folder_has_a_limit(objects):
    for spec, container in containers(objects):
        mounts = {it["name"]: it["mountPath"] for it in container["volumeMounts"]}
        (tmp,) = (it for it in spec["volumes"] if mounts[it["name"]] == "/tmp")
        assert tmp["emptyDir"]["sizeLimit"]


@pytest.mark.parametrize("name", SERVES)
def test_nothing_goes_out_of_the_service(name):
    objects = build(name)
    ((labels, _),) = pods(objects)
    policies = [
        it["spec"]
        for it in of_kind(objects, "NetworkPolicy")
        if selects(it["spec"]["podSelector"], labels)
    ]
    assert any("Egress" in it["policyTypes"] for it in policies)
    assert not any(it.get("egress") for it in policies)


def test_metrics_are_for_prometheus_and_the_rest_for_clients():
    allowed = {
        rule["ports"][0]["port"]: rule["from"]
        for it in of_kind(build("overlays/production"), "NetworkPolicy")
        for rule in it["spec"].get("ingress", [])
    }
    assert set(allowed) == {"http", "metrics"}
    for peers in allowed.values():
        assert all(peer and {} not in peer.values() for peer in peers)  # {} lets all in


# The load test.


def test_the_load_test_asks_as_many_workers_as_there_are():
    workers = one(build("load"), "Job", "mnist-load-workers")["spec"]
    _, container = master()
    wanted = int(variables(build("load"), container)["LOAD_WORKERS"])
    assert workers["parallelism"] == workers["completions"] == wanted


def master():
    spec = one(build("load"), "Job", "mnist-load-master")["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    return spec, container


def test_the_load_test_takes_its_options():
    _, container = master()
    found = variables(build("load"), container)
    asked = [re.sub(r"\$\((\w+)\)", lambda m: found[m[1]], it) for it in container["args"]]
    assert "--expect-workers=2" in command(asked)
    assert container["command"] == ["python", "-m", "load"]
    known = options_by_variable()
    for name in set(found) - {"SCENARIO", "CONNECTIONS", "LOAD_WORKERS"}:
        assert name in known


def options_by_variable():
    names = []

    class Parser:
        def add_argument(self, name, **about):
            names.append(about["env_var"])

    options.add(Parser())
    return names


def test_the_load_test_reaches_the_service_its_own_and_names_and_nothing_else():
    rules = one(build("load"), "NetworkPolicy")["spec"]["egress"]
    (target, _), *_ = pods(build("base"))
    peers = [peer for rule in rules for peer in rule["to"]]
    assert len(peers) == len(rules) == 3
    assert all(peer.get("podSelector") for peer in peers)
    to_service = [r for r in rules if selects(r["to"][0]["podSelector"], target)]
    ((_, container),) = containers(build("base"))
    assert [r["ports"] for r in to_service] == [[{"port": ports(container)["http"]}]]


def test_the_service_lets_the_load_test_in():
    policy = one(build("base"), "NetworkPolicy", "mnist")["spec"]
    peers = policy["ingress"][0]["from"]
    allowed = [it["podSelector"] for it in peers if "podSelector" in it]
    for labels, _ in pods(build("load")):
        assert any(selects(it, labels) for it in allowed)
    host = next(it for it in master()[1]["args"] if it.startswith("--host="))
    service = one(build("base"), "Service")
    assert host == f"--host=http://{service['metadata']['name']}"
    assert service["spec"]["ports"][0]["port"] == 80
