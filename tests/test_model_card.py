"""The model card's numbers are those of the manifests and of the evaluation."""

import json
import re

import pytest

from training import evaluate


@pytest.fixture(scope="module")
def card(root):
    return (root / "models" / "README.md").read_text()


@pytest.fixture(scope="module")
def versions(root):
    """The folders of the versions in the box, in order."""
    folders = [path.parent for path in (root / "models" / "mnist").glob("*/manifest.json")]
    return sorted(folders, key=lambda folder: int(folder.name))


def test_card_has_the_manifests_metrics(card, versions):
    metrics = [
        json.loads((folder / "manifest.json").read_text())["metrics"] for folder in versions
    ]
    for name, title, form in (
        ("test_accuracy", "accuracy", ".2%"),
        ("test_loss", "loss", ".4f"),
        ("validation_accuracy", "validation accuracy", ".2%"),
    ):
        cells = [f"{each[name]['value']:{form}}".replace("%", " %") for each in metrics]
        assert f"| {title} | {' | '.join(cells)} |" in card


def test_card_names_the_accuracy_of_the_version_that_is_served(card, versions):
    manifest = json.loads((versions[-1] / "manifest.json").read_text())
    accuracy = manifest["metrics"]["test_accuracy"]["value"]
    assert f"value: {accuracy:g}, name: accuracy of version {versions[-1].name}" in card


def test_card_has_the_accuracy_of_every_digit(card, versions, mnist):
    by_version = []
    for folder in versions:
        content = (folder / "model.onnx").read_bytes()
        by_version.append(evaluate.evaluate(content, mnist.x_test, mnist.y_test).by_class)
    cells = r" \| ([\d.]+) %" * len(versions)
    rows = re.findall(rf"^\| (\d) \| (\d+){cells} \|$", card, re.M)
    assert rows == [
        (str(digit), str(images), *(f"{100 * each[digit][1]:.2f}" for each in by_version))
        for digit, (images, _) in by_version[0].items()
    ]
