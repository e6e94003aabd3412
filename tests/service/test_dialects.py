"""One model, every dialect: the same answer through a real gunicorn."""

import base64
import gzip
import io
import json

import numpy as np
import pytest
from PIL import Image

from service.model import repository
from service.protocols.oip import LENGTH
from service.settings import Settings
from tests.hostile.bodies import bomb
from tests.support.picture_bombs import scan_bomb

RAW, JSON = "application/octet-stream", "application/json"
INFER, TFS = "/v2/models/mnist/infer", "/v1/models/mnist:predict"


def tensor(datatype, images, **fields):
    entry = {"name": "image", "shape": list(images.shape), "datatype": datatype, **fields}
    return json.dumps({"inputs": [entry]}).encode()


def binary(server, datatype, images):
    content = images.tobytes()
    text = tensor(datatype, images, parameters={"binary_data_size": len(content)})
    headers = {LENGTH: str(len(text)), "Content-Type": RAW}
    return server.request("POST", INFER, text + content, headers)


def dump(value):
    return json.dumps(value).encode()


def floats(images):
    return images.astype(np.float32) / np.float32(255)


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


def png(frame, shape=(28, 28), **options):
    buffer = io.BytesIO()
    Image.fromarray(frame.reshape(shape)).save(buffer, **{"format": "PNG", **options})
    return buffer.getvalue()


def form_data(*contents, field="image"):
    head = (
        f'--B\r\nContent-Disposition: form-data; name="{field}"; filename="../../x"\r\n\r\n'
    )
    parts = [head.encode() + content + b"\r\n" for content in contents]
    return b"".join(parts) + b"--B--\r\n", "multipart/form-data; boundary=B"


def test_pictures_come_as_body_as_form_and_as_base64(server, frames):
    pictures = [png(frame) for frame in frames]
    encoded = [{"b64": base64.b64encode(picture).decode()} for picture in pictures]
    encoded[0]["b64"] = "data:image/png;base64," + encoded[0]["b64"]
    for answer in (
        server.post(*form_data(*pictures), "/predict?echo=frame"),
        server.post(dump({"instances": encoded}), path="/predict?echo=frame"),
    ):
        found = answer.json["predictions"]
        assert [p["digit"] for p in found] == [n % 10 for n in range(30)]
        difference = np.array([p["frame"] for p in found]).reshape(30, 784) - frames
        assert np.abs(difference).max() <= 1
    for kind in ("png", "jpeg"):
        content = png(frames[3], format=kind)
        answer = server.post(content, f"image/{kind}")
        assert answer.json["predictions"][0]["digit"] == 3


def test_numbers_and_pictures_may_be_mixed(server, frames):
    picture = {"b64": base64.b64encode(png(frames[4])).decode()}
    answer = server.post(dump({"instances": [frames[3].tolist(), picture]}))
    assert [p["digit"] for p in answer.json["predictions"]] == [3, 4]


@pytest.mark.parametrize("path", ["/predict", INFER, TFS])
def test_bodies_may_be_compressed(server, frames, path):
    body = {"instances": frames[:1].tolist()}
    text = tensor("UINT8", frames[:1], data=frames[:1].tolist())
    content = gzip.compress(text if path == INFER else dump(body))
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    assert server.request("POST", path, content, headers).status == 200


