import concurrent.futures
import json
import os
import subprocess
import sys

import pytest


def run(root, *arguments, **environment):
    return subprocess.run(
        [sys.executable, "-m", "training", *map(str, arguments)],
        cwd=root,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=300,
    )


def check(completed):
    assert completed.returncode == 0, completed.stderr
    return completed.stdout


@pytest.fixture(scope="module")
def trained(root, mnist, tmp_path_factory):
    """Two runs of the same quick recipe, each in processes of its own."""

    def train(folder):
        run_dir = ("--run-dir", folder / "run")
        recipe = ("--epochs", 2, "--batch-size", 256, "--seed", 5)
        fitted = check(run(root, "fit", *recipe, *run_dir))
        return fitted, check(
            run(root, "export", *run_dir, "--models", folder, "--version", 4)
        )

    folders = [tmp_path_factory.mktemp("trained") for _ in range(2)]
    with concurrent.futures.ThreadPoolExecutor() as pool:  # most is TensorFlow's import
        (fitted, exported), _ = pool.map(train, folders)
    return folders, fitted, exported


@pytest.mark.parametrize(
    "command",
    [
        "data",
        "fit",
        "export",
        "evaluate",
        "reference",
        "report",
        "baselines",
        "lesson",
    ],
)
def test_every_command_has_help_and_imports_nothing_slow_for_it(root, command):
    # A TensorFlow that cannot be imported: help must not try.
    script = (
        "import sys; sys.modules['tensorflow'] = sys.modules['keras'] = None; "
        f"from training.__main__ import main; main(['{command}', '--help'])"
    )
    completed = subprocess.run(
        [sys.executable, "-c", script], cwd=root, capture_output=True, text=True, timeout=60
    )
    assert completed.returncode == 0, completed.stderr
    assert "--data-dir" in completed.stdout


def test_missing_data_is_one_clear_message(root, tmp_path):
    script = (
        "import training.data as d; d.MIRRORS = (); "
        "from training.__main__ import main; raise SystemExit(main(['data']))"
    )
    completed = subprocess.run(
        [sys.executable, "-c", script],
        cwd=root,
        env={**os.environ, "MNIST_DIR": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert completed.returncode == 1
    assert completed.stderr.startswith(
        "error: cannot find train-images-idx3-ubyte of MNIST"
    )
    assert "Traceback" not in completed.stderr


def test_missing_model_is_one_clear_message(root, mnist, tmp_path):
    completed = run(root, "evaluate", "--models", tmp_path)
    assert completed.returncode == 1
    assert "No such file" in completed.stderr
    assert "Traceback" not in completed.stderr


def test_data_names_what_it_checked(root, mnist):
    lines = check(run(root, "data")).splitlines()
    assert len(lines) == 4
    assert lines[2].startswith("t10k-images-idx3-ubyte: 10,000 checked, SHA-256 0fa7898d")


def test_fit_prints_one_line_an_epoch_where_there_is_no_terminal(trained):
    _, fitted, _ = trained
    assert [line for line in fitted.splitlines() if "val_accuracy" in line] == [
        line for line in fitted.splitlines() if line.startswith("188/188")
    ]
    assert fitted.count("val_accuracy") == 2


def test_same_seed_gives_the_same_onnx_bytes(trained):
    folders, _, _ = trained
    first, again = ((f / "mnist" / "4" / "model.onnx").read_bytes() for f in folders)
    assert first == again


def test_export_reports_and_records_the_accuracy(trained):
    folders, _, exported = trained
    manifest = json.loads((folders[0] / "mnist" / "4" / "manifest.json").read_text())
    accuracy = manifest["metrics"]["test_accuracy"]["value"]
    assert f"test accuracy {accuracy:.2%}" in exported
    assert 0.9 < accuracy < 1
    assert manifest["recipe"]["seed"] == 5
    assert manifest["version"] == 4


def test_export_does_not_replace_a_version(root, trained):
    folders, _, _ = trained
    arguments = ("--run-dir", folders[0] / "run", "--models", folders[0], "--version", 4)
    completed = run(root, "export", *arguments)
    assert completed.returncode == 1
    assert "exists; choose another --version or pass --force" in completed.stderr


def test_evaluate_agrees_with_the_manifest(root, trained):
    folders, _, _ = trained
    output = check(run(root, "evaluate", "--models", folders[0], "--version", 4, "--json"))
    result = json.loads(output)
    manifest = json.loads((folders[0] / "mnist" / "4" / "manifest.json").read_text())
    assert result["accuracy"] == manifest["metrics"]["test_accuracy"]["value"]
    assert len(result["digits"]) == 10_000


def test_reference_shows_the_lessons_neuron_and_agrees_with_onnx_runtime(root, mnist):
    output = check(run(root, "reference"))
    assert "sigmoid(0.64) = 0.6548" in output
    assert "differ in 0 digits of 10,000" in output
