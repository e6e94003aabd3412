import json
import os
import subprocess
import sys

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from training import evaluate
from training.int8 import conclusion, measure, quantize, text

BY_TITLE = {variant.title: variant for variant in quantize.VARIANTS}


@pytest.fixture(scope="module")
def content(version_1):
    return (version_1 / "model.onnx").read_bytes()


@pytest.fixture(scope="module", params=BY_TITLE)
def variant(request):
    return BY_TITLE[request.param]


@pytest.fixture(scope="module")
def quantized(content, variant):
    random = np.random.default_rng(3).integers(0, 256, (20, 784), dtype=np.uint8)
    return quantize.quantize(content, variant, random)


def file(lost=0, gained=0, faster=(1.0, 1.0, 1.0, 1.0), batch_difference=0.0):
    """What is measured of a file, taking half of float32's time."""
    return {
        "size_bytes": 250,
        "accuracy": 0.9742 + (gained - lost) / 10_000,
        "lost": lost,
        "gained": gained,
        "changed": lost + gained,
        "largest_difference": 0.125,
        "calibration_error": 0.0151,
        "batch_difference": batch_difference,
        "times": {
            batch: {
                "median_us": 6.0,
                "least_us": 5.0,
                "greatest_us": 7.0,
                "ratio": 0.5,
                "faster": share,
            }
            for batch, share in zip(("1", "8", "64", "1000"), faster)
        },
    }


def version(**variants):
    float32 = file(faster=(0.0, 0.0, 0.0, 0.0)) | {"size_bytes": 1000}
    return {"version": 3, "recipe": "lesson", "files": {"float32": float32, **variants}}


def test_input_and_output_stay_as_they_are(content, quantized):
    before, after = (onnx.load_from_string(each).graph for each in (content, quantized))
    assert list(after.input) == list(before.input)
    assert list(after.output) == list(before.output)


def test_probabilities_add_up_to_one(quantized, noise):
    found = evaluate.probabilities(quantized, noise)
    assert found.shape == (64, 10)
    assert found.min() >= 0
    assert np.abs(found.sum(axis=1) - 1).max() < 1e-5


def test_file_has_little_more_than_a_byte_a_parameter(content, quantized):
    assert 109_386 < len(quantized) < len(content) / 3


def test_weights_are_int8_with_one_scale_or_one_for_each_unit(content, quantized, variant):
    def tensors(file):
        return [
            numpy_helper.to_array(t) for t in onnx.load_from_string(file).graph.initializer
        ]

    (weights,) = (t for t in tensors(content) if t.shape == (784, 128))
    (whole,) = (t for t in tensors(quantized) if t.shape == (784, 128))
    assert whole.dtype == np.int8
    axis = 0 if variant.per_channel else None
    # The definition: whole numbers of steps, the largest weight being 127 of them.
    step = np.abs(weights).max(axis=axis, keepdims=True) / 127
    assert np.abs(whole * step - weights).max() <= step.max() * 0.51


@pytest.mark.parametrize("title", [t for t in BY_TITLE if t.startswith("static")])
def test_static_answers_do_not_depend_on_the_batch(content, title, noise):
    static = quantize.quantize(content, BY_TITLE[title], noise[:20])
    alone = evaluate.probabilities(static, noise, 1)
    assert np.abs(evaluate.probabilities(static, noise, 64) - alone).max() < 1e-6


def test_accuracy_stays_near_float32(content, variant, mnist):
    int8 = quantize.quantize(content, variant, mnist.x_train[:200])
    images, labels = mnist.x_test[:2000], mnist.y_test[:2000]
    own, found = (evaluate.evaluate(each, images, labels) for each in (content, int8))
    assert found.accuracy == pytest.approx(own.accuracy, abs=0.01)


def test_answers_count_what_is_lost_gained_and_changed(content, noise):
    found = evaluate.probabilities(content, noise)
    digits = found.argmax(axis=1)
    float32 = found.copy()
    for image in range(6):  # float32 answered the next digit on six images
        float32[image] = np.roll(found[image], 1)
    labels = digits.copy()
    labels[0] = (digits[0] + 1) % 10  # there float32 is right
    labels[1:3] = (digits[1:3] + 2) % 10  # there neither is
    result = measure.answers(content, float32, noise, labels)
    assert (result["lost"], result["gained"], result["changed"]) == (1, 3, 6)
    assert result["accuracy"] == pytest.approx(61 / 64)
    assert result["largest_difference"] == np.abs(found - float32).max() > 0
    assert result["batch_difference"] < 1e-5


