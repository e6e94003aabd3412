"""Samples: what is kept, for how long, and the way from an answer to data to train on."""

import json
import math
import shutil
import time

import numpy as np
import pytest
from PIL import Image

from service import create_inference, create_web
from service.errors import SettingsError
from service.inference import Call, later, samples
from service.inference.samples import BLOCK, MOST_AT_ONCE, SIDE, Sample, Store
from service.settings import Settings
from tests.support.server import eventually
from training import own

RAW = "application/octet-stream"


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "samples"


@pytest.fixture
def sampling(folder, monkeypatch):
    monkeypatch.setattr(later, "LONGEST_S", math.inf)  # however busy the machine is
    return create_inference(Settings(samples=folder, samples_percent=100))


def answer(inference, images, name="id", path="/predict", query=""):
    """Answer a request, and do what the worker does later."""
    target = inference.target(inference.endpoint(path), query, {"content-type": RAW})
    inference.answer([Call(target, images.tobytes(), name)])
    while inference.later.run():
        pass
    for job in inference.later.jobs():
        job()


def tell(client, name, digit, **more):
    return client.post("/feedback", json={"id": name, "digit": digit, **more})


def files(folder):
    return sorted(path for path in folder.glob("*/*"))


def series(inference, name):
    text = inference.probes.reply("/metrics").body.decode()
    return [line for line in text.splitlines() if line.startswith(name)]


# From an answer to data.


def test_what_somebody_has_given_its_digit_is_data_to_train_on(sampling, folder, frames):
    client = create_web(sampling).test_client()
    for number, frame in enumerate(frames):
        answer(sampling, frame, f"request-{number}")
    assert len(files(folder)) == len(frames)
    for number in range(len(frames)):
        reply = tell(client, f"request-{number}", number % 10).json
        assert reply == {"digit": number % 10, "read": number % 10, "version": "3"}
    data = own.read(folder).arrays
    found = np.concatenate([data.x_train, data.x_test])
    labels = np.concatenate([data.y_train, data.y_test])
    expected = {(n % 10, frame.tobytes()) for n, frame in enumerate(frames)}
    assert {(y, x.tobytes()) for x, y in zip(found, labels)} == expected


def test_a_digit_that_was_misread_is_counted_once(sampling, folder, frames):
    client = create_web(sampling).test_client()
    answer(sampling, frames[:2], "one")
    assert tell(client, "one", 7, image=1).json["read"] == 1
    assert tell(client, "one", 7, image=1).status_code == 404
    (line,) = [it for it in series(sampling, "mnist_feedback_total") if it.endswith("1.0")]
    assert line == 'mnist_feedback_total{digit="7",read="1",version="3"} 1.0'
    assert [path.parent.name for path in files(folder)] == ["7", "sure"]


def send(client, frame, digit, query=""):
    rows = frame.reshape(SIDE, SIDE).tolist()
    return client.post(f"/feedback{query}", json={"frame": rows, "digit": digit})


def test_a_frame_is_kept_with_its_digit(sampling, folder, frames):
    client = create_web(sampling).test_client()
    reply = send(client, frames[3], 8, "?version=1")
    assert reply.json == {"digit": 8, "read": 3, "version": "1"}
    (path,) = files(folder)
    assert path.parent.name == "8"
    assert np.array_equal(np.asarray(Image.open(path)).ravel(), frames[3])
    assert 'mnist_feedback_total{digit="8",read="3",version="1"} 1.0' in series(
        sampling, "mnist_feedback_total"
    )


def test_a_frame_has_the_digit_that_it_was_given_last(sampling, folder, frames):
    client = create_web(sampling).test_client()
    for digit in (8, 5, 5, 3):
        assert send(client, frames[3], digit).status_code == 200
    assert [path.parent.name for path in files(folder)] == ["3"]


def test_a_frame_for_which_there_is_no_room_is_refused(sampling, folder, frames, caplog):
    client = create_web(sampling).test_client()
    shutil.rmtree(folder)
    reply = send(client, frames[3], 8)
    assert reply.status_code == 507
    assert reply.json["error"].startswith("found no room for one more sample")
    assert caplog.text.count("a sample cannot be written") == 1


def test_what_somebody_has_looked_at_leaves_no_room_for_frames(folder, frames, monkeypatch):
    monkeypatch.setattr(samples, "SCAN_S", -1)
    inference = create_inference(Settings(samples=folder, samples_mb=1))
    (folder / "7" / "a.png").write_bytes(bytes(1_000_000))
    assert send(create_web(inference).test_client(), frames[3], 8).status_code == 507
    assert len(files(folder)) == 1


ROWS = np.eye(SIDE, dtype=int).tolist()


@pytest.mark.parametrize(
    ("content", "status", "found"),
    [
        ({"digit": 1}, 400, "found neither id nor frame, expected"),
        (
            {"digit": 1, "id": "one", "frame": ROWS},
            400,
            "found both id and frame, expected",
        ),
        ({"digit": 1, "frame": ROWS[1:]}, 400, "length >= 28"),
        ({"digit": 1, "frame": [*ROWS[1:], ROWS[0][1:]]}, 400, "length >= 28"),
        ({"digit": 1, "frame": [*ROWS[1:], [256] * SIDE]}, 400, "<= 255"),
        ({"digit": 1, "frame": [[0] * SIDE] * SIDE}, 422, "has no ink"),
    ],
)
def test_a_frame_that_is_none_is_refused(sampling, content, status, found):
    reply = create_web(sampling).test_client().post("/feedback", json=content)
    assert (reply.status_code, found in reply.json["error"]) == (status, True), reply.json


