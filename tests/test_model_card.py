"""The model card's numbers are those of the manifest and of the evaluation."""

import json
import re

from training import evaluate


def test_card_has_the_manifests_accuracy_and_loss(root, version_1):
    card = (root / "models" / "README.md").read_text()
    metrics = json.loads((version_1 / "manifest.json").read_text())["metrics"]
    assert f"**{metrics['test_accuracy']['value']:.2%}**".replace("%", " %") in card
    assert f"**{metrics['test_loss']['value']:.4f}**" in card


def test_card_has_the_accuracy_of_every_digit(root, version_1, mnist):
    card = (root / "models" / "README.md").read_text()
    content = (version_1 / "model.onnx").read_bytes()
    by_class = evaluate.evaluate(content, mnist.x_test, mnist.y_test).by_class
    rows = re.findall(r"^\| (\d) \| (\d+) \| (\d\d\.\d\d) % \|$", card, re.MULTILINE)
    assert rows == [
        (str(digit), str(images), f"{100 * accuracy:.2f}")
        for digit, (images, accuracy) in by_class.items()
    ]
