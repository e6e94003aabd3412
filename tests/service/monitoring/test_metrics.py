import concurrent.futures
import json
import os
import re
import signal

import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families

from service.errors import EVERY_REASON, REASONS
from service.inference.target import DIALECTS, ROUTES
from service.model import digits
from service.monitoring import metrics
from service.monitoring.table import CONFIDENCE_BUCKETS
from tests.support.server import eventually

RAW = "application/octet-stream"
PAGES = "README", "runbook"  # the second has the reasons


def read(server):
    """Return the value of every sample, by name and labels."""
    text = server.request("GET", "/metrics").body.decode()
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(samples, name, **labels):
    return samples.get((name, *sorted(labels.items())), 0)


@pytest.fixture(scope="module")
def alone(start):
    # With two workers, one could show its metrics before the other has counted a reply.
    return start().wait_ready()


@pytest.fixture
def grown(alone):
    """Return a function that reads the samples which have grown in a test, and by what."""
    before = read(alone)

    def grown():
        after = read(alone).items()
        return {key: n - before.get(key, 0) for key, n in after if n != before.get(key, 0)}

    return grown


@pytest.fixture
def pair(start):
    return start(WEB_CONCURRENCY="2").wait_ready()


def test_counts_are_summed_over_the_workers(pair, served, frames):
    def post(_):
        return pair.post(frames[:3].tobytes(), RAW).status

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert set(pool.map(post, range(80))) == {200}
    eventually(lambda: value(read(pair), "mnist_request_images_sum") == 240)
    # Every worker gives the same totals.
    for _ in range(6):
        samples = read(pair)
        assert value(samples, "mnist_request_images_sum") == 240
        of_version = {"version": served}
        count = "mnist_stage_duration_seconds_count"
        assert value(samples, count, stage="infer", dialect="predict", **of_version) == 80
        for digit in "012":
            assert (
                value(samples, "mnist_predictions_total", digit=digit, **of_version) == 80
            )


def requests(samples):
    """Return the number of requests by method, route and status."""
    return {
        (
            labels["http_request_method"],
            labels["http_route"],
            labels["http_response_status_code"],
        ): n
        for (name, *pairs), n in samples.items()
        if name == "http_server_request_duration_seconds_count"
        for labels in [dict(pairs)]
    }


def test_requests_are_counted_by_route_and_status(alone, grown, frames):
    alone.post(frames[0].tobytes(), RAW)
    alone.post(b"x", RAW)
    alone.request("GET", "/livez")
    alone.request("GET", "/v2/health/ready")
    alone.request("INVENTED", "/somewhere")
    assert requests(grown()) == {
        ("POST", "/predict", "200"): 1,
        ("POST", "/predict", "400"): 1,
        ("other", "unmatched", "404"): 1,
    }


def test_refusals_by_the_worker_are_counted_by_route_if_the_head_can_be_read(alone, grown):
    alone.raw(
        b"POST /predict HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n"
    )
    alone.raw(b"nonsense\r\n\r\n")
    assert requests(grown()) == {
        ("POST", "/predict", "400"): 1,
        ("other", "unmatched", "400"): 1,
    }


def test_versions_are_shown_with_their_state(start, models, add_version):
    add_version(2)
    add_version(3, lambda content: b"broken")
    samples = read(start(MNIST_MODEL_ROOT=str(models)).wait_ready())
    states = {
        (dict(pairs)["version"], dict(pairs)["state"])
        for (name, *pairs) in samples
        if name == "mnist_model_version"
    }
    assert states == {("1", "served"), ("2", "default"), ("3", "refused")}


def test_every_metric_has_a_help_text(server):
    text = server.request("GET", "/metrics").body.decode()
    for name in re.findall(r"^# TYPE (\S+)", text, re.MULTILINE):
        assert re.search(rf"^# HELP {name} \S.*\.$", text, re.MULTILINE), name


JSON = "application/json"
BLANK = json.dumps({"instances": [[0] * 784]}).encode()
WRONG_PIXEL = json.dumps({"instances": [[256] * 784]}).encode()


