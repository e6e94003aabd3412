"""Load tests by name: ``python -m load SCENARIO``, ``compare A B`` or ``accuracy``."""

import argparse
import os
import sys
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError

from load import accuracy, compare, options, payloads, scenarios
from load.direct import urlopen

LOCUSTFILE = Path(__file__).with_name("locustfile.py")
CONNECTIONS = 64
INVALID = 3
ANSWER_S = 5.0  # for a health check, which takes a millisecond
OTHERS = {"compare": compare.main, "accuracy": accuracy.main}
END = """Also: compare A B (reports in JSON), accuracy (every image of MNIST's test set).
Exit code: 0 if every limit was kept, 1 if one was not, 2 if an option is wrong, 3 if the
run is not to be believed. Locust's options work too: --processes 2 for several processes,
--master and --worker for several machines, --csv, ...; but not -u, -r and -t, since a
scenario has its own load and ends by itself."""


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
        prog="python -m load",
        parents=[own()],
        epilog=END,
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    options.add(whole)
    whole.set_defaults(**options.variables(os.environ))
    first = arguments[0] if arguments else "nothing"
    if first not in (*scenarios.NAMES, "-h", "--help"):
        expected = ", ".join((*scenarios.NAMES, *OTHERS))
        whole.error(f"found {first} first, expected one of {expected}")
    known, _ = whole.parse_known_args(arguments)
    try:
        if known.images:
            payloads.pictures(known.payload, known.batch, known.images)
        options.resolved(known, known.connections)
    except (ValueError, OSError) as error:
        whole.error(str(error))
    asked, rest = own().parse_known_args(arguments)
    users = str(asked.connections)
    return [
        *(sys.executable, "-m", "locust", "--locustfile", str(LOCUSTFILE)),
        *("--headless", "--only-summary", "--host", asked.host),
        *("--users", users, "--spawn-rate", users, "--scenario", asked.scenario),
        *rest,
    ]


def unready(host: str) -> str | None:
    """Return why a load test of a host would be for nothing; None if it answers."""
    try:
        with urlopen(f"{host}/readyz", timeout=ANSWER_S):
            return None
    except HTTPError as error:  # another server may have no such route
        return f"{host} is not ready: status 503" if error.code == 503 else None
    except (OSError, HTTPException):
        return f"nothing answers at {host}; start it with: make serve"


def main() -> int:
    """Run what the first argument names; Locust in place of this process."""
    name, *rest = sys.argv[1:] or [""]
    if name in OTHERS:
        return OTHERS[name](rest)
    started = command(sys.argv[1:])
    why = unready(started[started.index("--host") + 1])
    if why:
        print(f"INVALID: {why}", file=sys.stderr)
        return INVALID
    os.execv(started[0], started)


if __name__ == "__main__":
    sys.exit(main())
