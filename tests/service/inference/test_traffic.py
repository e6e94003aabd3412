"""Canary and shadow: who gets which version, and what is counted."""

import json
import math
import os
import re
import signal
from collections import Counter

import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families

from service import create_inference
from service.errors import SettingsError
from service.inference import Call, later
from service.inference.traffic import Plan, is_chosen, read_plan
from service.settings import Settings
from tests.service.conftest import WAYS
from tests.support.server import eventually

RAW = "application/octet-stream"
DEFAULT = "3"


def write(path, **plan):
    path.write_text(json.dumps(plan))
    return str(path)


# Shares.


@pytest.mark.parametrize("percent", [0, 0.5, 10, 50, 99, 100])
def test_100_000_ids_are_split_as_asked(percent):
    found = sum(is_chosen(f"request-{number}", percent) for number in range(100_000))
    share = percent / 100
    # Four standard deviations of a fair draw: at most 632 of 100,000.
    assert abs(found - 100_000 * share) <= 4 * math.sqrt(100_000 * share * (1 - share))


def test_who_is_in_a_share_stays_in_a_larger_one():
    keys = [str(number) for number in range(1000)]
    small, large = ({key for key in keys if is_chosen(key, share)} for share in (10, 20))
    assert small < large


# The file.


@pytest.fixture(scope="module")
def repository():
    return create_inference(Settings()).repository


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "expected JSON such as"),
        (b"[]", "expected JSON such as"),
        (b'{"canary": {"version": 2}}', "missing required field `percent`"),
        (b'{"canary": {"version": 2, "percent": 101}}', "<= 100"),
        (b'{"canary": {"version": 9, "percent": 1}}', "9 as canary, .* served: 1, 2, 3"),
        (b'{"default": 9}', "version 9 as default, .* served: 1, 2, 3"),
        (b'{"canary": {"version": 2, "percent": 1, "heade": "x"}}', "unknown field"),
        (
            b'{"canary": {"version": 2, "percent": 1, "header": "Authorization"}}',
            "and no secret",
        ),
        (FileNotFoundError(2, "No such file"), "cannot be read, .*: No such file"),
    ],
    ids=range(9),
)
def test_a_file_that_cannot_be_meant_is_refused(repository, content, message):
    with pytest.raises(SettingsError, match=f"MNIST_TRAFFIC .*{message}"):
        read_plan(content, repository)


def test_a_shadow_that_is_not_served_is_left_out(repository):
    assert read_plan(b'{"shadow": {"version": 9}}', repository) == Plan()


# A canary.


def versions(server, frames, count=200, **headers):
    """Return the version that answers each of some ids."""
    found = {}
    for number in range(count):
        name = f"id-{number}"
        answer = server.request(
            "POST",
            "/predict",
            frames[3].tobytes(),
            {"Content-Type": RAW, "X-Request-ID": name, **headers},
        )
        assert answer.status == 200
        assert answer.headers["X-Request-ID"] == name
        found[name] = answer.json["model"]["version"]
    return found


def chosen(names, percent):
    return {name: "1" if is_chosen(name, percent) else DEFAULT for name in names}


def test_a_canary_answers_its_share_until_a_reload_says_otherwise(start, frames, tmp_path):
    path = tmp_path / "traffic.json"
    file = write(path, canary={"version": 1, "percent": 30})
    server = start(MNIST_TRAFFIC=file).wait_ready()
    found = versions(server, frames)
    assert found == chosen(found, 30)
    assert 30 < Counter(found.values())["1"] < 90  # of 200
    body = json.dumps({"instances": [frames[3].tolist()]})
    own = {server.post(body, path="/predict?version=3").json["model"]["version"]}
    own |= {server.post(body).json["model"]["version"] for _ in range(40)}  # new ids
    assert own == {"1", DEFAULT}

    def reload(result, times=1):
        os.kill(server.process.pid, signal.SIGHUP)
        line = f'mnist_reloads_total{{result="{result}"}} {times}.0'.encode()
        eventually(lambda: line in server.request("GET", "/metrics").body)

    write(path, canary={"version": 9, "percent": 60})
    reload("refused")
    assert versions(server, frames) == found
    write(path, canary={"version": 1, "percent": 60})
    reload("done")
    assert versions(server, frames) == chosen(found, 60)
    write(path, default=1)  # the switch
    reload("done", 2)
    assert {*versions(server, frames, 20).values()} == {"1"}


@pytest.mark.parametrize("way", WAYS)
def test_a_header_chooses_the_version(start, frames, tmp_path, way):
    """Of those that a worker's known heads differ in, without this setting."""
    options, environment = WAYS[way]
    plan = {"version": 1, "percent": 50, "header": "X-Real-IP"}
    file = write(tmp_path / "traffic.json", canary=plan)
    server = start(*options, MNIST_TRAFFIC=file, **environment).wait_ready()
    assert {*versions(server, frames, 20).values()} == {DEFAULT}  # without that header
    for name in (f"10.0.0.{number}" for number in range(10)):
        for _ in range(2):
            found = versions(server, frames, 2, **{"X-Real-IP": name})
            assert {*found.values()} == {*chosen([name], 50).values()}


