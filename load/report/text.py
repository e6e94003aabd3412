"""Text for a terminal, and for Markdown."""

import re

from load.report.parts import Table


def printable(text: str) -> str:
    """Return text in one line without control characters: it may be a server's."""
    line = " ".join(text.split())
    return "".join(letter if letter.isprintable() else "�" for letter in line)


def escape(text: str) -> str:
    """Return text that Markdown shows as it is."""
    return re.sub(r"([\\`*_<>\[\]|#&])", r"\\\1", printable(text))


def table(made: Table) -> str:
    """Return a table in Markdown with aligned columns, so that it reads well as text."""
    rows = [[escape(cell) for cell in row] for row in [made.head, *made.rows]]
    widths = [max(3, *map(len, column)) for column in zip(*rows)]
    left = [made.words or not column for column in range(len(widths))]
    rule = ["-" * w if words else "-" * (w - 1) + ":" for w, words in zip(widths, left)]
    forms = [f"{'<' if words else '>'}{w}" for w, words in zip(widths, left)]
    lines = [map(format, row, forms) for row in [rows[0], rule, *rows[1:]]]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
