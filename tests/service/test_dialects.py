"""One model, every dialect: the same answer through a real gunicorn."""

import numpy as np
import pytest

from service.model import repository
from service.settings import Settings
from tests.service.forms import INFER, RAW, TFS, binary, dump, floats, tensor


def from_predict(answer):
    return [p["probabilities"] for p in answer.json["predictions"]]


FORMS = {
    "raw": lambda s, x: from_predict(s.post(x.tobytes(), RAW)),
    "json": lambda s, x: from_predict(s.post(dump({"instances": x.tolist()}))),
    "v1-rows": lambda s, x: s.post(dump({"instances": x.tolist()}), path=TFS).json[
        "predictions"
    ],
    "v1-columns": lambda s, x: s.post(
        dump({"inputs": {"image": floats(x).tolist()}}), path=TFS
    ).json["outputs"],
    "invocations-columns": lambda s, x: from_predict(
        s.post(dump({"inputs": x.tolist()}), path="/invocations")
    ),
    "invocations-frame": lambda s, x: from_predict(
        s.post(dump({"dataframe_split": {"data": x.tolist()}}), path="/invocations")
    ),
    "v2-json": lambda s, x: s.post(
        tensor("FP32", x, data=floats(x).tolist()), path=INFER
    ).json["outputs"][0]["data"],
    "v2-fp32": lambda s, x: binary(s, "FP32", floats(x)).json["outputs"][0]["data"],
    "v2-uint8": lambda s, x: binary(s, "UINT8", x).json["outputs"][0]["data"],
}


def test_test_images_get_bit_identical_probabilities(server, request, mnist):
    # On the other paths the same functions read and write them.
    fast = request.node.callspec.params["server"] == "fast path"
    images = mnist.x_test[: 1000 if fast else 200]

    def ask(form):
        # 100 at a time: JSON of 1,000 images as fractions is over the limit of a body.
        parts = [form(server, part) for part in np.split(images, len(images) // 100)]
        return np.array(parts, np.float64).astype(np.float32).tobytes()

    found = {name: ask(form) for name, form in FORMS.items()}
    assert [name for name in FORMS if found[name] != found["raw"]] == []


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/models/nope", 404),
        ("GET", "/v1/models/mnist/versions/9", 404),
        ("POST", "/v1/models/nope:predict", 404),
        ("POST", "/v1/models/mnist/versions/9:predict", 404),
        ("GET", "/v1/models/mnist:predict", 405),
        ("GET", "/v2/models/nope", 404),
        ("GET", "/v2/models/nope/ready", 404),
        ("GET", "/v2/models/mnist/versions/9/ready", 404),
        ("POST", "/v2/models/mnist/versions/9/infer", 404),
        ("GET", "/v2/models/mnist/versions/x", 404),
        ("GET", "/v2/models/mnist/infer", 405),
        ("GET", "/v2/repository/index", 405),
        ("POST", "/v2/models/mnist/infer", 400),
    ],
)
def test_wrong_paths_and_methods_have_their_codes(server, method, path, status):
    answer = server.request(method, path, b"" if method == "POST" else None)
    assert (answer.status, list(answer.json)) == (status, ["error"])


def test_metadata_of_every_protocol(server, served):
    def get(path):
        answer = server.request("GET", path)
        assert answer.status == 200
        return answer.json

    assert get("/v1/models") == get("/v2/models") == {"models": ["mnist"]}
    status = get("/v1/models/mnist")
    assert (status["name"], status["ready"]) == ("mnist", True)
    (entry,) = [e for e in status["model_version_status"] if e["version"] == served]
    assert entry["state"] == "AVAILABLE"
    alone = get(f"/v1/models/mnist/versions/{served}")
    assert alone == {**status, "model_version_status": [entry]}
    signature = get("/v1/models/mnist/metadata")["metadata"]["signature_def"]
    assert list(signature["signature_def"]["serving_default"]["inputs"]) == ["image"]
    assert get("/v2") == get("/v2/")
    assert get("/v2/health/live") == {"live": True}
    assert get("/v2/health/ready")["ready"] is True
    version = f"/v2/models/mnist/versions/{served}"
    assert get(f"{version}/ready") == {"name": "mnist", "ready": True}
    assert get(version) == {**get("/v2/models/mnist"), "versions": [served]}
    assert get(f"{version}/config")["name"] == "mnist"
    for path in ("/v2/models/stats", "/v2/models/mnist/stats"):
        assert get(path)["model_stats"][0]["name"] == "mnist"


def test_a_refused_version_is_in_the_index(start, models, add_version):
    add_version(2, lambda content: content + b"x", honest=False)
    started = start(MNIST_MODEL_ROOT=str(models)).wait_ready()
    found = started.post(b"", path="/v2/repository/index").json
    assert [entry["state"] for entry in found] == ["READY", "UNAVAILABLE"]
    only = started.post(b'{"ready": true}', path="/v2/repository/index").json
    assert [entry["version"] for entry in only] == ["1"]
    assert started.post(b"[]", path="/v2/repository/index").status == 400


def test_versions_are_in_the_path(start, models, add_version, frames):
    add_version(2)
    started = start(MNIST_MODEL_ROOT=str(models)).wait_ready()
    text = tensor("UINT8", frames[:1], data=frames[:1].tolist())
    for version in ("1", "2"):
        answer = started.post(text, path=f"/v2/models/mnist/versions/{version}/infer")
        assert answer.json["model_version"] == version
    assert started.post(text, path=INFER).json["model_version"] == "2"


def test_refusals_are_counted(start, served, frames):
    started = start().wait_ready()
    for body in (b"{", frames[:3].tobytes()):
        started.post(body, RAW)
    path = f"/v2/models/mnist/versions/{served}/stats"
    (found,) = started.request("GET", path).json["model_stats"]
    counts = {name: entry["count"] for name, entry in found["inference_stats"].items()}
    assert (counts["success"], counts["fail"]) == (1, 1)
    assert (found["inference_count"], found["execution_count"]) == (3, 1)


def test_a_guess_is_marked_where_the_version_has_a_threshold(
    start, models, add_version, frames
):
    model = repository.load(Settings(model_root=models)).default
    median = float(np.median(model.predict(floats(frames)).max(axis=1)))
    add_version(2, unsure_below=median)
    started = start(MNIST_MODEL_ROOT=str(models)).wait_ready()
    body = dump({"instances": frames.tolist()})
    found = started.post(body).json["predictions"]
    assert [p["unsure"] for p in found] == [p["confidence"] < median for p in found]
    assert sum(p["unsure"] for p in found) == 15
    without = started.post(body, path="/predict?version=1").json["predictions"]
    assert not any("unsure" in p for p in without)
