"""What a body means, and what is none: the same by every dialect of a real gunicorn."""

import base64
import gzip
import io
import json

import numpy as np
import pytest
from PIL import Image

from tests.hostile.bodies import bomb
from tests.service.forms import INFER, JSON, RAW, TFS, binary, dump, floats, tensor
from tests.support.picture_bombs import scan_bomb


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
