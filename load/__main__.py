"""Load tests by name: ``python -m load SCENARIO``, ``compare A B`` or ``accuracy``."""

import argparse
import os
import sys
from pathlib import Path

from load import accuracy, compare, options, payloads, scenarios

LOCUSTFILE = Path(__file__).with_name("locustfile.py")
CONNECTIONS = 64
OTHERS = {"compare": compare.main, "accuracy": accuracy.main}
END = """Also: compare A B (reports in JSON), accuracy (every image of MNIST's test set).
All further options are Locust's: --processes 2 for several processes, --master and
--worker for several machines, --csv, ..."""


def own() -> argparse.ArgumentParser:
    """Return the parser of what Locust has other names for."""
    made = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    made.add_argument("scenario", choices=scenarios.NAMES, help="what to do")
    made.add_argument(
        "--host", type=options.host, default=options.HOST, help="(default: %(default)s)"
    )
    made.add_argument(
        "--connections",
        type=options.count,
        default=CONNECTIONS,
        help="at most so many requests at a time; in the closed loop always so many "
        "(default: %(default)s)",
    )
    return made


def command(arguments: list[str]) -> list[str]:
    """Return the command that starts Locust; end here if an option is wrong."""
    whole = argparse.ArgumentParser(
        prog="python -m load", parents=[own()], epilog=END, allow_abbrev=False
    )
    options.add(whole)
    first = arguments[0] if arguments else "nothing"
    if first not in (*scenarios.NAMES, "-h", "--help"):
        expected = ", ".join((*scenarios.NAMES, *OTHERS))
        whole.error(f"found {first} first, expected one of {expected}")
    known, _ = whole.parse_known_args(arguments)
    try:
        payloads.chosen(known.payload, known.batch)
    except ValueError as error:
        whole.error(str(error))
    asked, rest = own().parse_known_args(arguments)
    users = str(asked.connections)
    return [
        *(sys.executable, "-m", "locust", "--locustfile", str(LOCUSTFILE)),
        *("--headless", "--only-summary", "--host", asked.host),
        *("--users", users, "--spawn-rate", users, "--scenario", asked.scenario),
        *rest,
    ]


def main() -> int:
    """Run what the first argument names; Locust in place of this process."""
    name, *rest = sys.argv[1:] or [""]
    if name in OTHERS:
        return OTHERS[name](rest)
    started = command(sys.argv[1:])
    os.execv(started[0], started)


if __name__ == "__main__":
    sys.exit(main())