@pytest.mark.parametrize(
    ("body", "content_type", "headers", "status"),
    [
        ('{"id": "none", "digit": 1}', "application/json", {}, 404),
        ('{"id": "../../x", "digit": 1}', "application/json", {}, 404),
        ('{"id": "one", "digit": 10}', "application/json", {}, 400),
        ('{"id": "one"}', "application/json", {}, 400),
        ("{", "application/json", {}, 400),
        ('{"id": "one", "digit": 1}', "text/plain", {}, 415),
        ('{"id": "one", "digit": 1}' + 16_000 * " ", "application/json", {}, 413),
        (
            '{"id": "one", "digit": 1}',
            "application/json",
            {"Content-Encoding": "gzip"},
            415,
        ),
        (
            '{"id": "one", "digit": 1}',
            "application/json",
            {"Sec-Fetch-Site": "cross-site"},
            403,
        ),
    ],
)
def test_what_cannot_be_told_is_refused(sampling, body, content_type, headers, status):
    client = create_web(sampling).test_client()
    reply = client.post("/feedback", data=body, content_type=content_type, headers=headers)
    assert (reply.status_code, [*reply.json]) == (status, ["error"])


# What is kept.


def test_of_a_request_no_more_is_kept_than_its_frames_and_answers(sampling, folder, frames):
    answer(sampling, frames[3], "the-id-that-a-client-chose")
    (path,) = files(folder)
    assert path.parent.stat().st_mode & 0o077 == 0
    assert b"client" not in path.read_bytes() + path.name.encode()
    assert b"tEXtconfidence\x001.0000" in path.read_bytes()


def test_the_unsure_ones_are_kept_first(sampling, folder, frames, noise):
    images = np.concatenate([frames, noise])
    model = sampling.repository.default
    answers = model.predict(images / np.float32(255))
    found = answers.max(axis=1)
    unsure = np.flatnonzero(model.thresholds.guesses(answers, found))
    assert MOST_AT_ONCE < len(unsure) < len(images)
    least = sorted(unsure, key=lambda place: found[place])[:MOST_AT_ONCE]
    answer(sampling, images)
    kept = {int(path.stem.partition("-")[2]) for path in files(folder)}
    assert kept == {int(place) for place in least}
    assert {path.parent.name for path in files(folder)} == {"unsure"}
    assert f'{{result="shed"}} {len(images) - MOST_AT_ONCE}' in str(
        series(sampling, "mnist_samples_total")
    )


@pytest.mark.parametrize(("path", "query"), [("/explain", ""), ("/predict", "echo=frame")])
def test_whoever_asks_for_the_frame_is_not_sampled(sampling, folder, frames, path, query):
    answer(sampling, frames[3], path=path, query=query)
    assert files(folder) == []


def test_a_disk_that_fails_costs_no_request(sampling, folder, frames, caplog):
    shutil.rmtree(folder)
    for _ in range(2):
        answer(sampling, frames[3])
    assert 'mnist_samples_total{result="failed"} 2.0' in series(sampling, "mnist_samples")
    assert caplog.text.count("a sample cannot be written") == 1


def test_a_folder_that_is_none_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match="MNIST_SAMPLES cannot be used: .*, expected a"):
        create_inference(Settings(samples=tmp_path / "file"))


# For how long.


def test_the_folder_stays_within_its_size(folder, monkeypatch):
    monkeypatch.setattr(samples, "SCAN_S", -1)
    store = Store(folder, 10 * BLOCK)

    def write(sure, *names):
        for name in names:
            assert store.write([Sample(sure, 0.5, f"{name}.png", bytes(100))]) == 1
            time.sleep(0.01)  # another time of the file

    write(True, "a", "b")
    write(False, *"cdefghij")
    assert {path.stem for path in files(folder)} == {*"abcdefghij"}
    write(False, "k", "l")
    assert {path.stem for path in files(folder)} == {*"cdefghijkl"}


def test_what_somebody_has_looked_at_is_not_deleted(folder, monkeypatch):
    monkeypatch.setattr(samples, "SCAN_S", -1)
    store = Store(folder, 3 * BLOCK)
    for name in "abc":
        (folder / "7" / f"{name}.png").write_bytes(bytes(100))
    assert store.write([Sample(False, 0.5, "d.png", bytes(100))]) == 0
    assert {path.stem for path in files(folder)} == {*"abc"}


# In a worker.


def test_a_worker_keeps_samples_and_takes_feedback(start, folder, frames):
    server = start(MNIST_SAMPLES=str(folder), MNIST_SAMPLES_PERCENT="100").wait_ready()

    def kept():
        reply = server.post(frames[3].tobytes(), RAW)
        # One that took long, on a busy machine, is shed; the next may be kept.
        return eventually(lambda: done() and reply)

    def done():
        text = server.request("GET", "/metrics").body.decode()
        lines = [line for line in text.splitlines() if line.startswith("mnist_samples_")]
        return sum(float(line.split()[1]) for line in lines) > len(asked)

    asked = []
    while not files(folder):
        asked.append(kept())
        assert len(asked) < 50
    name = asked[-1].headers["X-Request-ID"]
    body = json.dumps({"id": name, "digit": 8})
    reply = server.post(body, path="/feedback")
    assert (reply.status, reply.json["read"]) == (200, 3)
    assert "/feedback" in server.request("GET", "/openapi.json").json["paths"]


@pytest.mark.parametrize("server", ["fast path"], indirect=True)
def test_without_a_folder_there_is_no_feedback(server):
    assert server.post('{"id": "x", "digit": 1}', path="/feedback").status == 404
    assert "/feedback" not in server.request("GET", "/openapi.json").json["paths"]
