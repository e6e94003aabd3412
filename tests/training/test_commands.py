"""Commands that read: help, data, evaluate, reference. `run` and `export`: test_run.py."""

import json
import subprocess
import sys

import pytest

from training import data
from training.__main__ import main

COMMANDS = (
    "data", "run", "export", "evaluate", "reference", "report", "baselines", "lesson",
)  # fmt: skip


def test_every_command_has_help_and_imports_nothing_slow_for_it(root):
    # A TensorFlow that cannot be imported: help must not try.
    script = (
        "import sys; sys.modules['tensorflow'] = sys.modules['keras'] = None\n"
        "from training.__main__ import main\n"
        f"for command in {COMMANDS}:\n"
        "    try: main([command, '--help'])\n"
        "    except SystemExit as end: assert end.code == 0\n"
    )
    completed = subprocess.run(
        [sys.executable, "-c", script], cwd=root, capture_output=True, text=True, timeout=60
    )
    assert completed.returncode == 0, completed.stderr
    assert completed.stdout.count("--data-dir") >= len(COMMANDS)
    assert "None" not in completed.stdout


def test_help_shows_both_recipes_numbers(capsys):
    with pytest.raises(SystemExit):
        main(["run", "--help"])
    shown = " ".join(capsys.readouterr().out.split())
    assert "passes over the images (lesson: 10, best: 300)" in shown
    assert "images per step (lesson: 32, best: 1000)" in shown
    assert "learning rate (lesson: 0.001, best: 0.02)" in shown


@pytest.mark.parametrize(
    ("option", "value", "expected"),
    [
        ("--epochs", "0", "a whole number from 1"),
        ("--epochs", "1.5", "a whole number from 1"),
        ("--batch", "0", "a whole number from 1"),
        ("--validation-split", "1", "a fraction above 0 and below 1"),
        ("--validation-split", "0", "a fraction above 0 and below 1"),
        ("--learning-rate", "-1", "a number above 0"),
        ("--learning-rate", "nan", "a number above 0"),
        ("--learning-rate", "inf", "a number above 0"),
        ("--seed", "x", "a whole number from 0"),
        ("--patience", "-1", "a whole number from 0"),
    ],
)
def test_hyperparameter_that_cannot_work_is_refused(capsys, option, value, expected):
    with pytest.raises(SystemExit) as ended:
        main(["run", f"{option}={value}"])
    assert ended.value.code == 2
    assert f"found {value}, expected {expected}" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["", "..", "a/b", ".hidden", "lesson.unfinished"])
def test_name_that_is_no_folders_is_refused(capsys, name):
    with pytest.raises(SystemExit):
        main(["run", f"--name={name}"])
    assert f"found {name!r}, expected letters" in capsys.readouterr().err


def test_missing_data_is_one_clear_message(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(data, "MIRRORS", ())
    monkeypatch.setenv("MNIST_DIR", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert main(["data"]) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: cannot find train-images-idx3-ubyte of MNIST")


def test_missing_model_is_one_clear_message(root, mnist, tmp_path, capsys):
    assert main(["evaluate", "--models", str(tmp_path)]) == 1
    assert f"error: found no version in {tmp_path / 'mnist'}" in capsys.readouterr().err
    models = root / "models"
    assert main(["report", "--models", str(models), "--version", "99"]) == 1
    assert "error: found no version 99 in" in capsys.readouterr().err


def test_data_names_what_it_checked(mnist, capsys):
    assert main(["data"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "MNIST: 60,000 images to fit on, 10,000 for the test"
    assert lines[3].startswith("t10k-images-idx3-ubyte: SHA-256 0fa7898d")
    assert len(lines) == 5


@pytest.mark.parametrize("version", ["1", None], ids=["named", "the-one-served"])
def test_evaluate_agrees_with_the_manifest(root, mnist, served, version, capsys):
    options = ["--models", str(root / "models"), "--json"]
    options += ["--version", version] if version else []
    assert main(["evaluate", *options]) == 0
    result = json.loads(capsys.readouterr().out)
    folder = root / "models" / "mnist" / (version or served)
    manifest = json.loads((folder / "manifest.json").read_text())
    assert result["accuracy"] == manifest["metrics"]["test_accuracy"]["value"]
    assert len(result["digits"]) == 10_000


def test_reference_shows_the_lessons_neuron_and_agrees_with_onnx_runtime(
    root, mnist, capsys
):
    assert main(["reference", "--models", str(root / "models")]) == 0
    output = capsys.readouterr().out
    assert "sigmoid(0.64) = 0.6548" in output
    assert "differ in 0 digits of 10,000" in output
