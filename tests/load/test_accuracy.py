"""Accuracy through the wire, which is the accuracy that the manifest names."""

import json

import numpy as np
import onnxruntime
import pytest

from load import accuracy, answers


@pytest.fixture(scope="module")
def manifest(root, served):
    return json.loads((root / "models" / "mnist" / served / "manifest.json").read_bytes())


# The others send what the tests of the dialects hold to the same bits.
@pytest.mark.parametrize("payload", ["json", "v2-binary"])
def test_all_test_images_through_the_wire_are_the_offline_accuracy(
    url, mnist, manifest, payload
):
    right, total = accuracy.accuracy(url, payload, 64)
    assert total == 10_000
    assert right / total == manifest["metrics"]["test_accuracy"]["value"]


def test_pictures_of_the_frames_as_they_are_read_as_the_frames(url, mnist, root, served):
    """Fewer of them, since each takes the service nearly a millisecond."""
    images = mnist.x_test[:1_000].astype(np.float32) / np.float32(255)
    path = root / "models" / "mnist" / served / "model.onnx"
    (found,) = onnxruntime.InferenceSession(path).run(None, {"image": images})
    expected = int((found.argmax(axis=1) == mnist.y_test[:1_000]).sum())
    assert expected < 1_000  # some of them are read wrong
    assert accuracy.accuracy(url, "png", 1, images=1_000) == (expected, 1_000)


def test_the_requests_have_all_images_in_order_and_the_last_one_the_rest(mnist):
    asked = list(accuracy.requests("raw", 64))
    assert b"".join(each.body for each in asked) == mnist.x_test.tobytes()
    assert [label for each in asked for label in each.labels] == mnist.y_test.tolist()
    assert [len(each.labels) for each in asked] == [64] * 156 + [16]


def test_mixed_asks_in_every_dialect_in_turn(mnist):
    asked = accuracy.requests("mixed", 2, images=20)
    assert [each.name for each in asked] == ["json", "raw", "v1", "v2", "v2-binary"] * 2


def test_a_refusal_is_an_error_and_no_wrong_digits(url, mnist):
    with pytest.raises(answers.AnswerError, match="status 413"):
        accuracy.accuracy(url, "raw", 1_025)


def test_a_picture_of_several_images_is_an_error_before_anything_is_sent():
    with pytest.raises(ValueError, match="batch is 64, expected 1"):
        accuracy.requests("png", 64)


@pytest.mark.parametrize(("by", "code", "mark"), [(0, 0, "✓"), (-1e-4, 1, "✗")])
def test_the_command_says_whether_it_is_the_accuracy_that_was_expected(
    url, mnist, manifest, capsys, by, code, mark
):
    value = manifest["metrics"]["test_accuracy"]["value"]
    command = ["--host", url, "--payload", "raw", "--expect", str(value + by)]
    assert accuracy.main(command) == code
    found = f"raw: {round(value * 10_000):,} of 10,000 right, {100 * value:.2f} %"
    assert capsys.readouterr().out.startswith(f"{mark} {found}, expected ")


def test_the_command_without_a_service_has_no_result(mnist, capsys):
    assert accuracy.main(["--host", "http://127.0.0.1:9"]) == 3
    assert "INVALID [Errno 111] Connection refused" in capsys.readouterr().err


def test_the_command_without_the_images_has_no_result(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("MNIST_DIR", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert accuracy.main([]) == 3
    assert "INVALID no t10k-images-idx3-ubyte of MNIST" in capsys.readouterr().err
