import json
import shutil
from statistics import mean, stdev

import numpy as np
import onnxruntime as ort
import pytest

from training.__main__ import main

ROUNDED = 5e-6 * 1.001  # half of the last of five decimals


@pytest.fixture(scope="module")
def models(root):
    return root / "models" / "mnist"


@pytest.fixture(scope="module")
def lesson(models):
    return json.loads((models / "lesson.json").read_bytes())


@pytest.fixture(scope="module")
def record(root):
    path = root / "training" / "results" / "baselines.json"
    return json.loads(path.read_bytes())


def close(value):
    return pytest.approx(value, abs=ROUNDED, rel=0)


def test_it_has_every_version_as_its_manifest_says(lesson, models):
    numbers = sorted(int(path.parent.name) for path in models.glob("*/manifest.json"))
    assert [each["version"] for each in lesson["versions"]] == numbers
    for each in lesson["versions"]:
        path = models / str(each["version"]) / "manifest.json"
        manifest = json.loads(path.read_text())
        metrics = {name: metric["value"] for name, metric in manifest["metrics"].items()}
        assert each["recipe"] == manifest["recipe"]["name"]
        assert each["epochs"] == manifest["recipe"]["epochs"]
        assert each["seconds"] == manifest["seconds"]
        for name in ("unsure_below", "no_digit_above"):
            assert each[name] == manifest.get(name)
        assert each["test_accuracy"] == metrics["test_accuracy"]
        assert each["test_loss"] == close(metrics["test_loss"])
        if "test_calibration_error" in metrics:
            assert each["calibration_error"] == close(metrics["test_calibration_error"])
        assert set(each["history"]) == {"loss", "accuracy", "val_loss", "val_accuracy"}
        for name, values in each["history"].items():
            assert values == close(manifest["history"][name])
            assert len(values) == each["epochs"]


def test_its_bins_agree_with_its_accuracy_and_its_calibration_error(lesson):
    for each in lesson["versions"]:
        share = [part["images"] / lesson["test_images"] for part in each["calibration"]]
        right = sum(s * part["accuracy"] for s, part in zip(share, each["calibration"]))
        gaps = [abs(part["accuracy"] - part["confidence"]) for part in each["calibration"]]
        assert sum(share) == pytest.approx(1)
        assert right == pytest.approx(each["test_accuracy"], abs=1e-5)
        error = sum(s * gap for s, gap in zip(share, gaps))
        assert error == pytest.approx(each["calibration_error"], abs=2e-5)


def test_its_bins_are_those_of_the_test_images(lesson, models, mnist):
    pixels = mnist.x_test.astype(np.float32) / np.float32(255)
    for each in lesson["versions"]:
        session = ort.InferenceSession(
            models / str(each["version"]) / "model.onnx",
            providers=["CPUExecutionProvider"],
        )
        answers = session.run(None, {"image": pixels})[0]
        confidence = answers.max(axis=1).astype(float)
        right = answers.argmax(axis=1) == mnist.y_test
        number = np.ceil(confidence * 15) - 1  # the upper end belongs to a bin
        assert len(each["calibration"]) == 15
        for i, part in enumerate(each["calibration"]):
            inside = number == i
            assert (part["low"], part["high"]) == close((i / 15, (i + 1) / 15))
            assert part["images"] == inside.sum()
            if inside.any():
                # Another processor's float32 may round the last decimal elsewhere.
                assert part["confidence"] == pytest.approx(
                    confidence[inside].mean(), abs=1e-5
                )
                assert part["accuracy"] == close(right[inside].mean())


def runs(record, **wanted):
    return [each for each in record["runs"] if wanted.items() <= each.items()]


def check(cell, expected):
    accuracies = [each["accuracy"] for each in expected]
    assert cell["draws"] == len(accuracies)
    assert cell["accuracy"] == close(mean(accuracies))
    if len(accuracies) > 1:
        assert cell["spread"] == close(stdev(accuracies))
    else:
        assert cell["spread"] is None
    assert cell["fit_seconds"] == close(mean(each["fit_seconds"] for each in expected))


def test_its_baselines_are_those_of_the_record(lesson, record):
    found = lesson["baselines"]
    for name in ("date", "machine", "test_images"):
        assert found[name] == record[name]
    assert found["sizes"] == [size["images"] for size in record["sizes"]]
    assert found["table"] == {"data": "load_breast_cancer", **record["table"]}
    titles = {each["name"]: each["title"] for each in found["methods"]}
    assert titles == {name: each["title"] for name, each in record["methods"].items()}
    for each in found["methods"]:
        assert [cell["images"] for cell in each["pixels"]] == found["sizes"]
        for cell in each["pixels"]:
            wanted = {"method": each["name"], "images": cell["images"]}
            check(cell, runs(record, data="pixels", **wanted))
        on_table = runs(record, data="table", method=each["name"])
        if on_table:
            check(each["table"], on_table)
        else:
            assert each["table"] is None


def test_the_command_takes_the_folders_with_numbers_in_their_order(
    root, models, lesson, mnist, tmp_path, capsys
):
    for name, version in (("10", "1"), ("2", "2"), ("draft", "1")):
        shutil.copytree(models / version, tmp_path / "mnist" / name)
    baselines = root / "training" / "results" / "baselines.json"
    assert main(["lesson", "--models", str(tmp_path), "--baselines", str(baselines)]) == 0
    path = tmp_path / "mnist" / "lesson.json"
    assert f"wrote {path}: {path.stat().st_size:,} bytes" in capsys.readouterr().out
    written = json.loads(path.read_bytes())
    assert [each["version"] for each in written["versions"]] == [2, 1]
    assert written["baselines"] == lesson["baselines"]


def test_a_record_that_is_missing_is_one_clear_message(tmp_path, capsys):
    missing = str(tmp_path / "none.json")
    assert main(["lesson", "--models", str(tmp_path), "--baselines", missing]) == 1
    assert "No such file" in capsys.readouterr().err


def test_it_is_small_enough_to_be_sent_whole(models):
    assert (models / "lesson.json").stat().st_size < 60_000
