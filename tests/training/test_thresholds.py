"""The recipe's threshold of guesses, next to the service's."""

import json

import numpy as np

from service.model.thresholds import Thresholds as InService
from training import evaluate
from training.calibration import Thresholds


def test_the_report_and_the_service_mark_the_same_answers(root, served, noise):
    folder = root / "models" / "mnist" / served
    manifest = json.loads((folder / "manifest.json").read_text())
    names = Thresholds._fields
    blended = np.concatenate([noise, noise // 4, 255 - noise])
    found = evaluate.probabilities((folder / "model.onnx").read_bytes(), blended)
    marked = InService.measured(*(manifest[name] for name in names)).guesses(
        found, found.max(axis=1)
    )
    assert 0 < marked.mean() <= 1
    assert Thresholds.of(manifest).guesses(found).tolist() == marked.tolist()
