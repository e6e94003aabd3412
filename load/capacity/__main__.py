"""Replicas for a load: ``python -m load.capacity --rate 5000 --limit "p99<10ms"``.

From the service times that `make capacity` has measured, by simulation.
"""

import argparse

from load.capacity import measured
from load.capacity.admission import MAX_WAIT_S
from load.capacity.measured import Kind
from load.capacity.plan import Expected, Plan, plan
from load.capacity.proxy import LEAST, POLICIES
from load.capacity.simulation import Farm
from load.limits import Limit, complete, parse
from load.peers.tables import table


def options() -> argparse.ArgumentParser:
    """Return what reads the command line."""
    parser = argparse.ArgumentParser(prog="python -m load.capacity", description=__doc__)
    parser.add_argument("--rate", type=float, required=True, help="requests/s")
    parser.add_argument(
        "--limit", action="append", default=[], help="such as p99<10ms; more than one"
    )
    parser.add_argument("--payload", default="json", help="json, raw or png")
    parser.add_argument("--batch", type=int, default=1, help="images a request")
    parser.add_argument("--workers", type=int, default=1, help="of a replica, each a core")
    parser.add_argument("--policy", choices=POLICIES, default=LEAST, help="of the proxy")
    return parser


def text(kind: Kind, rate: float, limits: list[Limit], farm: Farm, found: Plan) -> str:
    """Return the answer."""
    kept = " and ".join(limit.text for limit in limits)
    replicas = found.all.replicas
    lines = [
        f"{rate:,.0f} requests/s of {kind.title}, {kept}: {replicas} replicas of "
        f"{farm.workers} worker{'s' * (farm.workers > 1)}, {replicas * farm.workers} "
        "cores; one of them may be lost.",
        "",
        table(
            ["", "of the most", "p50 ms", "p99 ms", "refused"],
            [_row("all", found.all), _row("one lost", found.lost)],
        ),
    ]
    return "\n".join(lines)


def _row(name: str, found: Expected) -> list[str]:
    p50, p99 = found.tally.latency.percentiles([50, 99])
    refused = found.tally.failed / found.tally.due
    return [
        f"{found.replicas} ({name})",
        f"{found.share:.0%}",
        f"{p50:.2f}",
        f"{p99:.2f}",
        f"{refused:.2%}",
    ]


def main() -> None:
    """Answer, or say what is wrong with the question (exit code 2)."""
    parser = options()
    asked = parser.parse_args()
    farm = Farm(1, asked.workers, asked.policy, most_wait_s=MAX_WAIT_S)
    try:
        limits = [parse(each) for each in complete(asked.limit)]
        kind = measured.find(measured.kinds(measured.load()), asked.payload, asked.batch)
        found = plan(kind, asked.rate, limits, farm)
    except ValueError as error:
        parser.error(str(error))
    print(text(kind, asked.rate, limits, farm, found))


if __name__ == "__main__":
    main()
