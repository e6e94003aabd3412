"""The options of a load test, beside Locust's own."""

import argparse
import re
from typing import Any
from urllib.parse import urlsplit

from load import arrivals, limits, payloads, scenarios

HOST = "http://127.0.0.1:8000"


def positive(text: str) -> float:
    """Read a number above 0."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"found {text!r}, expected a number above 0")
    return value


def not_negative(text: str) -> float:
    """Read 0 or a number above it."""
    return 0.0 if text.strip() in ("0", "0.0") else positive(text)


def count(text: str) -> int:
    """Read a whole number above 0."""
    value = positive(text)
    if value != int(value):
        raise argparse.ArgumentTypeError(f"found {text!r}, expected a whole number")
    return int(value)


def host(text: str) -> str:
    """Read where the service is; without a slash at the end, since paths begin with one."""
    try:
        parts = urlsplit(text)
        good = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        good = False
    if not good:
        raise argparse.ArgumentTypeError(
            f"found {text!r}, expected a URL such as http://127.0.0.1:8000"
        )
    return text.rstrip("/")


def check(asked: Any) -> None:
    """Check what has passed by the parser: variables together, and Locust's page.

    Raises:
        ValueError, argparse.ArgumentTypeError: says what was found and what is expected.
    """
    for value in filter(None, (asked.rate, asked.seconds, asked.peak)):
        positive(str(value))
    not_negative(str(asked.warm_up))
    for text in filter(None, asked.limit):
        limit(text)
    for text in filter(None, asked.header):
        header(text)
    payloads.chosen(asked.payload, asked.batch)


def limit(text: str) -> str:
    """Check a limit, and return it as it is."""
    try:
        limits.parse(text)
    except limits.LimitError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


def header(text: str) -> str:
    """Check a header, and return it as it is."""
    if not re.fullmatch(r"[A-Za-z0-9-]+: .+", text):
        raise argparse.ArgumentTypeError(f"found {text!r}, expected NAME: VALUE")
    return text


def add_scenario(parser: Any) -> None:
    """Add the scenario as an option, for Locust; `python -m load` takes it by itself."""
    parser.add_argument(
        "--scenario",
        choices=scenarios.NAMES,
        default="steady",
        env_var="LOAD_SCENARIO",
        help="what to do",
    )


def add(parser: Any) -> None:
    """Add the options to Locust's parser (and to its page), or to one of argparse.

    Each can be set by a variable of the environment, too, such as ``LOAD_RATE``.
    """

    def option(name: str, **about: Any) -> None:
        if type(parser) is not argparse.ArgumentParser:  # but Locust's, which knows them
            about["env_var"] = "LOAD" + name[1:].replace("-", "_").upper()
        parser.add_argument(name, **about)

    option(
        "--loop",
        choices=("open", "closed"),
        default="open",
        help="open: requests come when they are due (the default); closed: each user "
        "sends again once it is answered",
    )
    option(
        "--rate",
        type=positive,
        help="requests a second in the open loop "
        f"(default: {scenarios.USUAL_RATE:g}; find-max looks for it)",
    )
    option(
        "--arrivals",
        choices=arrivals.KINDS,
        default="poisson",
        help="of independent clients, or at equal distances (default: poisson)",
    )
    option(
        "--seconds",
        type=positive,
        help="how long, without the warm-up; find-max: each window (default: "
        f"{scenarios.USUAL_SECONDS:g}; smoke 5, steps 60, soak 1800, find-max 10)",
    )
    option(
        "--warm-up",
        type=not_negative,
        default=5.0,
        help="seconds that are left out at the start (default: 5)",
    )
    option(
        "--peak", type=positive, default=5.0, help="of spike: times the rate (default: 5)"
    )
    option("--payload", choices=payloads.NAMES, default="json", help="(default: json)")
    option("--batch", type=count, default=1, help="images a request (default: 1)")
    option(
        "--limit",
        type=limit,
        action="append",
        default=[],
        metavar="LIMIT",
        help="such as 'p99<10ms', 'errors<0.1%%' or 'rate>950/s'; can be given several "
        "times (default: 'p99<100ms'; and 'errors<=0' where none is of errors)",
    )
    option("--seed", type=int, default=1, help="of the arrivals (default: 1)")
    option(
        "--header",
        type=header,
        action="append",
        default=[],
        metavar="'NAME: VALUE'",
        help="sent with every request, such as 'Authorization: Bearer KEY'",
    )
    option("--output", default="", metavar="FOLDER", help="for the reports")
