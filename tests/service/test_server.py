"""The service as users run it: a real gunicorn in the service's own environment."""

import json
import os
import signal
import subprocess
import time

import numpy as np
import pytest

from training import evaluate

RAW = "application/octet-stream"


def assert_error(answer, status, message):
    assert (answer.status, answer.headers["Content-Type"]) == (status, "application/json")
    assert list(answer.json) == ["error"]
    assert message in answer.json["error"]
    assert answer.headers["X-Request-ID"]


def dump(images):
    return json.dumps({"instances": images.tolist()}).encode()


@pytest.mark.parametrize(
    ("path", "body"), [("/livez", {"live": True}), ("/readyz", {"ready": True})]
)
def test_health_routes_answer(server, path, body):
    answer = server.request("GET", path)
    assert (answer.status, answer.json) == (200, body)


@pytest.mark.parametrize("content_type", ["application/json", RAW])
def test_predict_reads_the_projects_digits(server, served, frames, content_type):
    body = frames.tobytes() if content_type == RAW else dump(frames)
    answer = server.post(body, content_type)
    assert answer.status == 200
    reply = answer.json
    assert reply["model"] == {"name": "mnist", "version": served}
    assert [p["digit"] for p in reply["predictions"]] == [n % 10 for n in range(30)]
    for prediction in reply["predictions"]:
        assert sum(prediction["probabilities"]) == pytest.approx(1, abs=1e-5)
        assert prediction["confidence"] == max(prediction["probabilities"])


def test_version_and_echo_are_parameters(server, frames):
    answer = server.post(frames[0].tobytes(), RAW, "/predict?version=1&echo=frame")
    assert answer.json["model"]["version"] == "1"
    (prediction,) = answer.json["predictions"]
    assert np.array_equal(np.ravel(prediction["frame"]), frames[0])


def test_inference_reports_the_time_of_each_stage(server, frames):
    timing = server.post(frames[0].tobytes(), RAW).headers["Server-Timing"]
    names, durations = zip(*(entry.split(";dur=") for entry in timing.split(", ")))
    assert names == ("decode", "infer", "encode")
    assert all(float(duration) >= 0 for duration in durations)


@pytest.mark.parametrize("sent", ["abc-1.2_3:4", "x" * 128])
def test_a_sane_request_id_comes_back(server, sent):
    answer = server.request("GET", "/livez", headers={"X-Request-ID": sent})
    assert answer.headers["X-Request-ID"] == sent


@pytest.mark.parametrize("sent", ["", "a b", "x" * 129, "<script>", "caf\xe9"])
def test_another_request_id_is_replaced(server, sent):
    answer = server.request("GET", "/livez", headers={"X-Request-ID": sent})
    assert answer.headers["X-Request-ID"].isalnum()
    assert len(answer.headers["X-Request-ID"]) == 32