@pytest.fixture(scope="module", params=["fast path", "flask"])
def asked(start, request):
    fast_path = {"fast path": "1", "flask": "0"}[request.param]
    server = start(MNIST_FAST_PATH=fast_path, MNIST_TRUSTED_HOSTS="127.0.0.1")
    return server.wait_ready()


def refusals(server):
    return {
        dict(labels)["reason"]: count
        for (name, *labels), count in read(server).items()
        if name == "mnist_refused_total"
    }


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (("POST", "/predict", b"{", JSON), "malformed"),
        (("POST", "/predict", BLANK, JSON), "no_ink"),
        (("POST", "/predict", WRONG_PIXEL, JSON), "pixel_value"),
        (("POST", "/predict", b'{"instances": [[1]]}', JSON), "not_images"),
        (("POST", "/predict", b"\x89PNG\r\n\x1a\n", "image/png"), "damaged_picture"),
        (("POST", "/predict", b"BM", "image/png"), "wrong_type"),
        (("POST", "/predict", b"1" * 17_000_000, RAW), "too_large"),
        (("POST", "/v1/models/cats:predict", b"{}", JSON), "unknown_route"),
        (("GET", "/predict", None, JSON), "wrong_method"),
    ],
)
def test_a_refusal_is_counted_by_its_reason(asked, request_, reason):
    method, path, body, content_type = request_
    before = refusals(asked)
    answer = asked.request(method, path, body, {"Content-Type": content_type})
    assert 400 <= answer.status < 500
    after = refusals(asked)
    assert {word for word in after if after[word] != before[word]} == {reason}
    assert after[reason] == before[reason] + 1


def test_requests_refused_before_the_application_are_counted_too(asked):
    before = refusals(asked)
    for path in (b"/", b"/metrics"):
        asked.raw(b"GET %b HTTP/1.1\r\nHost: elsewhere\r\nConnection: close\r\n\r\n" % path)
    asked.raw(b"nonsense\r\n\r\n")
    after = refusals(asked)
    assert after["wrong_host"] == before["wrong_host"] + 2
    assert after["malformed"] == before["malformed"] + 1


def test_failures_outside_of_flask_are_counted(start, tmp_path):
    (tmp_path / "wsgi_bug.py").write_text(
        "from service.wsgi import load\napp = load()\nanswer = app.wsgi_app\n"
        "app.wsgi_app = lambda environ, start: (\n"
        "    1 / 0 if environ['PATH_INFO'] == '/bug' else answer(environ, start))\n"
    )
    options = ("--pythonpath", str(tmp_path), "wsgi_bug:app")
    server = start(*options).wait_ready()
    assert server.request("GET", "/bug").status == 500
    name = "http_server_request_duration_seconds_count"
    labels = {"http_request_method": "GET", "http_route": "unmatched"}
    samples = read(server)
    assert value(samples, name, http_response_status_code="500", **labels) == 1
    assert sum(refusals(server).values()) == 0


def test_every_reason_starts_at_zero(asked):
    assert sorted(refusals(asked)) == EVERY_REASON


def test_every_status_that_refuses_has_a_reason():
    assert {400, 401, 404, 405, 408, 411, 413, 414, 415, 422, 431, 503} <= REASONS.keys()


def test_stages_are_counted_by_dialect(alone, grown, served, frames):
    tensor = {"name": "image", "shape": [1, 784], "datatype": "UINT8"}
    v2 = {"inputs": [{**tensor, "data": frames[0].tolist()}]}
    v1 = {"instances": [frames[0].tolist()]}
    alone.post(frames[0].tobytes(), RAW)
    alone.post(frames[0].tobytes(), RAW, path="/explain")
    for _ in range(2):
        alone.post(json.dumps(v1), path="/v1/models/mnist:predict")
    for _ in range(3):
        alone.post(json.dumps(v2), path="/v2/models/mnist/infer")
    samples = grown()
    counts = {
        dialect: value(
            samples,
            "mnist_stage_duration_seconds_count",
            **{"version": served, "stage": "encode", "dialect": dialect},
        )
        for dialect in DIALECTS
    }
    assert {name: count for name, count in counts.items() if count} == {
        **{"predict": 1, "explain": 1},
        **{"tfserving": 2, "oip": 3},
    }


