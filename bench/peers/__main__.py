"""``python -m bench.peers``: measure the service beside other Python model servers."""

import argparse
import datetime
import json
import os
import platform
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

from bench.peers import chart, environment, measure, report
from bench.peers.environment import UnavailableError
from bench.peers.items import ITEMS
from bench.peers.measure import MAIN, Plan, Record, say
from bench.peers.servers import SERVERS

RESULTS = Path(__file__).resolve().parents[1] / "results"


def main() -> None:
    """Install what is missing, measure, and write the three files of the report."""
    plan = _plan()
    record = _record(plan)
    for server in plan.servers:
        try:
            environment.install(server)
        except UnavailableError as error:
            say(f"{server.name} could not be installed: {error}")
            record["failed"][server.name] = str(error)
        record["versions"][server.name] = environment.versions(server)
    measure.closed(plan, record)
    write(record)  # an interruption of what follows leaves this
    if MAIN in plan.items:
        measure.open_loop(plan, record)
    if SERVERS[0] in plan.servers and MAIN in plan.items:
        measure.workers(plan, record)
    write(record)


def write(record: Record) -> None:
    """Write figures, tables and chart."""
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "bench.json").write_text(json.dumps(record, indent=1) + "\n")
    (RESULTS / "bench.md").write_text(report.markdown(record))
    chart.draw(record, RESULTS / "bench.svg")
    say(f"wrote bench.json, bench.md and bench.svg in load/{RESULTS.name}")


def _plan() -> Plan:
    parser = argparse.ArgumentParser(prog="python -m bench.peers", description=__doc__)
    names = [server.name for server in SERVERS]
    kinds = [item.name for item in ITEMS]
    parser.add_argument("--rounds", type=_positive, default=5, help="(default: 5)")
    # wrk takes whole seconds; 5 hold thousands of requests of the slowest server.
    parser.add_argument(
        "--seconds", type=_positive, default=5, help="of a measurement (default: 5)"
    )
    parser.add_argument("--servers", type=_some(names), default=names, help=",".join(names))
    parser.add_argument("--items", type=_some(kinds), default=kinds, help=",".join(kinds))
    parser.add_argument("--quick", action="store_true", help="1 round of 2 s: does it run?")
    options = parser.parse_args()
    rounds, seconds = (1, 2) if options.quick else (options.rounds, options.seconds)
    _need_tools(parser)
    return Plan(
        [server for server in SERVERS if server.name in options.servers],
        [item for item in ITEMS if item.name in options.items],
        rounds,
        seconds,
    )


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"found {value}, expected at least 1")
    return value


def _some(known: list[str]) -> Any:
    def parse(text: str) -> list[str]:
        names = text.split(",")
        if strangers := sorted(set(names) - set(known)):
            raise argparse.ArgumentTypeError(
                f"found {', '.join(strangers)}, expected some of {', '.join(known)}"
            )
        return names

    return parse


def _need_tools(parser: argparse.ArgumentParser) -> None:
    for tool in ("wrk", "taskset"):
        if not shutil.which(tool):
            parser.error(f"found no {tool}, expected it on the PATH (a package of Debian)")
    cores = os.sched_getaffinity(0)
    if not {0, 1} <= cores:
        parser.error(f"found the cores {sorted(cores)}, expected 0 and 1 among them")


def _record(plan: Plan) -> Record:
    return {
        "date": datetime.date.today().isoformat(),
        "machine": {
            "cpu": _cpu(),
            "cores": os.cpu_count(),
            "kernel": platform.release(),
            "python": platform.python_version(),
            "wrk": _wrk(),
        },
        "settings": {
            "rounds": plan.rounds,
            "seconds": plan.seconds,
            "items": [item.name for item in plan.items],
        },
        "versions": {},
        "failed": {},
        "rounds": [],
        "open_loop": [],
        "workers": [],
    }


def _cpu() -> str:
    found = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.M)
    return found[1] if found else platform.machine()


def _wrk() -> str:
    # It prints its version with a usage text, and exits with 1.
    output = subprocess.run(["wrk", "-v"], capture_output=True, text=True).stdout
    return " ".join(output.split()[:2])


if __name__ == "__main__":
    main()