@pytest.mark.parametrize(
    ("method", "path", "status", "message"),
    [
        (
            "GET",
            "/nope",
            404,
            "found no route '/nope', expected one of those in /openapi.json",
        ),
        ("POST", "/predict/", 404, "found no route '/predict/'"),
        ("GET", "/" + "x" * 3000, 404, "found no route '/xxx"),
        ("POST", "/predict?version=9", 404, "has no version 9, expected one of: 1"),
        ("POST", "/predict?verison=1", 400, "query parameter 'verison' is unknown"),
        (
            "GET",
            "/predict",
            405,
            "method GET is not allowed on '/predict', expected OPTIONS, POST",
        ),
        ("DELETE", "/livez", 405, "method DELETE is not allowed on '/livez'"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_wrong_routes_and_methods(server, frames, method, path, status, message):
    answer = server.request(method, path, frames[0].tobytes(), {"Content-Type": RAW})
    assert_error(answer, status, message)
    assert len(answer.body) < 300
    assert (answer.headers["Allow"] is not None) == (status == 405)


@pytest.mark.parametrize(
    ("body", "content_type", "status", "message"),
    [
        (b"{", "application/json", 400, "body is not JSON"),
        (b"{}", "application/json", 400, "missing required field instances"),
        (b'{"instances": []}', "application/json", 422, "found 0 images"),
        (b"[" * 100_000, "application/json", 400, "found a list, expected {"),
        (b"x" * 783, RAW, 400, "body has 783 bytes, expected a multiple of 784"),
        (b"\1\2" * 392 * 1025, RAW, 413, "found 1025 images, expected at most 1024"),
        (bytes(784), RAW, 422, "image 0 has no ink"),
        (b"x", "text/plain", 415, "Content-Type is 'text/plain', expected"),
        (bytes(17_000_000), RAW, 413, "body has 17000000 bytes, expected at most"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_bad_bodies(server, body, content_type, status, message):
    assert_error(server.post(body, content_type), status, message)


def test_an_answer_follows_a_refusal_on_the_same_connection(server, frames):
    image = frames[7].tobytes()
    head = (
        b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/octet-stream\r\n"
    )
    bad = head + b"Content-Length: 3\r\n\r\nabc"
    good = head + b"Connection: close\r\nContent-Length: 784\r\n\r\n" + image
    received = server.raw(bad + good)
    assert received.startswith(b"HTTP/1.1 400 ")
    assert b"HTTP/1.1 200 OK" in received
    assert b'"digit":7' in received


def test_a_body_shorter_than_announced_is_never_read_as_an_image(server):
    head = (
        b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/octet-stream\r\n"
    )
    received = server.raw(head + b"Content-Length: 1568\r\n\r\n" + b"\1\2" * 392)
    assert received.startswith(b"HTTP/1.1 400 ")
    assert b"body ends after 784 bytes, expected 1568 (Content-Length)" in received


def test_a_chunked_body_is_read(server, frames):
    head = (
        b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/octet-stream\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n"
    )
    image = frames[7].tobytes()
    body = b"190\r\n%b\r\n180\r\n%b\r\n0\r\n\r\n" % (image[:400], image[400:])
    received = server.raw(head + body)
    assert received.startswith(b"HTTP/1.1 200 ")
    assert b'"digit":7' in received


def test_a_body_of_unknown_length_is_refused(server):
    head = (
        b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/octet-stream\r\n"
    )
    received = server.raw(head + b"\r\n")
    assert received.startswith(b"HTTP/1.1 411 ")
    assert b"found no Content-Length, expected the length of the body" in received


def test_the_service_environment_has_no_training_library(server):
    script = (
        "from importlib.metadata import distributions as d;"
        "print(*sorted(x.metadata['Name'].lower() for x in d()))"
    )
    command = [server.process.args[0], "-c", script]
    names = subprocess.run(
        command, capture_output=True, text=True, check=True
    ).stdout.split()
    assert "onnxruntime" in names
    assert not {"tensorflow", "keras", "onnx", "tf2onnx"} & set(names)


def test_the_start_logs_what_is_served_and_where(start, models, add_version):
    add_version(2, lambda content: content + b"x", honest=False)
    add_version(3)
    started = start(WEB_CONCURRENCY="2", MNIST_MODEL_ROOT=str(models)).wait_ready()
    started.wait_until(
        r"serving mnist version 3 \(also 1\) with 2 workers for \d+ cores; "
        rf"open http://127.0.0.1:{started.port} in a browser"
    )
    started.wait_until("mnist version 2 is refused: model.onnx .* has the SHA-256")


def test_versions_are_served_side_by_side(start, models, add_version, frames):
    add_version(2)
    started = start(MNIST_MODEL_ROOT=str(models), MNIST_MODEL_VERSION="1").wait_ready()
    found = {
        query: started.post(frames[0].tobytes(), RAW, f"/predict{query}").json["model"][
            "version"
        ]
        for query in ("", "?version=1", "?version=2")
    }
    assert found == {"": "1", "?version=1": "1", "?version=2": "2"}


def test_limits_are_settings(start, frames):
    started = start(MNIST_MAX_IMAGES="2", MNIST_MAX_BODY_BYTES="3000").wait_ready()
    assert started.post(frames[:2].tobytes(), RAW).status == 200
    assert_error(
        started.post(frames[:3].tobytes(), RAW), 413, "found 3 images, expected at most 2"
    )
    assert_error(
        started.post(frames[:4].tobytes(), RAW), 413, "3136 bytes, expected at most 3000"
    )


def test_start_without_a_good_version_stops_with_the_reason(start, tmp_path):
    started = start(MNIST_MODEL_ROOT=str(tmp_path))
    assert started.wait() == 4
    assert f"error: {tmp_path}/mnist has no version that can be served" in started.log
    assert "Traceback" not in started.log


def test_start_with_a_bad_setting_stops_with_the_reason(start):
    started = start(MNIST_MAX_IMAGES="many")
    assert started.wait() == 4
    expected = "expected a whole number from 1 to 100000"
    reason = f"error: MNIST_MAX_IMAGES has value 'many', {expected}"
    assert started.log.splitlines() == [reason]
    assert "Traceback" not in started.log


def test_sigterm_ends_with_code_0(start, frames):
    started = start().wait_ready()
    started.post(frames[0].tobytes(), RAW)
    assert started.stop() == 0


def test_a_killed_worker_is_replaced_and_what_it_counted_stays(start, frames):
    started = start().wait_ready()
    started.post(frames[:5].tobytes(), RAW)
    (pid,) = started.worker_pids()
    os.kill(pid, signal.SIGKILL)
    while started.worker_pids() in ([], [pid]):
        time.sleep(0.02)
    assert started.post(frames[:1].tobytes(), RAW).status == 200
    text = started.request("GET", "/metrics").body.decode()
    assert "mnist_request_images_sum 6.0" in text


def test_an_internal_error_is_a_500_without_its_text(start, tmp_path):
    # A missing page makes the index fail, as a bug would.
    script = tmp_path / "wsgi_fault.py"
    script.write_text(
        "from service.wsgi import load\napp = load()\napp.jinja_env.loader = None\n"
    )
    started = start("--pythonpath", str(tmp_path), "wsgi_fault:app").wait_ready()
    answer = started.request("GET", "/")
    assert_error(
        answer, 500, "internal error; the log has it under this reply's X-Request-ID"
    )
    started.wait_until("Traceback")
    started.wait_until(answer.headers["X-Request-ID"])


@pytest.fixture(scope="module")
def offline(root, served, mnist):
    content = (root / "models" / "mnist" / served / "model.onnx").read_bytes()
    return evaluate.evaluate(content, mnist.x_test, mnist.y_test)


@pytest.mark.parametrize("kind", ["json", "json-0-to-1", "json-rows", "raw"])
def test_the_test_set_through_http_is_the_offline_evaluation(
    server, request, mnist, offline, kind
):
    encode = {
        "json": dump,
        "json-0-to-1": lambda images: dump(images / 255),
        "json-rows": lambda images: dump(images.reshape(-1, 28, 28)),
        "raw": lambda images: images.tobytes(),
    }[kind]
    content_type = RAW if kind == "raw" else "application/json"
    # All images once; for the other forms it is enough that pixels arrive, and on the other
    # paths the same functions read them.
    fast = request.node.callspec.params["server"] == "fast path"
    count = (10_000 if kind == "raw" else 2000) if fast else 500
    digits = []
    for first in range(0, count, 100):
        answer = server.post(encode(mnist.x_test[first : first + 100]), content_type)
        digits += [prediction["digit"] for prediction in answer.json["predictions"]]
    assert digits == offline.digits.tolist()[:count]
    assert np.mean(np.array(digits) == mnist.y_test[:count]) >= 0.98