def test_batch_difference_shows_what_a_dynamic_scale_does(content, noise):
    dynamic = quantize.quantize(content, BY_TITLE["dynamic, per tensor"], noise)
    images = np.concatenate([noise[:8], noise[8:16] // 16])  # faint beside strong ones
    own = evaluate.probabilities(content, images)
    result = measure.answers(dynamic, own, images, own.argmax(axis=1))
    assert result["batch_difference"] > 1e-3


def test_every_file_is_timed_at_every_batch_beside_float32(content, quantized, noise):
    found = measure.times({"float32": content, "int8": quantized}, noise, rounds=2)
    assert [list(each) for each in found.values()] == [["1", "8", "64", "1000"]] * 2
    for each in (*found["float32"].values(), *found["int8"].values()):
        assert 0 < each["least_us"] <= each["median_us"] <= each["greatest_us"]
    for each in found["float32"].values():
        assert (each["ratio"], each["faster"]) == (1, 0)  # beside itself


def test_int8_earns_shipping_where_it_is_as_accurate_faster_and_independent():
    verdict, reason = conclusion.sentences(version(static=file(lost=4, gained=4)), [])
    assert verdict == "**Version 3**: int8 earns shipping: static."
    assert reason == (
        "static: yes. It reads 97.42 % of the test images, float32 97.42 %; a run takes "
        "0.50 at batch 1, 0.50 at batch 8, 0.50 at batch 64 of float32's time, the file "
        "25 % of its bytes."
    )


@pytest.mark.parametrize(
    ("measured", "fault"),
    [
        ({"lost": 7, "gained": 2}, "less accurate, losing 7 images and gaining 2"),
        ({"faster": (0.7, 1, 1, 1)}, "faster in only 70 % of the rounds at batch 1 (0.50"),
        ({"faster": (1, 1, 0, 1)}, "faster in only 0 % of the rounds at batch 64 (0.50"),
        ({"batch_difference": 0.07}, "dependent on the batch, by up to 0.07"),
    ],
)
def test_one_fault_is_enough_to_stay_behind(measured, fault):
    verdict, reason = conclusion.sentences(version(static=file(**measured)), [])
    assert verdict == "**Version 3**: int8 does not earn shipping."
    assert reason.startswith(f"static: no. It is {fault}")


@pytest.mark.parametrize(
    "measured",
    [
        {"lost": 6, "gained": 3},  # 3 images, one standard error
        {"lost": 0, "gained": 9},  # more accurate
        {"faster": (0.8, 0.8, 0.8, 0.0)},  # slow only at more than the service runs
        {"batch_difference": 1e-6},  # float32's own
    ],
)
def test_what_the_rule_allows_does_not_count(measured):
    verdict, _ = conclusion.sentences(version(static=file(**measured)), [])
    assert "int8 earns shipping" in verdict


def test_what_only_a_processor_with_instructions_for_it_shows_is_not_enough():
    verdict, reason = conclusion.sentences(version(static=file()), ["avx512_vnni"])
    assert verdict == "**Version 3**: int8 does not earn shipping."
    assert reason.startswith("static: no. It is measured only with avx512_vnni. It reads")


def test_verdict_names_only_what_passes():
    both = version(first=file(lost=90), second=file())
    verdict, first, second = conclusion.sentences(both, [])
    assert verdict.endswith("earns shipping: second.")
    assert first.startswith("first: no.")
    assert second.startswith("second: yes.")


def test_markdown_has_every_number():
    report = text.markdown(
        {
            "date": "2026-01-01",
            "machine": {"cpu": "a processor", "cores": 2, "python": "3.11.7"},
            "int8_instructions": ["i8mm"],
            "libraries": {"onnxruntime": "1.2.3"},
            "calibration_images": 1000,
            "test_images": 10_000,
            "rounds": 500,
            "versions": [version(static=file(lost=5, gained=3, batch_difference=2e-6))],
        }
    )
    assert "2026-01-01, a processor, 2 cores, Python 3.11.7" in report
    assert "| static | 250 | 97.40 | 5 | 3 | 8 | 0.12 | 1.51 | 2e-06 |" in report
    assert report.count("| 6.0 (5.0 to 7.0), × 0.50 ") == 2 * 4
    assert "first\n  1,000 training images" in report
    assert "on which its speed depends: i8mm." in report
    assert "Libraries: onnxruntime 1.2.3." in report


def run(root, *arguments):
    return subprocess.run(
        [sys.executable, "-m", "training", "int8", *map(str, arguments)],
        cwd=root,
        env=os.environ,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_command_measures_writes_and_concludes(root, mnist, tmp_path):
    quick = ("--version", 1, "--limit", 300, "--rounds", 1, "--output", tmp_path)
    completed = run(root, *quick)
    assert completed.returncode == 0, completed.stderr
    record = json.loads((tmp_path / "int8.json").read_text())
    (measured,) = record["versions"]
    assert list(measured["files"]) == ["float32", *BY_TITLE]
    assert (record["calibration_images"], record["test_images"]) == (300, 300)
    float32 = measured["files"]["float32"]
    assert float32["size_bytes"] == (root / "models/mnist/1/model.onnx").stat().st_size
    assert (tmp_path / "int8.md").read_text() == text.markdown(record)
    for sentence in conclusion.sentences(measured, record["int8_instructions"]):
        assert sentence in completed.stdout


def test_missing_version_is_one_clear_message(root, mnist, tmp_path):
    for missing in (("--version", 99), ("--models", tmp_path)):
        completed = run(root, *missing, "--output", tmp_path)
        assert completed.returncode == 1
        assert completed.stderr.splitlines()[-1].startswith("error: ")
        assert "Traceback" not in completed.stderr
