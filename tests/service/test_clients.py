"""Well-known clients, unmodified, against a real gunicorn."""

import numpy as np
import pytest

from tests.support.clients import run, run_perf_analyzer


# test_paths holds the three ways to the same bytes; two parsers of HTTP read the clients'.
@pytest.mark.parametrize("server", ["fast path", "gthread"], indirect=True)
@pytest.mark.parametrize("script", ["triton.py", "kserve_rest.py"])
def test_client(root, server, frames, tmp_path, script):
    np.save(tmp_path / "frames.npy", frames)
    run(root, script, f"127.0.0.1:{server.port}", tmp_path / "frames.npy")


@pytest.mark.parametrize("server", ["fast path"], indirect=True)
@pytest.mark.parametrize("form", ["binary", "json"])
def test_perf_analyzer(root, server, frames, tmp_path, form):
    address = f"127.0.0.1:{server.port}"
    formats = f"--input-tensor-format={form}", f"--output-tensor-format={form}"
    run_perf_analyzer(root, tmp_path, frames, "-i", "http", "-u", address, *formats)
