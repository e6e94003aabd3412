import os
import subprocess
import sys

import pytest

from service.server import limits


@pytest.fixture
def affinity(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)))


def test_cores_are_those_of_the_affinity_mask():
    assert limits.cores() <= len(os.sched_getaffinity(0))


@pytest.mark.parametrize(
    ("quota", "expected"),
    [("max 100000", 8), ("250000 100000", 2), ("50000 100000", 1), ("1600000 100000", 8)],
)
def test_cores_keep_to_the_quota_of_version_2(tmp_path, affinity, quota, expected):
    (tmp_path / "cpu.max").write_text(f"{quota}\n")
    assert limits.cores(tmp_path) == expected


@pytest.mark.parametrize(("quota", "expected"), [("-1", 8), ("300000", 3)])
def test_cores_keep_to_the_quota_of_version_1(tmp_path, affinity, quota, expected):
    (tmp_path / "cpu.cfs_quota_us").write_text(quota)
    (tmp_path / "cpu.cfs_period_us").write_text("100000")
    assert limits.cores(tmp_path) == expected


def test_a_quota_further_up_binds_as_well(tmp_path, affinity):
    (tmp_path / "cpu.max").write_text("300000 100000")
    (tmp_path / "child").mkdir()
    (tmp_path / "child" / "cpu.max").write_text("max 100000")
    assert limits.cores(tmp_path / "child") == 3


def test_without_a_cgroup_the_affinity_counts(tmp_path, affinity):
    assert limits.cores(tmp_path) == 8


def test_code_that_is_released_runs_again(root):
    script = (
        "import numpy\nfrom service.server.limits import release_code, resident_bytes\n"
        "before = resident_bytes()\nrelease_code()\nafter = resident_bytes()\n"
        "assert after < before, (before, after)\nprint(numpy.ones(9).sum())"
    )
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("9.0\n", "")
