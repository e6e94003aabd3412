"""The service beside other Python model servers: ``python -m bench peers``."""

import argparse
import subprocess
from collections.abc import Sequence

from bench.harness import cores, results
from bench.harness.results import say
from bench.harness.server import ServerError
from bench.peers import chart, clients, environment, measure, report
from bench.peers.items import ITEMS
from bench.peers.measure import MAIN, Plan, Record
from bench.peers.servers import OWN, PEERS


def main(argv: Sequence[str] | None = None) -> None:
    """Install what is missing, measure, and write the three files of the report."""
    plan = _plan(argv)
    cores.require("wrk")
    record = _record(plan)
    for peer in plan.servers:
        try:
            environment.install(peer)
        except ServerError as error:
            say(f"{peer.name} could not be installed: {error}")
            record["failed"][peer.name] = str(error)
        record["versions"][peer.name] = environment.versions(peer)
    measure.closed(plan, record)
    write(record)  # an interruption of what follows leaves this
    if MAIN in plan.items:
        measure.open_loop(plan, record)
        clients.measure(plan, record)
    if OWN in plan.servers and MAIN in plan.items:
        measure.workers(plan, record)
    write(record)


def write(record: Record) -> None:
    """Write figures, tables and chart."""
    results.write("bench", record, report.markdown(record))
    chart.draw(record, results.FOLDER / "bench.svg")


def _plan(argv: Sequence[str] | None) -> Plan:
    parser = argparse.ArgumentParser(prog="python -m bench peers", description=__doc__)
    names = [peer.name for peer in PEERS]
    kinds = [item.name for item in ITEMS]
    parser.add_argument("--rounds", type=int, default=5, help="(default: 5)")
    # wrk takes whole seconds; 5 hold thousands of requests of the slowest server.
    parser.add_argument("--seconds", type=int, default=5, help="a measurement (default: 5)")
    parser.add_argument("--servers", nargs="+", choices=names, default=names)
    parser.add_argument("--items", nargs="+", choices=kinds, default=kinds)
    options = parser.parse_args(argv)
    return Plan(
        [peer for peer in PEERS if peer.name in options.servers],
        [item for item in ITEMS if item.name in options.items],
        options.rounds,
        options.seconds,
    )


def _record(plan: Plan) -> Record:
    return {
        "machine": {**results.machine(), "wrk": _wrk()},
        "settings": {
            "rounds": plan.rounds,
            "seconds": plan.seconds,
            "items": [item.name for item in plan.items],
        },
        "versions": {},
        "failed": {},
        "rounds": [],
        "open_loop": [],
        "clients": [],
        "workers": [],
    }


def _wrk() -> str:
    # It prints its version with a usage text, and exits with 1.
    output = subprocess.run(["wrk", "-v"], capture_output=True, text=True).stdout
    return " ".join(output.split()[:2])


if __name__ == "__main__":
    main()
