"""OpenTelemetry spans, as a collector receives them."""

import json
import re
import socket
import subprocess
import time

import pytest

from bench.harness.server import ROOT
from service import create_app
from service.errors import SettingsError
from service.settings import Settings
from tests.support.server import eventually

TRACING = ROOT / ".venv" / "tracing" / "bin" / "python"  # `make test` makes it
SWITCHED_ON = {"python": TRACING, "WEB_CONCURRENCY": "1", "MNIST_TRACING": "1"}
RAW = "application/octet-stream"
SPAN = "00f067aa0ba902b7"
# Each test and setup has its own trace id, to find the spans of its request.
WAYS = {
    "fast path": {},
    "flask": {"MNIST_FAST_PATH": "0"},
    "gthread": {"GUNICORN_CMD_ARGS": "--worker-class gthread"},
}


@pytest.fixture(scope="module")
def collector(tmp_path_factory):
    path = tmp_path_factory.mktemp("collector") / "spans"
    with path.open("wb") as output:
        command = [TRACING, "-m", "tests.support.collector"]
        process = subprocess.Popen(command, cwd=ROOT, stdout=output)
    try:
        eventually(lambda: process.poll() is not None or "\n" in path.read_text())
        assert process.poll() is None, "the collector has ended"
        yield path
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="module", params=WAYS)
def server(request, start, collector):
    port = collector.read_text().split("\n")[0]
    started = start(
        **SWITCHED_ON,
        OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{port}",
        OTEL_BSP_SCHEDULE_DELAY="100",  # milliseconds
        OTEL_RESOURCE_ATTRIBUTES="deployment.environment.name=test",
        **WAYS[request.param],
    )
    started.id = f"{list(WAYS).index(request.param) + 1:x}"
    return started.wait_ready()


def spans_of(collector, trace_id, count):
    def found():
        *lines, _ = collector.read_text().split("\n")[1:]  # the last may not be whole
        spans = map(json.loads, lines)
        return [span for span in spans if span["traceId"] == trace_id]

    eventually(lambda: len(found()) == count)
    return found()


def traced(server, number, flags="01"):
    trace_id = f"{server.id}{number:031x}"
    return trace_id, {"traceparent": f"00-{trace_id}-{SPAN}-{flags}"}


def ask(server, body, headers, path="/predict?version=1"):
    known = {"Content-Type": RAW, "User-Agent": "test/1", **headers}
    return server.request("POST", path, body, known)


def test_a_request_has_a_span_below_that_of_its_client(server, collector, frames):
    trace_id, headers = traced(server, 1)
    before = time.time_ns()
    reply = ask(server, frames[:2].tobytes(), {**headers, "tracestate": "a=b,c=d"})
    spans = spans_of(collector, trace_id, 4)
    (span,) = [one for one in spans if one["kind"] == "SPAN_KIND_SERVER"]
    assert span["name"] == "POST /predict"
    assert span["parentSpanId"] == SPAN
    assert span["traceState"] == "a=b,c=d"
    assert span["path"] == "/v1/traces"
    assert span["resource"]["service.name"] == "mnist"
    assert span["resource"]["deployment.environment.name"] == "test"
    # It ends when the reply has been sent, which its client may see first.
    start, end = int(span["startTimeUnixNano"]), int(span["endTimeUnixNano"])
    assert before < start < end < time.time_ns()
    assert span["attributes"] == {
        "http.request.method": "POST",
        "http.route": "/predict",
        "http.response.status_code": "200",
        "http.request.body.size": "1568",
        "http.response.body.size": str(len(reply.body)),
        "url.scheme": "http",
        "url.path": "/predict",
        "server.address": "127.0.0.1",
        "server.port": str(server.port),
        "client.address": "127.0.0.1",
        "user_agent.original": "test/1",
        "mnist.request_id": reply.headers["X-Request-ID"],
        "mnist.model.version": "1",
        "mnist.images": "2",
    }


def test_the_stages_are_spans_with_the_times_of_server_timing(server, collector, frames):
    trace_id, headers = traced(server, 2)
    timing = ask(server, frames[0].tobytes(), headers).headers["Server-Timing"]
    spans = spans_of(collector, trace_id, 4)
    (whole,) = [one for one in spans if one["kind"] == "SPAN_KIND_SERVER"]
    for entry in timing.split(", "):
        name, _, milliseconds = entry.partition(";dur=")
        (stage,) = [one for one in spans if one["name"] == name]
        took = int(stage["endTimeUnixNano"]) - int(stage["startTimeUnixNano"])
        assert took == pytest.approx(float(milliseconds) * 1e6, abs=1000)
        assert stage["parentSpanId"] == whole["spanId"]
        assert stage["startTimeUnixNano"] >= whole["startTimeUnixNano"]


