"""Several processes that send: together they are what one would be."""

import json
import os
import subprocess

import pytest

from load.histogram import Histogram
from load.record import Record

SECONDS, RATE = 3, 120


def run(root, folder, host, *options):
    """Run steps with Locust's own options; the record, and what each process wrote."""
    witness, output = folder / "witness", folder / "output"
    witness.mkdir()
    command = [root / ".venv" / "load" / "bin" / "locust", "--headless", "--only-summary"]
    command += ["--locustfile", root / "tests" / "load" / "witness.py", "--host", host]
    command += ["--users", "16", "--spawn-rate", "16", "--scenario", "steps"]
    command += ["--seconds", str(SECONDS), "--rate", str(RATE), "--warm-up", "0"]
    command += ["--arrivals", "constant", "--output", output, *options]
    environment = {**os.environ, "WITNESS": str(witness), "PYTHONPATH": str(root)}
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=90
    )
    path = output / "steps.json"
    assert path.exists(), done.stderr
    written = [file.read_text().splitlines() for file in sorted(witness.iterdir())]
    lines = [[json.loads(line) for line in each] for each in written]
    return Record.from_dict(json.loads(path.read_bytes())), lines


@pytest.fixture(scope="module")
def two(root, url, two_processes, tmp_path_factory):
    return run(root, tmp_path_factory.mktemp("two"), url, *two_processes)


@pytest.fixture(scope="module")
def one(root, url, tmp_path_factory):
    return run(root, tmp_path_factory.mktemp("one"), url)


def histogram(lines, phase, column):
    found = Histogram()
    for line in lines:
        if line[0] == phase:
            found.add(line[column])
    return found


def test_two_workers_send_half_each(two):
    _, written = two
    assert len(written) == 2
    assert abs(len(written[0]) - len(written[1])) <= 5  # one a phase


@pytest.mark.parametrize("phase", range(5))
@pytest.mark.parametrize(("name", "column"), [("latency", 2), ("service", 3)])
def test_masters_histograms_are_those_of_all_requests_of_both(two, phase, name, column):
    record, written = two
    expected = histogram([line for lines in written for line in lines], phase, column)
    assert getattr(record.phases[phase].tally, name) == expected


@pytest.mark.parametrize("phase", range(5))
def test_one_process_sends_the_same_requests_as_two(one, two, phase):
    due = [
        sorted(round(line[1], 9) for lines in written for line in lines if line[0] == phase)
        for _, written in (one, two)
    ]
    assert due[0] == due[1]


@pytest.mark.parametrize("phase", range(5))
def test_one_process_counts_the_same_in_each_second_as_two(one, two, phase):
    found = [[part.tally.due for part in r.phases[phase].slices] for r, _ in (one, two)]
    assert found[0] == found[1]