@pytest.mark.parametrize("header", ["", "x-user"])
def test_what_a_canary_costs_is_learned_for_what_was_admitted(tmp_path, frames, header):
    plan = {"version": 1, "percent": 100, "header": header}
    file = write(tmp_path / "traffic.json", canary=plan)
    inference = create_inference(Settings(traffic=file))
    call = ask(inference, frames, **{"x-user": "somebody"})
    learned = []
    inference.answer([call], lambda *noted: learned.append(noted[0]))
    assert learned == [call.target.kind]


# A shadow.


def ask(inference, images, **more):
    endpoint = inference.endpoint("/predict")
    target = inference.target(endpoint, "", {"content-type": RAW, **more})
    return Call(target, images.tobytes(), "id")


@pytest.fixture
def shadowed(tmp_path, monkeypatch):
    monkeypatch.setattr(later, "LONGEST_S", math.inf)  # however busy the machine is
    file = write(tmp_path / "traffic.json", shadow={"version": 1})
    return create_inference(Settings(traffic=file))


def counts(inference):
    text = inference.probes.reply("/metrics").body.decode()
    return {
        (
            sample.name.removeprefix("mnist_shadow_"),
            *sorted(sample.labels.values()),
        ): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name.startswith("mnist_shadow_") and "bucket" not in sample.name
    }


def test_a_shadow_is_compared_after_the_answer(shadowed, frames, noise):
    images = np.concatenate([frames, noise])  # on noise, versions differ
    (outcome,) = shadowed.answer([ask(shadowed, images)])
    assert outcome.model_version == int(DEFAULT)
    assert counts(shadowed)["requests_total", "1", "compared"] == 0
    assert shadowed.later.run() is False
    first, second = (
        shadowed.repository.models[version].predict(images / np.float32(255))
        for version in (1, int(DEFAULT))
    )
    agree = int((first.argmax(axis=1) == second.argmax(axis=1)).sum())
    assert 0 < agree < len(images)
    found = counts(shadowed)
    assert found["requests_total", "1", "compared"] == 1
    assert found["images_total", "1", "yes"] == agree
    assert found["images_total", "1", "no"] == len(images) - agree
    assert found["confidence_count", "1"] == len(images)
    assert found["confidence_sum", "1"] == pytest.approx(float(first.max(axis=1).sum()))


def test_a_broken_shadow_harms_nobody(shadowed, frames, caplog):
    class Broken:
        version = 1

        def predict(self, images):
            raise RuntimeError("broken")

    (reader,) = shadowed.later._readers
    reader._model = Broken()
    for _ in range(3):
        (outcome,) = shadowed.answer([ask(shadowed, frames)])
        assert outcome.reply.status == 200
        assert shadowed.later.run() is False
    assert counts(shadowed)["requests_total", "1", "failed"] == 3
    assert caplog.text.count("the shadow failed") == 1


def test_what_there_is_no_room_for_is_shed(shadowed, frames):
    calls = [ask(shadowed, frames[:1])] * (later.MOST_CALLS + 3)
    shadowed.answer(calls)
    while shadowed.later.run():
        pass
    found = counts(shadowed)
    assert found["requests_total", "1", "compared"] == later.MOST_CALLS
    assert found["requests_total", "1", "shed"] == 3


def test_what_took_long_is_shed(shadowed, frames, monkeypatch):
    monkeypatch.setattr(later, "LONGEST_S", 0)
    shadowed.answer([ask(shadowed, frames)])
    assert counts(shadowed)["requests_total", "1", "shed"] == 1


def test_refused_requests_and_other_versions_are_not_mirrored(shadowed, frames):
    endpoint = shadowed.endpoint("/predict")
    target = shadowed.target(endpoint, "version=2", {"content-type": RAW})
    shadowed.answer([Call(target, frames[0].tobytes()), ask(shadowed, frames[0, 1:])])
    shadowed.later.run()
    assert sum(counts(shadowed).values()) == 0


def test_the_worker_asks_the_shadow_and_no_client_hears_of_it(start, frames, tmp_path):
    file = write(tmp_path / "traffic.json", shadow={"version": 1})
    server = start(MNIST_TRAFFIC=file).wait_ready()
    for frame in frames:
        found = server.post(frame.tobytes(), RAW)
        asked = server.post(frame.tobytes(), RAW, "/predict?version=3")
        assert found.json == asked.json

    def result(name):
        pattern = rf'mnist_shadow_requests_total{{result="{name}",version="1"}} (.+)'
        return float(re.search(pattern, server.request("GET", "/metrics").body.decode())[1])

    # Those that took long, on a busy machine, are shed.
    eventually(lambda: result("compared") + result("shed") == 60)
    assert result("compared") > 0
