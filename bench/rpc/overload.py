"""More calls than it can do: ``python -m bench rpc-overload``.

The service with ``MNIST_GRPC_BIND`` on one core, the client on the other, 256 images a
call: a client in Python cannot make twice as many small calls as the service can answer.
First the capacity, from what the server's core takes for a call of a closed loop; then
twice that rate, at which every other client may be in a hurry: it cancels its call after so
many milliseconds, or has told the service that it will (a deadline). Goodput counts the
answers that arrived. What was computed beyond these, by the service's own count, was
computed for nobody.
"""

import argparse
import json
import subprocess
from collections.abc import Sequence
from typing import Any, NamedTuple

from bench.chaos import watch
from bench.harness import cores, results
from bench.harness.cores import GENERATOR_CORE, ROOT, Command, on
from bench.harness.results import say, table
from bench.harness.server import free_port
from bench.overload import OVER, count
from bench.rpc.__main__ import PYTHON, own

IMAGES = 256
CAPACITY_SECONDS = 5
Record = dict[str, Any]


class Case(NamedTuple):
    """A row: what every other client does after so many milliseconds."""

    title: str
    leave_ms: int = 0
    how: str = "wait"


CASES = (
    Case("nobody in a hurry"),
    Case("half have a deadline of 20 ms", 20, "deadline"),
    Case("half cancel after 20 ms", 20, "cancel"),
    Case("half cancel after 2 ms", 2, "cancel"),
    Case("half cancel at once", 0, "cancel"),
)


def ask(module: str, *arguments: object) -> Any:
    """Run a client on its core, and return what it prints."""
    command: Command = [PYTHON, "-m", f"bench.rpc.{module}", *map(str, arguments)]
    done = subprocess.run(
        on(GENERATOR_CORE, command), cwd=ROOT, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def run(case: Case, seconds: int) -> Record:
    """Measure one case on a server of its own."""
    port = free_port()
    with own(port) as server:
        closed = "client", port, IMAGES, "raw"
        ask(*closed, 1)  # warm up
        before = server.core_seconds()
        calls = ask(*closed, CAPACITY_SECONDS)
        capacity = calls / (server.core_seconds() - before)
        first = watch.metrics(server)
        statuses = ask("late", port, IMAGES, OVER * capacity, seconds, *case[1:])
        counted = count(first, watch.metrics(server), IMAGES)
    answered = statuses.get("OK", 0)
    counted["for_nobody"] = counted["computed"] - answered
    goodput = answered / seconds / capacity
    return {"capacity": capacity, "goodput": goodput, "statuses": statuses, **counted}


def markdown(record: dict[str, Record]) -> str:
    """Return the table."""
    names = sorted({name for one in record.values() for name in one["statuses"]})
    counts = ("computed", "client_gone", "too_late", "for_nobody")
    rows = [
        [
            title,
            f"{one['capacity']:.0f}",
            f"{one['goodput']:.0%}",
            *(one["statuses"].get(name, 0) for name in names),
            *(one[name] for name in counts),
        ]
        for title, one in record.items()
    ]
    head = ["", "capacity/s", "goodput", *names, "computed", "client gone", "too late"]
    start = results.heading("More calls than it can do", "rpc-overload", __doc__)
    return start + "\n" + table([*head, "computed for nobody"], rows)


def main(argv: Sequence[str] | None = None) -> None:
    """Measure every case, and write the figures and the table."""
    parser = argparse.ArgumentParser(prog="python -m bench rpc-overload")
    parser.add_argument("--seconds", type=int, default=60, help="of overload, each")
    options = parser.parse_args(argv)
    cores.require()
    record = {}
    for case in CASES:
        record[case.title] = run(case, options.seconds)
        say(f"{case.title}: {record[case.title]}")
    results.write("rpc_overload", record, markdown(record))


if __name__ == "__main__":
    main()
