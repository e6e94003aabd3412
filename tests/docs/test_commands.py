"""What the README shows is what happens."""

import json
import re
import subprocess

import pytest


@pytest.fixture(scope="module")
def text(root):
    return (root / "README.md").read_text()


def test_every_curl_gets_the_answer_shown(root, text, url, tmp_path):
    examples = re.findall(
        r"```sh\n([^`]*curl[^`]*)```\n\n```json\n(.*?)\n```", text, re.DOTALL
    )
    assert len(examples) == 3
    for commands, shown in examples:
        # The commands read load/ and write beside it: here, in a folder of the test's.
        (tmp_path / "load").exists() or (tmp_path / "load").symlink_to(root / "load")
        here = commands.replace("http://127.0.0.1:8000", url)
        command = ["bash", "-euo", "pipefail", "-c", here]
        completed = subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True
        )
        found, expected = json.loads(completed.stdout), json.loads(shown)
        if "predictions" in expected:
            # Another processor's float32 sums may differ in the last digits.
            numbers = [
                prediction.pop(key)
                for reply in (found, expected)
                for prediction in reply["predictions"]
                for key in ("probabilities", "confidence")
            ]
            assert numbers[:1] == [pytest.approx(numbers[2], abs=1e-5)]
            assert numbers[1] == pytest.approx(numbers[3], abs=1e-5)
        assert found == expected


def test_every_make_target_exists(root, text):
    makefile = (root / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z0-9-]+):", makefile, re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z0-9-]+)", text)) <= targets


def test_every_link_leads_somewhere(root, text):
    links = re.findall(r"\]\(([^)#]+)\)", text)
    assert links
    assert not [link for link in links if not (root / link).exists()]


def test_accuracies_are_the_manifests(root, text):
    manifests = sorted((root / "models" / "mnist").glob("*/manifest.json"))
    metrics = [json.loads(path.read_text())["metrics"] for path in manifests]
    accuracies = [f"{100 * each['test_accuracy']['value']:.2f}" for each in metrics]
    assert sorted(set(re.findall(r"(\d\d\.\d\d) %", text))) == accuracies


def test_a_python_without_venv_is_told_what_to_install(root, tmp_path):
    (tmp_path / "requirements").mkdir()
    for name in ("Makefile", "requirements/service.txt"):
        (tmp_path / name).write_bytes((root / name).read_bytes())
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\nexit 1\n")
    python.chmod(0o755)
    command = ["make", "-C", str(tmp_path), f"PYTHON={python}", "serve"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode != 0
    assert "expected it: on Debian, apt-get install python3-venv" in done.stderr
