"""The soak itself, for seconds: what it is to show takes half an hour, `make soak`."""

import json
import subprocess
import sys

from bench.soak import report

SHORT = ["--minutes=0.15", "--warm-up=0", "--interval=1", "--capacity=500"]
# In seconds no slope can be told from what a process takes at its start.
OF_HOURS = {"memory, a worker", "memory, master"}


def test_a_soak_of_seconds_passes_every_gate_but_those_of_hours(root, tmp_path):
    command = [sys.executable, "-m", "bench.soak", *SHORT, f"--output={tmp_path}"]
    completed = subprocess.run(command, cwd=root, capture_output=True, text=True)
    assert (tmp_path / "soak.json").exists(), completed.stderr
    found = report.judge(json.loads((tmp_path / "soak.json").read_bytes()))
    missed = {name: finding for name, finding in found.items() if not finding.ok}
    assert missed.keys() <= OF_HOURS, missed
    assert completed.stdout == (tmp_path / "soak.md").read_text() + "\n"
