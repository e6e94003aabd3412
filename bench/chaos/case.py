"""What a case is, how it is run, and the table of what was seen."""

import contextlib
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from bench.harness.service import Service


class Finding(NamedTuple):
    """Something seen, and whether it is as it should be."""

    seen: str
    ok: bool


class SkipError(Exception):
    """The case cannot be run here; the text says why."""


class Chaos:
    """What a case has at hand.

    Attributes:
        folder: one for the case's files.
        rounds: how often the cases that have rounds repeat themselves.
        environment: variables of every server.
        running: the servers that it has started.
    """

    def __init__(self, folder: Path, rounds: int = 1, **environment: str) -> None:
        self.folder, self.rounds, self.environment = folder, rounds, environment
        self.running: list[Service] = []

    def start(self, *options: str, **environment: str) -> Service:
        """Start a server, with two workers unless WEB_CONCURRENCY says otherwise."""
        folder = Path(tempfile.mkdtemp(dir=self.folder))
        server = Service(folder, *options, **(self.environment | environment))
        self.running.append(server)
        return server

    def stop(self) -> None:
        """Stop what still runs."""
        for server in self.running:
            with contextlib.suppress(Exception):
                server.stop()


Run = Callable[[Chaos], Iterator[Finding]]


class Case(NamedTuple):
    """A fault: what it is, what must be seen, and the function that tells what was seen."""

    name: str
    mark: str
    run: Run


class Result(NamedTuple):
    """A case and how it ended; ok is None where it could not be run."""

    name: str
    mark: str
    seen: str
    ok: bool | None
    seconds: float


CASES: list[Case] = []


def case(name: str, mark: str) -> Callable[[Run], Run]:
    """Add a function to the cases."""

    def add(run: Run) -> Run:
        CASES.append(Case(name, mark, run))
        return run

    return add


def perform(
    one: Case,
    check: Callable[[Service], Iterator[Finding]],
    rounds: int = 1,
    **environment: str,
) -> Result:
    """Run a case, and the check that follows each on every server that is still there.

    Args:
        one: the case.
        check: yields what is wrong with a server after a fault.
        rounds, environment: see `Chaos`.
    """
    start = time.monotonic()
    findings: list[Finding] = []
    skipped = ""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        chaos = Chaos(Path(folder), rounds, **environment)
        try:
            findings += one.run(chaos)
            for server in chaos.running:
                if server.process.poll() is None:
                    findings += check(server)
        except SkipError as error:
            skipped = f"skipped: {error}"
        except Exception as error:  # a case that breaks is a case that fails
            findings.append(Finding(f"{type(error).__name__}: {error}"[-600:], False))
        finally:
            chaos.stop()
    seen = "; ".join(f.seen if f.ok else f"**{f.seen}**" for f in findings)
    ok = None if skipped else bool(findings) and all(f.ok for f in findings)
    return Result(one.name, one.mark, skipped or seen, ok, time.monotonic() - start)


def table(results: list[Result]) -> str:
    """Return the results in Markdown."""
    words = {True: "yes", False: "**NO**", None: "-"}
    lines = ["| case | pass mark | seen | ok | s |", "|---|---|---|---|---|"]
    for one in results:
        cells: list[Any] = [
            one.name,
            one.mark,
            one.seen,
            words[one.ok],
            f"{one.seconds:.0f}",
        ]
        cleaned = (" ".join(str(cell).replace("|", "\\|").split()) for cell in cells)
        lines.append(f"| {' | '.join(cleaned)} |")
    return "\n".join(lines) + "\n"
