"""The options of a load test, beside Locust's own."""

import argparse
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from load import arrivals, limits, payloads, scenarios

HOST = "http://127.0.0.1:8000"
# What only a scenario heeds; of Locust's own users it would change nothing.
SCENARIOS_ONLY = (
    *("loop", "rate", "arrivals", "seconds", "warm_up", "peak", "payload", "batch"),
    *("seed", "stages"),
)


class OptionError(ValueError):
    """Options do not fit together; the text says what was found and what is expected."""


def variables(environment: Mapping[str, str]) -> dict[str, str]:
    """Return what variables such as ``LOAD_RATE`` say of a scenario, by option."""
    names = {f"LOAD_{name.upper()}": name for name in (*SCENARIOS_ONLY, "images")}
    return {name: environment[v] for v, name in names.items() if environment.get(v)}


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


def resolved(given: Any, users: int, run_time: float | None = None) -> Any:
    """Return the options with what was not said filled in, checked together.

    Those that are given stay as they are: Locust's page sends them again, as text.

    Args:
        given: of the command line, the environment, or Locust's page.
        users: Locust's, which are a scenario's connections.
        run_time: seconds until Locust ends by itself (``-t``).

    Raises:
        OptionError: says what was found and what is expected.
    """
    asked = argparse.Namespace(**vars(given))
    asked.users, asked.run_time = users, run_time
    if asked.stages and not asked.scenario:
        asked.scenario = scenarios.stages.__name__
    try:
        named = [limit(text) for each in _several(given.limit) for text in each.split(",")]
        asked.limit = limits.complete(named)
        asked.header = [header(text) for text in _several(given.header)]
        if asked.scenario:
            _resolve_scenario(asked)
        else:
            _refuse_scenarios(vars(asked))
    except (ValueError, argparse.ArgumentTypeError) as error:
        raise OptionError(str(error)) from error
    return asked


def _several(value: list[str] | str | None) -> list[str]:
    return [each for each in ([value] if isinstance(value, str) else value or []) if each]


def _resolve_scenario(asked: argparse.Namespace) -> None:
    payloads.chosen(asked.payload, asked.batch)
    usual = scenarios.SECONDS.get(asked.scenario, scenarios.USUAL_SECONDS)
    asked.seconds = positive(str(asked.seconds or usual))
    asked.rate = positive(str(asked.rate or scenarios.USUAL_RATE))
    asked.warm_up, asked.peak = not_negative(str(asked.warm_up)), positive(str(asked.peak))
    if bool(asked.stages) != (asked.scenario == scenarios.stages.__name__):
        raise ValueError(
            f"found --stages {asked.stages!r} with the scenario {asked.scenario}, expected "
            f"both or neither: stages --stages {scenarios.STAGES_EXAMPLE}"
        )
    if asked.scenario == scenarios.FIND_MAX:
        if asked.run_time:
            raise ValueError("found -t, expected none: find-max takes as long as it takes")
        return
    loads = scenarios.SCENARIOS[asked.scenario](asked)
    needed = sum(load.seconds for load in loads)
    if asked.run_time and asked.run_time < needed:
        raise ValueError(
            f"-t is too short: {asked.scenario} needs {needed:g} s, got "
            f"{asked.run_time:g}; leave it out, a scenario ends by itself (--seconds and "
            "--warm-up shorten it)"
        )
    most = max(load.users or 0 for load in loads)
    if most > asked.users:
        raise ValueError(
            f"found {most} users for {asked.users} connections, expected as many at most"
        )


def _refuse_scenarios(asked: Mapping[str, Any]) -> None:
    """Refuse what would change nothing without a scenario."""
    parser = argparse.ArgumentParser()
    add(parser)
    for name in SCENARIOS_ONLY:
        usual, value = parser.get_default(name), asked[name]
        if value not in (None, "") and str(value) != str(usual):
            raise ValueError(
                f"found --{name.replace('_', '-')} {value} but no --scenario: "
                "-u, -r and -t shape the load of Locust's own users"
            )


def add_scenario(parser: Any) -> None:
    """Add the scenario as an option, for Locust; `python -m load` takes it by itself."""
    parser.add_argument(
        "--scenario",
        choices=("", *scenarios.NAMES),
        default="",
        metavar="NAME",
        env_var="LOAD_SCENARIO",
        help=f"a schedule in place of Locust's own users: {', '.join(scenarios.NAMES)}",
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
        "--limit",
        type=limit,
        action="append",
        metavar="LIMIT",
        help="such as 'p99<10ms', 'errors<0.1%%' or 'rate>950/s'; can be given several "
        "times (default: 'p99<100ms'; and 'errors<=0' where none is of errors)",
    )
    option("--output", default="", metavar="FOLDER", help="for the reports")
    option(
        "--images",
        default="",
        metavar="FOLDER",
        help="your own PNG and JPEG files instead of drawn digits; the name of a file's "
        "folder, 0 to 9, is the digit that must be read in it",
    )
    option(
        "--header",
        type=header,
        action="append",
        metavar="'NAME: VALUE'",
        help="sent with every request, such as 'Authorization: Bearer KEY'",
    )
    option(
        "--stages",
        default="",
        metavar="TIME:RATE,...",
        help=f"of the scenario stages: your own load, such as {scenarios.STAGES_EXAMPLE}",
    )
    option(
        "--rate",
        type=positive,
        help="requests a second in the open loop "
        f"(default: {scenarios.USUAL_RATE:g}; find-max looks for it)",
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
        "--loop",
        choices=("open", "closed"),
        default="open",
        help="open: requests come when they are due (the default); closed: each user "
        "sends again once it is answered",
    )
    option(
        "--arrivals",
        choices=arrivals.KINDS,
        default="poisson",
        help="of independent clients, or at equal distances (default: poisson)",
    )
    option(
        "--peak", type=positive, default=5.0, help="of spike: times the rate (default: 5)"
    )
    option("--payload", choices=payloads.NAMES, default="json", help="(default: json)")
    option("--batch", type=count, default=1, help="images a request (default: 1)")
    option("--seed", type=int, default=1, help="of the arrivals (default: 1)")
