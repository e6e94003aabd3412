"""The service below a path, by SCRIPT_NAME or a proxy's header: one rule for every way."""

import re
from urllib.parse import urljoin

import pytest

from tests.service.conftest import WAYS

RAW = "application/octet-stream"


@pytest.fixture(scope="module", params=WAYS)
def below(start, request):
    """A server below /mnist."""
    options, environment = WAYS[request.param]
    server = start(*options, SCRIPT_NAME="/mnist", **environment)
    server.port = int(server.wait_until(r"Listening at: http://127.0.0.1:(\d+)")[1])
    server.wait_until(r"serving mnist version")
    return server


@pytest.mark.parametrize("path", ["/livez", "/", "/mnistlivez", "/mnis", "/MNIST/livez"])
def test_a_path_outside_is_no_route(below, path):
    answer = below.request("GET", path)
    assert (answer.status, list(answer.json)) == (404, ["error"])
    assert path in answer.json["error"]


@pytest.mark.parametrize("path", ["/mnist/livez", "/mnist/", "/mnist/learn"])
def test_a_path_below_is_answered(below, path):
    assert below.request("GET", path).status == 200


@pytest.mark.parametrize(
    ("path", "status"),
    [("/predict", 404), ("/mnist/predict", 200), ("/mnist/v1/models/mnist:predict", 400)],
)
def test_inference_has_the_same_rule(below, frames, path, status):
    assert below.post(frames[3].tobytes(), RAW, path).status == status


@pytest.mark.parametrize("query", ["", "?a=b&c=%2F"])
def test_the_prefix_alone_leads_to_where_relative_urls_are_right(below, query):
    answer = below.request("GET", "/mnist" + query)
    assert (answer.status, answer.headers["Location"]) == (308, "/mnist/" + query)


@pytest.mark.parametrize("page", ["/mnist/", "/mnist/learn", "/mnist/docs"])
def test_the_page_names_what_is_below(below, page):
    text = below.request("GET", page).body.decode()
    for path in set(re.findall(r"(?:src|href)=\"([^\"#]+)", text)):
        path = urljoin(page, path)
        assert path.startswith("/mnist/")
        assert below.request("GET", path).status == 200, path


def test_the_page_names_its_address(below):
    text = below.request("GET", "/mnist/").body.decode()
    own = f"http://127.0.0.1:{below.port}/mnist/"
    assert f"{own}predict" in text
    assert f'<meta property="og:image" content="{own}static/' in text


def test_an_unrouted_path_is_no_bug(below):
    below.request("GET", "/livez")
    below.post(b"", RAW, "/predict")
    assert "Traceback" not in below.log


@pytest.mark.parametrize("value", ["/x", "x", "/", "/livez/y", "\xff"])
@pytest.mark.parametrize("path", ["/livez", "/predict"])
def test_a_trusted_proxys_header_for_another_path_is_no_bug(server, frames, path, value):
    method, body = ("POST", frames[3].tobytes()) if path == "/predict" else ("GET", None)
    headers = {"SCRIPT_NAME": value, "Content-Type": RAW}
    answer = server.request(method, path, body, headers)
    assert answer.status == (200 if value == "/" else 404)
    assert "Traceback" not in server.log


@pytest.mark.parametrize("path", ["/x/livez", "/x/predict"])
def test_a_trusted_proxys_header_is_followed(server, frames, path):
    method, body = ("POST", frames[3].tobytes()) if "predict" in path else ("GET", None)
    headers = {"SCRIPT_NAME": "/x", "Content-Type": RAW}
    assert server.request(method, path, body, headers).status == 200


def test_a_prefix_that_no_path_has_is_refused_at_the_start(start):
    server = start(SCRIPT_NAME="mnist")
    assert server.wait() != 0
    assert "SCRIPT_NAME has value 'mnist', expected a path such as /mnist" in server.log
