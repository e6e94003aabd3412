"""Run the drills: ``python -m bench.drills [--list] [--only PATTERN]``."""

import argparse
import importlib
import json
import re
import sys
from pathlib import Path

from bench.chaos import case, checks
from bench.chaos.case import CASES
from tests.support import standins

OUTPUT = Path(__file__).resolve().parents[1] / "results"
# In the order of the table.
MODULES = ("start", "scale", "roll", "swap", "slow", "counters", "alerts")


def main() -> int:
    """Run what is asked for; return 1 if a drill fails."""
    parser = argparse.ArgumentParser(prog="python -m bench.drills")
    parser.add_argument("--list", action="store_true", help="name the drills, and end")
    parser.add_argument(
        "--only",
        default="",
        metavar="PATTERN",
        help="drills whose name has it; the table keeps the others",
    )
    options = parser.parse_args()
    for name in MODULES:
        importlib.import_module(f"bench.drills.{name}")
    ours = [one for one in CASES if one.run.__module__.startswith("bench.drills.")]
    chosen = [one for one in ours if re.search(options.only, one.name)]
    if options.list:
        print("\n".join(one.name for one in chosen))
        return 0
    images = {standins.tag(n): standins.provide(n) for n in standins.NAMES}
    results = []
    for one in chosen:
        print(f"{one.name} ...", end=" ", file=sys.stderr, flush=True)
        results.append(case.perform(one, checks.after))
        words = {True: "ok", False: "FAILED", None: "skipped"}
        print(words[results[-1].ok], file=sys.stderr, flush=True)
    print(case.table(results))
    write(images, keep([one.name for one in ours], results))
    failed = sum(one.ok is False for one in results)
    print(f"{len(results)} drills, {failed} failed", file=sys.stderr)
    return 1 if failed or not results else 0


def keep(names: list[str], results: list[case.Result]) -> list[case.Result]:
    """Return the results with those of before for the drills that were not run now."""
    path = OUTPUT / "drills.json"
    before = json.loads(path.read_text())["cases"] if path.exists() else []
    found = [*(case.Result(**one) for one in before), *results]
    newest = {result.name: result for result in found}
    return [newest[name] for name in names if name in newest]


def write(images: dict[str, str | None], results: list[case.Result]) -> None:
    """Write the table and what it is made of."""
    OUTPUT.mkdir(exist_ok=True)
    text = f"# Drills\n\n{about(images)}\n\n{case.table(results)}"
    (OUTPUT / "drills.md").write_text(text)
    record = {"images": images, "cases": [one._asdict() for one in results]}
    (OUTPUT / "drills.json").write_text(json.dumps(record, indent=1) + "\n")


def about(images: dict[str, str | None]) -> str:
    """Return what the table is of."""
    used = ", ".join(f"`{tag}` {what or 'is not there'}" for tag, what in images.items())
    return (
        "`docker-compose.yml` on a Docker engine: `make drills`. The clients are those of "
        "`bench/chaos`, on the same machine, at full speed: 16 that keep their connection, "
        "16 with one for each request, unless it says otherwise; all answers are checked. "
        f"Images: {used}. Stand-ins are Debian's packages (`tests/support/standins`). "
        "Counters and alerts are those of the service outside a container, and of Debian's "
        "Prometheus."
    )


if __name__ == "__main__":
    sys.exit(main())