def test_the_span_of_a_refusal_has_the_reason(server, collector):
    trace_id, headers = traced(server, 3)
    ask(server, bytes(784), headers)
    (span,) = spans_of(collector, trace_id, 1)
    assert span["attributes"]["http.response.status_code"] == "422"
    assert span["attributes"]["mnist.refused"] == "no_ink"
    assert span["status"] == {}


def test_a_path_without_a_route_is_not_in_the_name_of_a_span(server, collector):
    trace_id, headers = traced(server, 4)
    server.request("FOO", "/no%0A/route?secret", headers=headers)
    (span,) = spans_of(collector, trace_id, 1)
    assert span["name"] == "HTTP"
    assert span["attributes"]["http.request.method"] == "_OTHER"
    assert span["attributes"]["url.path"] == "/no%0A/route"
    assert "http.route" not in span["attributes"]


def test_a_client_that_does_not_sample_its_trace_gets_no_span(server, collector, frames):
    unsampled, headers = traced(server, 5, flags="00")
    ask(server, frames[0].tobytes(), headers)
    sampled, headers = traced(server, 6)
    ask(server, frames[0].tobytes(), headers)
    spans_of(collector, sampled, 4)
    spans_of(collector, unsampled, 0)


def test_no_picture_is_in_a_span(server, collector, frames):
    trace_id, headers = traced(server, 7)
    body = json.dumps({"instances": [frames[0].tolist()]})
    ask(server, body, {**headers, "Content-Type": "application/json"})
    text = json.dumps(spans_of(collector, trace_id, 4))
    assert "instances" not in text
    assert "digit" not in text


def test_probes_have_no_span(server, collector, frames):
    probe, headers = traced(server, 8)
    server.request("GET", "/livez", headers=headers)
    after, headers = traced(server, 9)
    ask(server, frames[0].tobytes(), headers)
    spans_of(collector, after, 4)
    spans_of(collector, probe, 0)


def test_spans_that_are_left_at_a_stop_are_sent(start, collector, frames):
    port = collector.read_text().split("\n")[0]
    server = start(
        **SWITCHED_ON,
        OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=f"http://127.0.0.1:{port}/other",
        OTEL_BSP_SCHEDULE_DELAY="600000",
        OTEL_SERVICE_NAME="own",
        OTEL_TRACES_SAMPLER="parentbased_always_off",
    ).wait_ready()
    server.id = "a"
    trace_id, headers = traced(server, 1)
    ask(server, frames[0].tobytes(), headers)
    ask(server, frames[0].tobytes(), {})  # not sampled
    spans_of(collector, trace_id, 0)
    assert server.stop() == 0
    spans = spans_of(collector, trace_id, 4)
    assert {(one["path"], one["resource"]["service.name"]) for one in spans} == {
        ("/other", "own")
    }
    assert '"/other"' in collector.read_text()
    assert collector.read_text().count('"/other"') == 4


def test_a_collector_that_never_answers_costs_spans_and_no_request(start, frames):
    with socket.create_server(("127.0.0.1", 0)) as deaf:  # accepts all, never answers
        server = start(
            **SWITCHED_ON,
            OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{deaf.getsockname()[1]}",
            OTEL_EXPORTER_OTLP_TIMEOUT="1",
            OTEL_BSP_SCHEDULE_DELAY="10",
            OTEL_BSP_MAX_QUEUE_SIZE="100",
            OTEL_BSP_MAX_EXPORT_BATCH_SIZE="10",
        ).wait_ready()
        for number in range(200):
            assert ask(server, frames[number % 10].tobytes(), {}).status == 200
        assert server.stop() == 0
    warnings = re.findall(r"\[(?:WARNING|ERROR)\] (.*)", server.log)
    assert "Queue full, dropping Span." in warnings
    assert len(warnings) < 10  # of hundreds


def test_a_protocol_other_than_http_stops_the_start(start):
    settings = {"MNIST_TRACING": "1", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}
    server = start(python=TRACING, **settings)
    assert server.wait() == 4
    assert "PROTOCOL has value 'grpc', expected http/protobuf" in server.log


@pytest.mark.parametrize("name", ["", "TRACES_"])
def test_the_key_of_the_collector_is_never_logged(start, name):
    variable = {f"OTEL_EXPORTER_OTLP_{name}HEADERS": "Authorization: Bearer secret"}
    server = start(**SWITCHED_ON, **variable).wait_ready()
    assert "OTEL_EXPORTER_OTLP_HEADERS has a malformed header" in server.log
    assert "secret" not in server.log


def test_without_the_packages_the_error_names_one():
    message = "the package opentelemetry is missing, expected those of requirements/tracing"
    with pytest.raises(SettingsError, match=message):
        create_app(Settings(tracing=True))
