"""Well-known clients of gRPC, unmodified, against a real service."""

import json
import os
import re
import shutil
import subprocess

import numpy as np
import pytest

from service.rpc.messages import COMPILED, METHODS


def run(root, script, *arguments):
    python = root / ".venv" / "clients" / "bin" / "python"
    command = [python, root / "tests/clients" / script, *arguments]
    completed = subprocess.run(command, capture_output=True, text=True)
    assert completed.returncode == 0, completed.stderr
    return completed.stdout


@pytest.mark.parametrize("script", ["triton_grpc.py", "kserve_grpc.py"])
def test_client(root, rpc, frames, tmp_path, script):
    np.save(tmp_path / "frames.npy", frames)
    run(root, script, rpc.client.address, tmp_path / "frames.npy")


def test_perf_analyzer(root, rpc, frames, tmp_path):
    folder = root / ".venv" / "perf_analyzer"
    program = shutil.which("perf_analyzer", path=str(folder / "bin"))
    libraries = [str(path.parent) for path in folder.rglob("libcudart.so.12")]
    environment = {**os.environ, "LD_LIBRARY_PATH": ":".join(libraries)}
    if not program:
        pytest.skip("needs Linux on x86-64, for which perf_analyzer is built")
    tried = subprocess.run([program, "--help"], env=environment, capture_output=True)
    if b"libb64" in tried.stderr:
        pytest.skip("needs the Debian package libb64-0d for perf_analyzer")
    images = [{"image": (frame / 255).tolist()} for frame in frames]
    (tmp_path / "digits.json").write_text(json.dumps({"data": images}))
    command = [program, "-m", "mnist", "-i", "grpc", "-u", rpc.client.address]
    command += [
        *("--input-data", tmp_path / "digits.json"),
        *("--measurement-mode", "count_windows", "--measurement-request-count", "20"),
        *("-r", "3", "-s", "999"),
    ]
    completed = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert completed.returncode == 0, completed.stdout + completed.stderr
    found = re.search(r"throughput: ([\d.]+) infer/sec", completed.stdout)
    assert float(found[1]) > 0


@pytest.mark.parametrize(
    ("of", "without"),
    [("triton", set()), ("kserve", {"ModelConfig", "ModelStatistics", "RepositoryIndex"})],
)
def test_messages_are_those_of_the_clients(root, of, without):
    shared = {*run(root, "same_fields.py", COMPILED, of).split()}
    assert shared == METHODS.keys() - without


def test_the_descriptors_are_what_the_proto_compiles_to(root, tmp_path):
    python = root / ".venv" / "clients" / "bin" / "python"
    compiled = tmp_path / "compiled"
    command = [python, "-m", "grpc_tools.protoc", "-I", root / "service/rpc"]
    command += [f"--descriptor_set_out={compiled}", "open_inference.proto"]
    subprocess.run(command, check=True)
    assert compiled.read_bytes() == COMPILED.read_bytes()


def test_the_example_reads_the_seven(root, rpc):
    (code,) = re.findall(r"```python\n(.*?)```", (root / "docs/grpc.md").read_text(), re.S)
    python = root / ".venv" / "clients" / "bin" / "python"
    command = [python, "-c", code.replace("127.0.0.1:9000", rpc.client.address)]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True)
    assert done.stdout.strip() == "7", done.stderr
