"""Run the cases: ``python -m bench.chaos [--list] [--only PATTERN] [--rounds N]``."""

import argparse
import importlib
import json
import re
import resource
import sys
from pathlib import Path

from bench.chaos import case, checks
from bench.chaos.case import CASES

OUTPUT = Path(__file__).resolve().parents[1] / "results"
# In the order of the table.
MODULES = (
    *("life", "boot", "models", "rude", "slow", "costly"),
    *("neighbours", "containers", "others"),
)
MOST_FILES = 20_000  # 10,000 connections have two ends, and servers inherit the limit
ABOUT = (
    "Faults on purpose, against a real gunicorn with two workers unless stated: "
    "`make chaos`. After each, on every server that is still to run: all workers are "
    "there, `/livez` answers, the golden predictions are right, the gauges are sane and "
    "the log has no traceback."
)


def main() -> int:
    """Run what is asked for; return 1 if a case fails."""
    parser = argparse.ArgumentParser(prog="python -m bench.chaos")
    parser.add_argument("--list", action="store_true", help="name the cases, and end")
    parser.add_argument(
        "--only", default="", metavar="PATTERN", help="cases whose name has it"
    )
    parser.add_argument("--rounds", type=int, default=20, help="(default: 20)")
    parser.add_argument(
        "--output", type=Path, help="(default: bench/results, if all cases are run)"
    )
    options = parser.parse_args()
    for name in MODULES:
        importlib.import_module(f"bench.chaos.{name}")
    chosen = [one for one in CASES if re.search(options.only, one.name)]
    if options.list:
        print("\n".join(one.name for one in chosen))
        return 0
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, MOST_FILES), most))
    results = []
    for one in chosen:
        print(f"{one.name} ...", end=" ", file=sys.stderr, flush=True)
        results.append(case.perform(one, checks.after, options.rounds))
        words = {True: "ok", False: "FAILED", None: "skipped"}
        print(words[results[-1].ok], file=sys.stderr, flush=True)
    text = f"# Faults\n\n{ABOUT}\n\n{case.table(results)}"
    print(text)
    output = options.output or (None if options.only else OUTPUT)
    if output:
        output.mkdir(exist_ok=True)
        (output / "chaos.md").write_text(text)
        record = {"rounds": options.rounds, "cases": [one._asdict() for one in results]}
        (output / "chaos.json").write_text(json.dumps(record, indent=1) + "\n")
    failed = sum(one.ok is False for one in results)
    print(f"{len(results)} cases, {failed} failed", file=sys.stderr)
    return 1 if failed or not results else 0


if __name__ == "__main__":
    sys.exit(main())
