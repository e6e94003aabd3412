"""Where results go, and how they are written: tables, percentiles, the machine."""

import datetime
import json
import math
import os
import platform
import re
import sys
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

import service

FOLDER = Path(__file__).resolve().parents[1] / "results"
PACKAGES = ("onnxruntime", "gunicorn")  # pinned alike in the service's environment


def write(name: str, record: dict[str, Any], markdown: str, folder: Path = FOLDER) -> str:
    """Write a record as ``NAME.json`` and its tables as ``NAME.md``; return the tables.

    Both say when and on what it was measured: `machine`, unless the record has its own.
    """
    record = {"machine": machine()} | record
    title, _, rest = markdown.partition("\n\n")
    text = f"{title}\n\n{describe(record['machine'])}.\n\n{rest}"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps(record, indent=1) + "\n")
    (folder / f"{name}.md").write_text(text)
    say(f"wrote {name}.json and {name}.md in {os.path.relpath(folder)}")
    return text


def say(text: str) -> None:
    """Print progress on standard error."""
    print(text, file=sys.stderr, flush=True)


def heading(title: str, program: str, docstring: str | None) -> str:
    """Return the start of a report: what made it, and how.

    Args:
        title: of the report.
        program: its name in ``python -m bench``.
        docstring: of the program; what follows its first paragraph says how it measures.
    """
    about = (docstring or "").partition("\n\n")[2]
    return f"# {title}\n\n`make bench WHAT={program}`\n\n{about}"


def table(head: Sequence[str], rows: Iterable[Sequence[object]], text: int = 1) -> str:
    """Return a Markdown table that ends with a line break.

    Args:
        head: titles of the columns.
        rows: the cells of each row; a line break or a bar in one is made harmless.
        text: how many columns, from the left, are text; the others are numbers.
    """
    rule = ["---"] * text + ["---:"] * (len(head) - text)
    cells = [[_cell(each) for each in row] for row in (head, *rows)]
    cells.insert(1, rule)
    return "".join(f"| {' | '.join(row)} |\n" for row in cells)


def _cell(value: object) -> str:
    return " ".join(str(value).replace("|", "\\|").split())


def percentile(ordered: Sequence[float], percent: float) -> float:
    """Return the smallest value that ``percent`` of the ordered values do not exceed.

    NaN if there are none.
    """
    if not len(ordered):
        return math.nan
    return ordered[max(math.ceil(len(ordered) * percent / 100), 1) - 1]


def spread(values: Iterable[float], digits: int = 0, unit: float = 1) -> str:
    """Return the median with least and greatest: ``1,200 (1,150 – 1,260)``."""
    ordered = sorted(value / unit for value in values)
    middle, least, most = (
        f"{value:,.{digits}f}" for value in (median(ordered), ordered[0], ordered[-1])
    )
    return f"{middle} ({least} – {most})"


def machine() -> dict[str, Any]:
    """Return the date, processor, cores, kernel, and versions of Python and packages."""
    return {
        "date": datetime.date.today().isoformat(),
        "cpu": _processor(),
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "packages": {"service": service.__version__}
        | {name: version(name) for name in PACKAGES},
    }


def describe(found: dict[str, Any]) -> str:
    """Return what `machine` found, in a line."""
    packages = "".join(f", {name} {number}" for name, number in found["packages"].items())
    return (
        f"{found['date']}, {found['cpu']}, {found['cores']} cores, "
        f"Linux {found['kernel']}, Python {found['python']}{packages}"
    )


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:  # macOS
        return platform.processor()
    found = re.search(r"^model name\s*: (.+)$", text, re.M)
    return found[1] if found else platform.machine()
