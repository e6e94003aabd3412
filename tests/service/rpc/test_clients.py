"""Well-known clients of gRPC, unmodified, against a real service."""

import re
import subprocess

import numpy as np
import pytest

from service.rpc.messages import COMPILED, METHODS
from tests.support.clients import run, run_perf_analyzer


@pytest.mark.parametrize("script", ["triton_grpc.py", "kserve_grpc.py"])
def test_client(root, rpc, frames, tmp_path, script):
    np.save(tmp_path / "frames.npy", frames)
    run(root, script, rpc.client.address, tmp_path / "frames.npy")


def test_perf_analyzer(root, rpc, frames, tmp_path):
    run_perf_analyzer(root, tmp_path, frames, "-i", "grpc", "-u", rpc.client.address)


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
