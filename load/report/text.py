"""The report in Markdown."""

import re
from collections.abc import Collection

from load.record import Record
from load.report import words
from load.report.parts import Section, Table
from load.report.sections import sections
from load.report.words import KEPT


def summary(record: Record) -> str:
    """Return what a terminal has room for: the verdict and the latencies."""
    wanted = {"Highest rate", "Latency"} if record.found else {"Latency", "Phases"}
    return markdown(record, wanted)


def markdown(record: Record, wanted: Collection[str] | None = None) -> str:
    """Return the report of a run in Markdown, without its figures.

    Args:
        record: the run.
        wanted: the titles of its sections; all by default.
    """
    parts = [
        f"# Load test: {escape(record.scenario)}\n\n**{escape(words.verdict(record))}**\n"
    ]
    verdict = record.verdict
    if verdict.invalid:
        parts.append("".join(f"- ⚠ {escape(why)}\n" for why in verdict.invalid))
    if verdict.limits:
        lines = [
            f"- {KEPT[kept]} `{limit}`: {escape(seen)}\n"
            for limit, seen, kept in verdict.limits
        ]
        parts.append("".join(lines))
    parts.append(f"{escape(words.asked(record))}; {escape(record.started)}.\n")
    parts += [
        _section(section)
        for section in sections(record)
        if (section.says or section.tables) and (wanted is None or section.title in wanted)
    ]
    return "\n".join(parts)


def escape(text: str) -> str:
    """Return text that Markdown shows as it is: what a server has answered may be in it."""
    return re.sub(r"([\\`*_<>\[\]|#&])", r"\\\1", " ".join(text.split()))


def table(made: Table) -> str:
    """Return a table."""
    rule = ["---"] + ["---" if made.words else "---:"] * (len(made.head) - 1)
    rows = [[escape(cell) for cell in row] for row in [made.head, *made.rows]]
    return "".join(f"| {' | '.join(row)} |\n" for row in [rows[0], rule, *rows[1:]])


def _section(section: Section) -> str:
    says = [escape(text) + "\n" for text in section.says]
    return "\n".join([f"## {section.title}\n", *says, *map(table, section.tables)])
