"""The Kubernetes manifests as kubectl builds them, and what to look for in them."""

import json
import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "deploy" / "kubernetes"
BUILDS = ["base", "overlays/small", "overlays/production", "kserve", "overlays/knative"]
BUILDS += ["load"]
LEAST = 5  # the first Kustomize whose components, patches and labels are today's


@cache
def kubectl():
    """The command; skips without one that has a Kustomize of today."""
    found = shutil.which("kubectl")
    if not found:
        pytest.skip("needs kubectl, found none")
    said = json.loads(run(found, "version", "--client", "--output=json"))
    version = said.get("kustomizeVersion", "none")
    if version == "none" or int(version.lstrip("v").split(".")[0]) < LEAST:
        pytest.skip(f"needs a kubectl with Kustomize {LEAST}, found Kustomize {version}")
    return found


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


@cache
def build(name):
    """The objects of a folder, by its name or its path."""
    said = run(kubectl(), "kustomize", str(FOLDER / name))
    return list(yaml.safe_load_all(said))


def build_with(folder, component):
    """The base's objects with one component, from a kustomization of a user's own."""
    base, wanted = (
        os.path.relpath(FOLDER / it, folder) for it in ("base", f"components/{component}")
    )
    content = {"resources": [base], "components": [wanted]}
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(content))
    return build(folder)


def one(objects, kind, name=None):
    """The only object of a kind, and of a name if one is given."""
    (found,) = of_kind(objects, kind, name)
    return found


def of_kind(objects, kind, name=None):
    return [
        it
        for it in objects
        if it["kind"] == kind and name in (None, it["metadata"]["name"])
    ]


def pods(objects):
    """The labels and the spec of each pod that will be."""
    for it in objects:
        if it["kind"] in ("Deployment", "Job"):
            template = it["spec"]["template"]
            yield template["metadata"]["labels"], template["spec"]
        if it["kind"] == "InferenceService":
            name = it["metadata"]["name"]
            labels = {
                "serving.kserve.io/inferenceservice": name,
                "component": "predictor",
            }
            yield labels, it["spec"]["predictor"]


def selects(selector, labels):
    """Whether a selector takes these labels; {} takes all, as in Kubernetes."""
    assert set(selector) <= {"matchLabels"}, selector
    return selector.get("matchLabels", {}).items() <= labels.items()


def variables(objects, container):
    """The variables of a container: from ConfigMaps, then its own, which win."""
    found = {}
    for source in container.get("envFrom", []):
        found |= one(objects, "ConfigMap", source["configMapRef"]["name"])["data"]
    return found | {it["name"]: it["value"] for it in container.get("env", [])}


def ports(container):
    """The numbers of its ports, by name."""
    return {it["name"]: it["containerPort"] for it in container["ports"]}


def dockerfile(job):
    """The instructions of an image, each with what it said last."""
    lines = (ROOT / job / "Dockerfile").read_text().splitlines()
    return dict(line.split(" ", 1) for line in lines if line[:1].isupper())
