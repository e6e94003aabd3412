"""Parts of the report's tables."""

from collections.abc import Iterable
from statistics import median
from typing import Any

from bench.peers.servers import OWN, SERVERS

Record = dict[str, Any]


def present(record: Record) -> list[str]:
    """Return the names of the servers that were measured, in their order."""
    failed = record["failed"]
    return [name for name in record["versions"] if name not in failed]


def spread(values: Iterable[float], digits: int = 0, unit: float = 1) -> str:
    """Return the median with least and greatest: ``1,200 (1,150 – 1,260)``."""
    ordered = sorted(value / unit for value in values)
    middle, least, most = (
        f"{value:,.{digits}f}" for value in (median(ordered), ordered[0], ordered[-1])
    )
    return f"{middle} ({least} – {most})"


def table(head: list[str], rows: Iterable[list[str]]) -> str:
    """Return a Markdown table whose first column is text and whose others are numbers."""
    rule = ["---"] + ["---:"] * (len(head) - 1)
    return "".join(f"| {' | '.join(row)} |\n" for row in [head, rule, *rows])


def title(name: str) -> str:
    """Return a server's title."""
    (server,) = (server for server in SERVERS if server.name == name)
    return f"**{server.title}**" if name == OWN else server.title
