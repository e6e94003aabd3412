import json
import os
import signal
import subprocess
from types import SimpleNamespace

import pytest

from load.record import Record
from tests.load import records
from tests.load.records import FOUND, judged, phase, record, spread, tally
from tests.support.server import eventually, free_port

PATIENCE_S = 300  # for a run of seconds, on a machine that is busy
# Reasons not to believe a run that the tests beside it can be the cause of.
BUSY = (
    "the generator was the limit",
    "the generator itself was late",
    "the generator waited for a core",
    "the machine was not quiet",
    "is undecided",
)


@pytest.fixture(scope="session")
def two_processes():
    """The options for two processes that send, on a port of their own."""
    port = str(free_port())
    return ["--processes", "2", "--master-bind-port", port, "--master-port", port]


@pytest.fixture
def run_load(root, tmp_path):
    """Run a load test as from the command line: its exit code, what it says, its record.

    With `locust` it is Locust's own command; the scenario is then what the record is named.
    With `interrupt` it is sent SIGINT once that function returns something true.

    Other tests may run beside it, so reasons of that kind are taken out of what makes the
    run invalid.
    """
    python = root / ".venv" / "load" / "bin" / "python"  # `make test` makes it

    def run_load(scenario, *options, interrupt=None, variables=None, locust=False):
        command = [python, "-m", "load", scenario]
        if locust:
            file = root / "load" / "locustfile.py"
            command = [python, "-m", "locust", "-f", file, "--headless"]
        command += ["--output", tmp_path, *map(str, options)]
        hidden = ("LOCUST", "LOAD_")
        environment = {k: v for k, v in os.environ.items() if not k.startswith(hidden)}
        environment |= variables or {}
        process = subprocess.Popen(
            command,
            cwd=root,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # What is started in the background of a shell is deaf to it.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        with process:
            if interrupt:
                eventually(lambda: process.poll() is not None or interrupt())
                process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=PATIENCE_S)
        path = tmp_path / f"{scenario}.json"
        record = Record.from_dict(json.loads(path.read_bytes())) if path.exists() else None
        invalid = record.verdict.invalid if record else []
        reasons = [why for why in invalid if not any(each in why for each in BUSY)]
        return SimpleNamespace(
            code=process.returncode, out=out, err=err, record=record, reasons=reasons
        )

    return run_load


@pytest.fixture(scope="module")
def steps():
    return judged(records.steps(), "p99<10ms", "errors<1%")


@pytest.fixture(scope="module")
def closed():
    made = phase("only", None, tally(spread(1000, 0.5, 2), stages={"infer": [0.05] * 1000}))
    return judged(record(made, loop="closed", arrivals=None, scenario="smoke"), "p99<10ms")


@pytest.fixture(scope="module")
def search():
    windows = [phase(f"window {i}", 1500, tally(spread(1500, 1, 8))) for i in (1, 2, 3)]
    return judged(record(*windows, scenario="find-max", found=FOUND), "p99<10ms")