def test_the_counted_dialects_are_those_of_the_routes(server):
    counted = {
        dict(labels)["dialect"]
        for (name, *labels) in read(server)
        if name == "mnist_stage_duration_seconds_count"
    }
    assert counted == {dialect.NAME for dialect in ROUTES.values()}


@pytest.mark.parametrize("images", [metrics.FEW, metrics.FEW + 1])
def test_confidences_are_counted_as_the_replies_show_them(alone, grown, served, images):
    # Sure and unsure ones in one request: enough for both ways of counting.
    pixels = np.random.default_rng(3).integers(0, 256, (images, 784), dtype=np.uint8)
    frames = digits.load().frames
    pixels[: images // 2] = frames[: images // 2]
    answer = alone.post(pixels.tobytes(), RAW).json["predictions"]
    said = [prediction["confidence"] for prediction in answer]
    samples = grown()
    name = "mnist_prediction_confidence"
    for bound in CONFIDENCE_BUCKETS:
        below = value(samples, f"{name}_bucket", version=served, le=str(bound))
        assert below == sum(confidence <= bound for confidence in said), bound
    assert value(samples, f"{name}_sum", version=served) == pytest.approx(sum(said))
    unsure = sum(prediction["unsure"] for prediction in answer)
    assert 0 < unsure < images
    assert value(samples, "mnist_unsure_total", version=served) == unsure


def test_turns_are_counted(alone, grown, frames):
    for _ in range(5):  # one after the other: a turn each
        alone.post(frames[0].tobytes(), RAW)
    samples = grown()
    assert value(samples, "mnist_turn_duration_seconds_count") >= 5
    assert value(samples, "mnist_turn_duration_seconds_sum") > 0


def test_workers_are_counted_as_they_start_and_end(pair):
    def wait_for(**exits):
        def started():
            samples = read(pair)
            found = {
                cause: value(samples, "mnist_worker_exits_total", cause=cause)
                for cause in ("asked", "died", "hung")
            }
            starts = value(samples, "mnist_worker_starts_total")
            serve = value(samples, "mnist_workers")
            all_there = starts == 2 + sum(exits.values()) and serve == 2
            if found == {"asked": 0, "died": 0, "hung": 0, **exits} and all_there:
                return value(samples, "process_start_time_seconds")

        return eventually(started)

    started = wait_for()
    os.kill(pair.worker_pids()[0], signal.SIGKILL)
    wait_for(died=1)
    os.kill(pair.worker_pids()[0], signal.SIGTERM)
    wait_for(died=1, asked=1)
    pair.process.send_signal(signal.SIGHUP)
    assert wait_for(died=1, asked=3) == started  # the service's, not a worker's


def test_wanted_workers_follow_the_masters_signals(pair):
    assert value(read(pair), "mnist_workers_wanted") == 2
    pair.process.send_signal(signal.SIGTTIN)
    eventually(lambda: value(read(pair), "mnist_workers") == 3)
    assert value(read(pair), "mnist_workers_wanted") == 3


def test_cpu_time_and_memory_of_the_workers_are_shown(pair):
    def reported():  # by the workers, twice a second
        samples = read(pair)
        computed = value(samples, "process_cpu_seconds_total")
        memory = value(samples, "process_resident_memory_bytes")
        # Two, and each has loaded NumPy; the one connection is our own.
        there = computed > 0.1 and memory > 2 * 30e6
        return there and value(samples, "mnist_connections") == 1

    eventually(reported)


def test_the_pages_for_operators_have_every_metric_and_every_reason(server, root):
    page = "".join((root / "deploy" / f"{name}.md").read_text() for name in PAGES)
    text = server.request("GET", "/metrics").body.decode()
    names = re.findall(r"^# TYPE (\S+)", text, re.MULTILINE)
    assert [name for name in names if f"`{name}`" not in page] == []
    assert [word for word in EVERY_REASON if f"`{word}`" not in page] == []
