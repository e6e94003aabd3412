"""What a case is, how cases are run, and the table of what was seen."""

import argparse
import contextlib
import importlib
import re
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from bench.harness import results
from bench.harness.results import say
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

    def __init__(self, folder: Path, rounds: int = 1, **environment: Any) -> None:
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
    """A fault: what it is, what must be seen, and the function that finds what was seen."""

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
    check: Callable[[Service], Iterable[Finding]],
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


def table(found: Iterable[Result]) -> str:
    """Return the results in Markdown."""
    words = {True: "yes", False: "**NO**", None: "-"}
    rows = [(*one[:3], words[one.ok], f"{one.seconds:.0f}") for one in found]
    return results.table(["case", "pass mark", "seen", "ok", "s"], rows, text=4)


def run(
    name: str,
    modules: Sequence[str],
    about: Callable[[], str],
    check: Callable[[Service], Iterable[Finding]],
    argv: Sequence[str] | None,
) -> int:
    """Run the cases of some modules from the command line; return 1 if one fails.

    Args:
        name: of the program in ``python -m bench``, and of its results.
        modules: of ``bench.NAME``, in the order of the table.
        about: returns what stands before the table.
        check: see `perform`.
        argv: the command line.
    """
    parser = argparse.ArgumentParser(prog=f"python -m bench {name}")
    parser.add_argument("--list", action="store_true", help="name the cases, and end")
    parser.add_argument(
        "--only", default="", metavar="PATTERN", help="cases whose name has it"
    )
    parser.add_argument("--rounds", type=int, default=20, help="(default: 20)")
    parser.add_argument(
        "--output", type=Path, help="(default: bench/results, if all cases are run)"
    )
    options = parser.parse_args(argv)
    for module in modules:
        importlib.import_module(f"bench.{name}.{module}")
    ours = [one for one in CASES if one.run.__module__.startswith(f"bench.{name}.")]
    chosen = [one for one in ours if re.search(options.only, one.name)]
    if options.list:
        print("\n".join(one.name for one in chosen))
        return 0
    introduction, found = about(), []
    for one in chosen:
        found.append(perform(one, check, options.rounds))
        words = {True: "ok", False: "FAILED", None: "skipped"}
        say(f"{one.name} ... {words[found[-1].ok]}")
    text = f"{introduction}\n{table(found)}"
    print(text)
    if options.output or not options.only:
        record = {"rounds": options.rounds, "cases": [one._asdict() for one in found]}
        results.write(name, record, text, options.output or results.FOLDER)
    failed = sum(one.ok is False for one in found)
    say(f"{len(found)} cases, {failed} failed")
    return 1 if failed or not found else 0
