"""Calls of a real service: the same answers as over HTTP, and codes for what is wrong."""

import grpc
import numpy as np
import pytest

from service.errors import REASONS
from service.rpc.status import CODES

RAW = "application/octet-stream"


def code_of(call, *arguments, **options):
    with pytest.raises(grpc.RpcError) as failed:
        call(*arguments, **options)
    return failed.value


def probabilities(reply):
    if reply.raw_output_contents:
        return reply.raw_output_contents[0]
    return np.array(reply.outputs[0].contents.fp32_contents, "<f4").tobytes()


FORMS = [
    *[("UINT8", True), ("FP32", True), ("FP64", True), ("INT32", True)],
    *[("UINT8", False), ("FP32", False), ("FP64", False), ("INT32", False)],
    *[("INT64", False), ("UINT64", False)],
]


def test_test_images_get_bit_identical_probabilities(rpc, make, mnist):
    parts = np.split(mnist.x_test[:1000].reshape(-1, 784), 10)

    def http(part):
        headers = {"Content-Type": RAW, "Accept": RAW}
        return rpc.server.request("POST", "/predict", part.tobytes(), headers).body

    expected = b"".join(http(part) for part in parts)
    found = {
        form: b"".join(probabilities(rpc.client.infer(make(part, *form))) for part in parts)
        for form in FORMS
    }
    assert [form for form in FORMS if found[form] != expected] == []


def test_reply_has_id_version_and_request_id(rpc, make, frames):
    method = rpc.client.method("ModelInfer")
    reply, call = method.with_call(
        make(frames[:1], id="q7", model_version="1"), metadata=[("x-request-id", "abc")]
    )
    assert (reply.id, reply.model_name, reply.model_version) == ("q7", "mnist", "1")
    assert list(reply.outputs[0].shape) == [1, 10]
    assert ("x-request-id", "abc") in call.trailing_metadata()


def inputs(**changes):
    tensor = {"name": "image", "datatype": "UINT8", "shape": [1, 784], **changes}
    return {"inputs": [tensor]}


WRONG = {
    "model": ("NOT_FOUND", {"model_name": "nope"}, "nope"),
    "version": ("NOT_FOUND", {"model_version": "9"}, "9"),
    "no number": ("INVALID_ARGUMENT", {"model_version": "x"}, "whole number"),
    "input": ("INVALID_ARGUMENT", inputs(name="pixels"), "pixels"),
    "datatype": ("INVALID_ARGUMENT", inputs(datatype="BYTES"), "BYTES"),
    "shape": ("INVALID_ARGUMENT", inputs(shape=[2, 784]), "shape"),
    "bytes": ("INVALID_ARGUMENT", {"raw_input_contents": [b"x"]}, "784"),
    "none": ("INVALID_ARGUMENT", {"raw_input_contents": []}, "raw_input_contents"),
    "both": (
        "INVALID_ARGUMENT",
        inputs(contents={"uint_contents": [0] * 784}),
        "expected one in all",
    ),
    "field": (
        "INVALID_ARGUMENT",
        inputs(contents={"int_contents": [0] * 784}) | {"raw_input_contents": []},
        "uint_contents",
    ),
    "value": (
        "INVALID_ARGUMENT",
        inputs(contents={"uint_contents": [256] * 784}) | {"raw_input_contents": []},
        "256",
    ),
    "no ink": ("INVALID_ARGUMENT", {"raw_input_contents": [bytes(784)]}, "no ink"),
    "output": ("INVALID_ARGUMENT", {"outputs": [{"name": "nope"}]}, "nope"),
    "images": (
        "RESOURCE_EXHAUSTED",
        inputs(shape=[1025, 784]) | {"raw_input_contents": [bytes(1025 * 784)]},
        "1025",
    ),
}


@pytest.mark.parametrize(("code", "fields", "says"), WRONG.values(), ids=WRONG)
def test_wrong_request(rpc, make, frames, code, fields, says):
    error = code_of(rpc.client.infer, make(frames[:1], **fields))
    assert error.code().name == code
    assert says in error.details()
    assert dict(error.trailing_metadata())["x-request-id"]


def test_what_is_no_message(rpc):
    method = rpc.client.channel.unary_unary("/inference.GRPCInferenceService/ModelInfer")
    error = code_of(method, b"\xff\xff", timeout=100)
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_message_over_the_limit(rpc, make):
    large = make(np.zeros((1, 784), np.uint8), raw_input_contents=[bytes(17 << 20)])
    assert code_of(rpc.client.infer, large).code() is grpc.StatusCode.RESOURCE_EXHAUSTED


def test_compressed_message(rpc, make, frames):
    """It may inflate to any size, so that it is not even looked at."""
    error = code_of(rpc.client.infer, make(frames), compression=grpc.Compression.Gzip)
    assert error.code() is grpc.StatusCode.UNIMPLEMENTED


def test_every_status_of_inference_has_a_code():
    # 405 to 411, 414, 417 and 431 are HTTP's own, and 507 is of feedback.
    own = {405, 408, 411, 414, 417, 431, 507}
    assert set(CODES) == (REASONS.keys() | {500}) - own


def test_metadata_of_what_there_is_not(rpc):
    for name in ("ModelMetadata", "ModelConfig", "ModelStatistics"):
        error = code_of(rpc.client.ask, name, name="nope")
        assert error.code() is grpc.StatusCode.NOT_FOUND


def test_metrics_count_by_protocol(rpc, make, frames):
    def counted():
        text = rpc.server.request("GET", "/metrics").body.decode()
        (line,) = (
            line
            for line in text.splitlines()
            if line.startswith("http_server_request_duration_seconds_count")
            and 'code="200",http_route="/inference.GRPCInferenceService/ModelInfer"' in line
        )
        return float(line.split()[-1])

    rpc.client.infer(make(frames[:1]))
    before = counted()
    rpc.client.infer(make(frames[:1]))
    assert counted() == before + 1


def test_reflection_lists_the_services(rpc):
    ask = rpc.client.channel.stream_stream(
        "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"
    )
    (reply,) = ask(iter([b"\x3a\x01*"]), timeout=100)  # list_services, field 7
    assert b"inference.GRPCInferenceService" in reply
    assert b"grpc.health.v1.Health" in reply


def test_metadata_that_means_nothing_here_changes_nothing(rpc, make, frames):
    request = make(frames[3:4], model_version="2")
    of_http = {"content-encoding": "gzip", "request-timeout-ms": "x", "te": "none"}
    first = rpc.client.infer(request, metadata=[*of_http.items()])
    assert rpc.client.infer(request) == first
