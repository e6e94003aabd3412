"""Facts in the documents are those of the code, the results and the models."""

import dataclasses
import json
import re
from statistics import fmean, median
from urllib.request import urlopen

import pytest

import service
from service.settings import Settings

RESULTS = "bench/results"
NAMES = {
    "**this service**": "service",
    "Granian, WSGI": "granian-wsgi",
    "FastPySGI, WSGI": "fastpysgi",
    "Robyn": "robyn",
    "mosec (dynamic batching)": "mosec",
    "Granian, RSGI": "granian",
    "FastAPI, uvicorn": "fastapi",
    "Flask, gunicorn gthread": "flask",
    "Triton, Python backend": "triton",
    "MLServer": "mlserver",
    "BentoML": "bentoml",
    "LitServe": "litserve",
}
LEFT_OUT = {"Robyn", "Granian, RSGI", "MLServer", "LitServe"}  # of the front page
ITEMS = ("json1", "binary1", "json64", "binary64")


def test_every_setting_is_listed_and_no_other(pages, table):
    rows = [row[:2] for row in table(pages["docs/operations.md"], "Variable |")]
    listed = {name.strip("`"): default for name, default in rows}
    fields = {f"MNIST_{f.name.upper()}": f.default for f in dataclasses.fields(Settings)}
    assert list(listed) == list(fields)
    shown = {name: int(text) for name, text in listed.items() if text.isdecimal()}
    assert shown == {name: v for name, v in fields.items() if isinstance(v, int)}


def test_every_route_is_listed_and_no_other(root, pages):
    described = json.loads((root / "service/web/openapi.json").read_text())["paths"]
    routes = {(m.upper(), path) for path, methods in described.items() for m in methods}
    listed = set()
    for method, path in re.findall(r"`(GET|POST) (/[^`]*)`", pages["docs/http.md"]):
        longer = re.sub(r"\[(.*?)\]", r"\1", path)
        listed |= {(method, re.sub(r"\[.*?\]", "", path)), (method, longer)}
    assert {route for route in listed if "?" not in route[1]} == routes


def test_the_speed_is_that_of_the_results(root, pages, table):
    rounds = json.loads((root / RESULTS / "bench.json").read_text())["rounds"]

    def rate(server, item):
        found = [each["servers"][server]["items"][item] for each in rounds]
        return median(each["requests"] / each["microseconds"] * 1e6 for each in found)

    for path in ("README.md", "docs/measured.md"):
        rows = table(pages[path], "Server |")
        left_out = LEFT_OUT if path == "README.md" else ()
        assert [row[0] for row in rows] == [it for it in NAMES if it not in left_out]
        for name, *cells in rows:
            for cell, item in zip(cells, ITEMS, strict=True):
                own, other = rate("service", item), rate(NAMES[name], item)
                times = f" ({own / other:.1f}×)" if name != "**this service**" else ""
                assert cell.replace("*", "") == f"{other:,.0f}{times}", (path, name)


def test_the_microseconds_are_those_of_the_results(root, pages, table):
    layers = json.loads((root / RESULTS / "layers.json").read_text())["layers"]
    rows = table(pages["docs/measured.md"], "Configuration |")
    shown = {row[0].removesuffix(" (`MNIST_FAST_PATH=0`)"): row[1:] for row in rows}
    del shown["ONNX Runtime alone"]
    assert shown == {
        name: [f"{value:,.0f}" for value in values] for name, values in layers.items()
    }


def test_accuracies_are_the_manifests(root, pages):
    manifests = sorted((root / "models" / "mnist").glob("*/manifest.json"))
    metrics = [json.loads(path.read_text())["metrics"] for path in manifests]
    accuracies = [f"{100 * each['test_accuracy']['value']:.2f}" for each in metrics]
    ends = [accuracies[0], accuracies[-1]]  # the lesson's and the default
    for path, expected in (
        ("README.md", ends),
        ("docs/lesson.md", ends),
        ("docs/measured.md", accuracies),
    ):
        assert sorted(set(re.findall(r"(\d\d\.\d\d) %", pages[path]))) == expected, path


def test_the_comparison_of_methods_is_that_of_the_results(root, pages, table):
    runs = json.loads((root / "training/results/baselines.json").read_text())["runs"]
    methods = {"HOG + linear SVM": "hog-svm", "network": "network"}
    rows = table(pages["docs/lesson.md"], "Training images |")
    assert [row[0] for row in rows] == list(methods)
    for name, *cells in rows:
        for cell, images in zip(cells, (100, 1_000, 10_000, 60_000), strict=True):
            chosen = ("pixels", methods[name], images)
            found = [r for r in runs if (r["data"], r["method"], r["images"]) == chosen]
            mean = 100 * fmean(run["accuracy"] for run in found)
            assert float(cell) == pytest.approx(mean, abs=0.0051)


def test_the_release_is_the_same_everywhere(documents, url):
    latest = re.search(r"^## (\S+)", documents["CHANGELOG.md"], re.M)[1]
    served = json.load(urlopen(f"{url}/v2"))["version"]
    described = json.load(urlopen(f"{url}/openapi.json"))["info"]["version"]
    assert {latest, served, described} == {service.__version__}


def test_a_release_has_a_short_list_of_changes(documents):
    releases = documents["CHANGELOG.md"].split("\n## ")[1:]
    assert max(len(release.splitlines()) for release in releases) <= 60
