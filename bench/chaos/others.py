"""Suites of their own, each as one case: the environment, and fuzzing over HTTP."""

import subprocess
import sys
from collections.abc import Iterator

from bench.chaos.case import Chaos, Finding, case
from bench.harness.cores import ROOT

LONGEST_S = 900
REQUESTS = 100_000  # two minutes


def _run(command: list[str]) -> Iterator[Finding]:
    """Run a program of the project's; its last line says what was seen."""
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=LONGEST_S,
    )
    lines = (done.stdout.strip() or done.stderr.strip()).splitlines() or ["said nothing"]
    yield Finding(f"code {done.returncode}: {lines[-1].strip('= ')}", done.returncode == 0)


@case(
    "the environment: memory or disk full, read-only root, other user, no HOME, log pipe "
    "stopped, few files, clock jumps",
    "every test of tests/service/test_environment.py passes",
)
def environment(chaos: Chaos) -> Iterator[Finding]:
    path = "tests/service/test_environment.py"
    yield from _run(["pytest", path, "-q", "-p", "no:cacheprovider"])


@case(
    f"{REQUESTS:,} fuzzed requests over HTTP",
    "no 5xx, no hang over 1 s, the same workers, files as before, no growth that goes on",
)
def fuzzed(chaos: Chaos) -> Iterator[Finding]:
    yield from _run(["bench", "fuzz", "http", f"--requests={REQUESTS}"])
