"""The manifests hold to the schemas of the Kubernetes versions that they name."""

import ast
import copy
import re

import kubernetes_validate
import pytest

from tests.deploy.manifests import BUILDS, FOLDER, ROOT, build, build_with, of_kind, one

OLDEST, NEWEST = "1.30", "1.37"
COMPONENTS = ["cpu", "keys", "models", "monitoring"]
NOT_OF_KUBERNETES = {"InferenceService", "PodMonitor"}
KSERVE = ".venv/clients/lib/python3*/site-packages/kserve/models"
PYTHON = {"int": int, "str": str, "bool": bool}


def check(version, objects):
    for it in objects:
        if it["kind"] not in NOT_OF_KUBERNETES:
            used = kubernetes_validate.validate(it, version, strict=True)
            assert used == version  # and not an older one in its place


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_every_object_is_valid_and_has_no_unknown_field(version):
    for name in BUILDS:
        check(version, build(name))


@pytest.mark.parametrize("component", COMPONENTS)
def test_every_component_fits_the_base(component, tmp_path):
    check(OLDEST, build_with(tmp_path, component))


def test_a_field_that_kubernetes_does_not_know_is_found():
    wrong = copy.deepcopy(one(build("base"), "Deployment"))
    wrong["spec"]["template"]["spec"]["containers"][0]["readynessProbe"] = {}
    with pytest.raises(kubernetes_validate.ValidationError, match="readynessProbe"):
        check(OLDEST, [wrong])


def test_the_guide_names_the_versions_that_are_checked():
    guide = (FOLDER / "README.md").read_text()
    assert f"Kubernetes {OLDEST} to {NEWEST}" in guide


# What is KServe's own is compared with its client's models, and the rest is a pod's.


def kserve_model(name):
    """The types of a model's fields, by the name that they have in JSON."""
    found = sorted(ROOT.glob(f"{KSERVE}/{name}.py"))
    assert found, f"found no {KSERVE}/{name}.py, expected it: make environments"
    values = {
        target.id: ast.literal_eval(node.value)
        for node in ast.walk(ast.parse(found[0].read_text()))
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    names, types = values["attribute_map"], values["openapi_types"]
    return {name: types[own] for own, name in names.items()}


@pytest.mark.parametrize("name", ["kserve", "overlays/knative"])
def test_the_predictor_is_one_of_kserve_s(name):
    service = one(build(name), "InferenceService")
    assert service["apiVersion"] == "serving.kserve.io/v1beta1"
    assert set(service["spec"]) <= set(kserve_model("v1beta1_inference_service_spec"))
    types = kserve_model("v1beta1_predictor_spec")
    predictor = dict(service["spec"]["predictor"])
    strategy = predictor.pop("deploymentStrategy", {})
    for field in predictor:
        assert field in types
        if types[field] in PYTHON:
            assert isinstance(predictor[field], PYTHON[types[field]])
    own = {"minReplicas", "maxReplicas", "scaleMetric", "scaleTarget"}
    pod = {k: v for k, v in predictor.items() if k not in own}
    like = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": pod}
    check(NEWEST, [like])
    deployment = copy.deepcopy(one(build("base"), "Deployment"))
    deployment["spec"]["strategy"] = strategy
    check(NEWEST, [deployment])


def test_the_predictor_has_what_kserve_and_knative_ask_of_a_custom_one():
    for name in ("kserve", "overlays/knative"):
        service = one(build(name), "InferenceService")
        (container,) = service["spec"]["predictor"]["containers"]
        assert container["name"] == "kserve-container"
        (port,) = container["ports"]
        for probe in ("readinessProbe", "livenessProbe"):
            assert container[probe]["httpGet"]["port"] == port["containerPort"]
    # `container` is Knative's now, which refuses these.
    assert port["name"] in ("http1", "h2c")
    assert "lifecycle" not in container
    refused = {"securityContext", "terminationGracePeriodSeconds", "initContainers"}
    assert not refused & set(service["spec"]["predictor"])


@pytest.mark.parametrize("name", BUILDS)
def test_images_have_a_tag_that_is_not_the_latest(name):
    text = str(build(name))
    images = re.findall(r"'image': '([^']+)'", text)
    assert images or not of_kind(build(name), "Deployment")
    for image in images:
        assert re.fullmatch(r"mnist-(service|load):(?!latest)[\w.-]+", image)