@pytest.mark.parametrize(
    ("body", "content_type", "status", "message"),
    [
        (png(np.zeros(784, np.uint8)), "image/png", 422, "image 0 has no ink"),
        (b"BM 89a", "image/png", 415, "expected PNG, JPEG"),
        (b"", "image/png", 400, "image 0 is empty"),
        (*form_data(), 400, "expected files in the field 'image'"),
        (*form_data(b"x", field="file"), 400, "form has the fields ['file']"),
        (b"x", "multipart/form-data", 400, "expected files in the field 'image'"),
        (*form_data(*[b"x"] * 1025), 413, "too many parts"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_what_is_no_picture_is_refused(server, body, content_type, status, message):
    answer = server.post(body, content_type)
    assert message in answer.json["error"]
    assert answer.status == status


def test_pictures_of_too_much_work_beside_the_first_are_refused(server, frames):
    stroke = Image.new("1", (7000, 7000))
    stroke.paste(1, (3000, 1500, 3700, 5500))
    buffer = io.BytesIO()
    stroke.save(buffer, "PNG")
    answer = server.post(*form_data(*[buffer.getvalue()] * 2))
    assert (answer.status, "image 1 takes more work" in answer.json["error"]) == (413, True)
    assert (
        server.post(*form_data(buffer.getvalue(), png(frames[3].reshape(28, 28)))).status
        == 200
    )


def test_a_picture_of_two_digits_is_marked(server, frames):
    one, pair = frames[3].reshape(28, 28), np.hstack(frames[3:5].reshape(2, 28, 28))
    one, two = png(one), png(pair, (28, 56))
    found = server.post(*form_data(one, two)).json["predictions"]
    assert "found" not in found[0]
    assert (found[1]["unsure"], found[1]["found"]) == (True, "several digits")
    numbers = [0] * 391 + [255] * 393
    mixed = [numbers, {"b64": base64.b64encode(two).decode()}]
    found = server.post(dump({"instances": mixed})).json["predictions"]
    assert ["found" in each for each in found] == [False, True]


THRESHOLDED = np.tile(np.uint8([[0, 1]]), (1, 392))
DARK = {
    "raw": lambda s, x: s.post(x.tobytes(), RAW),
    "v2-uint8": lambda s, x: binary(s, "UINT8", x),
    "v2-int32": lambda s, x: binary(s, "INT32", x.astype(np.int32)),
    "v2-json": lambda s, x: s.post(tensor("INT64", x, data=x.tolist()), path=INFER),
    "v2-fp32": lambda s, x: binary(s, "FP32", floats(x)),
    "png": lambda s, x: s.post(png(x), "image/png"),
    "json-fractions": lambda s, x: s.post(dump({"instances": floats(x).tolist()})),
}


@pytest.mark.parametrize("way", DARK)
@pytest.mark.parametrize("level", [1, 15])
def test_less_than_16_grey_levels_are_no_ink_by_any_way(server, way, level):
    answer = DARK[way](server, THRESHOLDED * level)
    assert (answer.status, "has no ink" in answer.json["error"]) == (422, True)


@pytest.mark.parametrize("path", ["/predict", TFS])
def test_zeros_and_ones_of_json_are_on_the_scale_of_0_to_1(server, frames, path):
    ones = (frames > 127).astype(np.uint8)
    found = server.post(dump({"instances": ones.tolist()}), path=path)
    white = server.post(dump({"instances": (255 * ones).tolist()}), path=path)
    assert (found.status, found.json) == (200, white.json)


@pytest.mark.parametrize("largest", [1.0000001, 1.1])
@pytest.mark.parametrize("path", ["/predict", TFS])
def test_a_largest_pixel_just_above_1_is_ambiguous(server, frames, path, largest):
    images = (frames / 255).tolist()
    images[7][int(frames[7].argmax())] = largest
    for body in ({"instances": images}, {"instances": images[7:8]}):
        answer = server.post(dump(body), path=path)
        assert answer.status == 422
        assert "expected at most 1 in all images (0 to 1), or" in answer.json["error"]


BAR = json.dumps([[0] * 28] * 13 + [[255] * 28] + [[0] * 28] * 14)
FLAT = json.dumps([0] * 364 + [255] * 28 + [0] * 392)
MANY = ",".join(['{"b64":""}'] * 381_296)


@pytest.mark.parametrize(
    ("path", "content_type", "body", "status", "message"),
    [
        (TFS, "text/plain", f'{{"signature_name": "", "instances": [{BAR}]}}', 200, ""),
        (TFS, "text/plain", '{"inputs": {"image": [["a"]]}}', 422, "got str"),
        (
            INFER,
            JSON,
            '{"parameters": null, "inputs": [{"name": "image", "shape": [1, 784], '
            f'"datatype": "UINT8", "parameters": null, "data": {FLAT}}}], '
            '"outputs": [{"name": "probabilities", "parameters": null}]}',
            200,
            "",
        ),
        (
            "/predict",
            "application/json; charset=utf8",
            f'{{"instances":[{BAR}]}}',
            200,
            "",
        ),
        ("/predict", "image/png; charset=binary", "TIF", 415, "expected PNG, JPEG"),
        (
            INFER,
            "text/plain",
            '{"inputs": [{"name": "image", "shape": [1], "datatype": "BYTES", '
            '"data": ["iVBORw0KGgo="]}]}',
            400,
            "'BYTES', expected one of: FP16",
        ),
        (
            "/predict",
            "multipart/form-data; boundary=B",
            '--B\r\nContent-Disposition: form-data; name="image"\r\n\r\nx\r\n--B--\r\n',
            400,
            "without a filename",
        ),
        (
            "/predict",
            "multipart/form-data; boundary=B",
            f"--B\r\nContent-Disposition: form-data; {'a; ' * 1_000_000}",
            413,
            "too long headers",
        ),
        (
            "/predict",
            JSON,
            f'{{"instances": [{MANY}]}}',
            413,
            "body has 381295 lists and objects",
        ),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_is_meant_is_read_or_told(server, path, content_type, body, status, message):
    answer = server.post(body.encode(), content_type, path)
    assert answer.status == status
    assert message in answer.json.get("error", "")


def test_a_jpeg_may_have_a_film_behind_its_end(server, frames):
    content = png(frames[3], format="jpeg")
    film = content + (b"\xff\xda" + bytes(1000)) * 2000
    found = server.post(film, "image/jpg; charset=binary")
    assert (found.status, found.json) == (200, server.post(content, "image/jpeg").json)


def test_small_bombs_of_pictures_are_within_the_work_of_a_request(server):
    """Each is 2048 × 2048 in four components and 16 scans without data, of 308 bytes."""
    bombs = [{"b64": base64.b64encode(scan_bomb(16)).decode()}] * 1024
    answer = server.post(dump({"instances": bombs}))
    assert answer.status in (413, 422)


def test_a_client_that_refuses_raw_bytes_gets_json(server, frames):
    headers = {"Content-Type": RAW, "Accept": f"{RAW};q=0, application/json"}
    answer = server.request("POST", "/predict", frames[:1].tobytes(), headers)
    assert answer.json["predictions"][0]["digit"] == 0


def test_a_gzip_bomb_is_refused(server):
    headers = {"Content-Type": RAW, "Content-Encoding": "gzip"}
    answer = server.request("POST", "/predict", bomb(), headers)
    assert (answer.status, "inflated" in answer.json["error"]) == (413, True)


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
