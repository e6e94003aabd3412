"""The OpenAPI document is the service."""

import re
import subprocess

import pytest

from bench.harness.server import START_S
from service import create_app
from service.pictures.frame import PIXELS, SIDE
from service.protocols import oip, tensors
from service.settings import Settings
from service.web import openapi

# All of schemathesis's checks but one: a schema cannot say that an image has ink, or that
# bytes are a PNG, so that not all that conforms to it is accepted.
CHECKS = ("--checks", "all", "--exclude-checks", "positive_data_acceptance")
# Headers that are not described are ignored, as in HTTP. And how what does not conform may
# be refused: too many images are too large.
# A busy machine may be overloaded (503), and lets deadlines of 1 ms pass (504).
CONFIG = """
[generation]
allow-extra-parameters = false
[checks]
negative_data_rejection.expected-statuses = [400, 403, 404, 411, 413, 415, 422, 503, 504]
not_a_server_error.expected-statuses = ["2xx", "3xx", "4xx", 503, 504]
"""


def test_every_route_is_described_and_no_other(server):
    paths = server.request("GET", "/openapi.json").json["paths"]
    described = {(path, method.upper()) for path in paths for method in paths[path]}
    served = {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule), method)
        for rule in create_app(Settings()).url_map.iter_rules()
        if "static" not in rule.endpoint
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }
    assert described == served


# The same function makes it in each setup.
@pytest.mark.parametrize("server", ["fast path"], indirect=True)
def test_the_document_is_openapi(root, server, tmp_path):
    (tmp_path / "openapi.json").write_bytes(server.request("GET", "/openapi.json").body)
    command = [root / ".venv/clients/bin/openapi-spec-validator", tmp_path / "openapi.json"]
    completed = subprocess.run(command, capture_output=True, text=True)
    assert completed.returncode == 0, completed.stdout + completed.stderr


def test_the_document_has_the_protocols_names_and_sizes():
    components = openapi.document("mnist", Settings(), "1.2.3")["components"]
    schemas = components["schemas"]
    tensor = schemas["InputTensor"]["properties"]
    output = schemas["RequestedOutput"]["properties"]
    assert tensor["name"] == {"const": tensors.INPUT}
    assert tensor["datatype"] == {"enum": list(tensors.DATATYPES)}
    assert output["name"] == {"const": oip.OUTPUT}
    assert components["parameters"][oip.LENGTH]["name"] == oip.LENGTH
    sizes = {name: schemas[name]["maxItems"] for name in ("PixelList", "PixelRows")}
    assert sizes == {"PixelList": PIXELS, "PixelRows": SIDE}


# test_fast_path and test_http_parity hold the other setups to the same replies.
@pytest.mark.parametrize("server", ["fast path"], indirect=True)
def test_the_service_answers_as_it_says(root, server, tmp_path):
    command = [root / ".venv/clients/bin/schemathesis", "run", "--seed", "1"]
    # Eight hundred, one at least for each keyword; test_hostile has what is at random.
    command += [*CHECKS, "--phases", "examples,coverage"]
    command += ["--request-timeout", f"{START_S}"]
    # How long examples take says something of the machine, and nothing of the service.
    command += ["--suppress-health-check", "too_slow"]
    (tmp_path / "schemathesis.toml").write_text(CONFIG)
    # With a version in the path, the same functions answer.
    command += ["--exclude-path-regex", "/versions/"]
    command += [f"http://127.0.0.1:{server.port}/openapi.json"]
    completed = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert completed.returncode == 0, completed.stdout[-5000:]


@pytest.mark.parametrize(
    ("path", "content_type"),
    [
        ("/docs", "text/html; charset=utf-8"),
        ("/docs/css/swagger-ui.css", "text/css; charset=utf-8"),
        ("/docs/js/swagger-ui-bundle.js", "text/javascript; charset=utf-8"),
        ("/static/docs.js", "text/javascript; charset=utf-8"),
    ],
)
def test_the_page_comes_from_the_service(server, path, content_type):
    answer = server.request("GET", path)
    assert (answer.status, answer.headers["Content-Type"]) == (200, content_type)


def test_the_page_gives_no_file_from_elsewhere(server):
    assert server.request("GET", "/docs/../plugins.py").status == 404
    assert server.request("GET", "/docs/%2e%2e/__init__.py").status == 404
