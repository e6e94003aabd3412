"""Well-known clients as programs, from the environments that `make test` makes."""

import json
import os
import re
import shutil
import subprocess

import pytest


def run(root, script, *arguments):
    """Run a script of ``tests/clients``, and return what it prints."""
    python = root / ".venv" / "clients" / "bin" / "python"
    command = [python, root / "tests/clients" / script, *arguments]
    completed = subprocess.run(command, capture_output=True, text=True)
    assert completed.returncode == 0, completed.stderr
    return completed.stdout


def run_perf_analyzer(root, tmp_path, frames, *options):
    """Let perf_analyzer send frames, and hold that it gets answers."""
    folder = root / ".venv" / "perf_analyzer"
    program = shutil.which("perf_analyzer", path=str(folder / "bin"))
    libraries = [str(path.parent) for path in folder.rglob("libcudart.so.12")]
    environment = {**os.environ, "LD_LIBRARY_PATH": ":".join(libraries)}
    if not program:
        pytest.skip("needs Linux on x86-64, for which perf_analyzer is built")
    tried = subprocess.run([program, "--help"], env=environment, capture_output=True)
    if b"libb64" in tried.stderr:
        pytest.skip("needs the Debian package libb64-0d for perf_analyzer")
    # Its own random floats are far outside 0 to 1, and rightly refused.
    images = [{"image": (frame / 255).tolist()} for frame in frames]
    (tmp_path / "digits.json").write_text(json.dumps({"data": images}))
    # Short windows that may differ: what is tested is that it runs, not the speed.
    command = [
        *(program, "-m", "mnist", *options, "--input-data", tmp_path / "digits.json"),
        *("--measurement-mode", "count_windows", "--measurement-request-count", "20"),
        *("-r", "3", "-s", "999"),
    ]
    completed = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert completed.returncode == 0, completed.stdout + completed.stderr
    found = re.search(r"throughput: ([\d.]+) infer/sec", completed.stdout)
    assert float(found[1]) > 0
