"""Well-known clients, unmodified, against a real gunicorn."""

import json
import os
import re
import shutil
import subprocess

import numpy as np
import pytest


# test_paths holds the three ways to the same bytes; two parsers of HTTP read the clients'.
@pytest.mark.parametrize("server", ["fast path", "gthread"], indirect=True)
@pytest.mark.parametrize("script", ["triton.py", "kserve_rest.py"])
def test_client(root, server, frames, tmp_path, script):
    np.save(tmp_path / "frames.npy", frames)
    python = root / ".venv" / "clients" / "bin" / "python"  # `make test` makes it
    address = f"127.0.0.1:{server.port}"
    command = [python, root / "tests/clients" / script, address, tmp_path / "frames.npy"]
    completed = subprocess.run(command, capture_output=True, text=True)
    assert completed.returncode == 0, completed.stderr


@pytest.mark.parametrize("server", ["fast path"], indirect=True)
@pytest.mark.parametrize("form", ["binary", "json"])
def test_perf_analyzer(root, server, frames, tmp_path, form):
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
    command = [program, "-m", "mnist", "-i", "http", "-u", f"127.0.0.1:{server.port}"]
    # Short windows that may differ: what is tested is that it runs, not the speed.
    command += [
        "--input-data",
        tmp_path / "digits.json",
        *("--measurement-mode", "count_windows", "--measurement-request-count", "20"),
        *("-r", "3", "-s", "999"),
    ]
    command += [f"--input-tensor-format={form}", f"--output-tensor-format={form}"]
    completed = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert completed.returncode == 0, completed.stdout + completed.stderr
    found = re.search(r"throughput: ([\d.]+) infer/sec", completed.stdout)
    assert float(found[1]) > 0
