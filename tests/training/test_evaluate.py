import hashlib
import json
import math

import numpy as np
import pytest

from training import evaluate


@pytest.fixture(scope="module")
def content(version_1):
    return (version_1 / "model.onnx").read_bytes()


@pytest.fixture(scope="module")
def manifest(version_1):
    return json.loads((version_1 / "manifest.json").read_text())


def test_evaluation_counts_one_image_at_a_time(content, noise):
    labels = (np.arange(64) % 7).astype(np.uint8)
    result = evaluate.evaluate(content, noise, labels)
    right, loss = [], []
    for image, label in zip(noise, labels):
        (row,) = evaluate.probabilities(content, image[None])
        right.append(int(row.argmax()) == label)
        loss.append(-math.log(max(row[label], 1e-7)))
    assert result.accuracy == pytest.approx(sum(right) / 64)
    assert result.loss == pytest.approx(sum(loss) / 64, rel=1e-5)
    assert [images for images, _ in result.by_class.values()] == [10] + [9] * 6
    by_class = sum(n * accuracy for n, accuracy in result.by_class.values())
    assert by_class == pytest.approx(sum(right))


@pytest.mark.parametrize("batch", [1, 2, 7, 64, 1000])
def test_probabilities_do_not_depend_on_the_batch(content, noise, batch):
    whole = evaluate.probabilities(content, noise, 64)
    assert np.abs(evaluate.probabilities(content, noise, batch) - whole).max() <= 1e-6


def test_shipped_version_is_the_manifests(content, manifest):
    assert hashlib.sha256(content).hexdigest() == manifest["sha256"]


def test_shipped_version_reaches_what_its_manifest_says(content, manifest, mnist):
    result = evaluate.evaluate(content, mnist.x_test, mnist.y_test)
    metrics = {name: metric["value"] for name, metric in manifest["metrics"].items()}
    assert result.accuracy == metrics["test_accuracy"] >= 0.973
    assert result.loss == pytest.approx(metrics["test_loss"], rel=1e-4)


def test_shipped_version_was_trained_by_the_lessons_recipe(manifest):
    recipe = manifest["recipe"]
    assert recipe["hidden"] == [128, 64]
    assert (recipe["epochs"], recipe["batch_size"]) == (10, 32)
    assert (recipe["validation_split"], recipe["optimizer"]) == (0.2, "adam")
    assert recipe["loss"] == "sparse_categorical_crossentropy"
    assert len(manifest["history"]["val_loss"]) == 10
