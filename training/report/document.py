"""A document of sections, written as HTML or as Markdown from one set of sentences.

Sentences may mark ``code`` with backticks and **strong** words with two asterisks.
"""

from collections.abc import Collection, Sequence
from typing import NamedTuple


class Paragraph(NamedTuple):
    """Sentences."""

    text: str


class Table(NamedTuple):
    """Cells of text, some columns words and the others numbers.

    Attributes:
        head: the columns' names.
        rows: the cells.
        words: the columns that are words, from 0; they stand to the left.
        shades: how dark the ground of each cell is but for the first of a row, from 0 to 1;
            only in HTML.
    """

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    words: Collection[int] = (0,)
    shades: Sequence[Sequence[float]] = ()


class Figure(NamedTuple):
    """What only the page can show; a table says the same in Markdown.

    Attributes:
        html: the picture: SVG, or pictures in HTML.
        caption: what it shows.
    """

    html: str
    caption: str


class Section(NamedTuple):
    """A heading and what stands below it."""

    title: str
    blocks: Sequence[Paragraph | Table | Figure]


class Document(NamedTuple):
    """The whole report."""

    title: str
    sections: Sequence[Section]


def fill(template: str, **values: object) -> str:
    """Fill a template's fields in, and make one line of it."""
    return " ".join(template.format(**values).split())


def percent(fraction: float, digits: int = 2) -> str:
    """Write a fraction as a percentage: ``97.42 %``."""
    return f"{100 * fraction:.{digits}f} %"


def markdown(document: Document) -> str:
    """Write a document as Markdown."""
    parts = [f"# {document.title}\n"]
    for section in document.sections:
        parts.append(f"## {section.title}\n")
        for block in section.blocks:
            if isinstance(block, Paragraph):
                parts.append(f"{block.text}\n")
            elif isinstance(block, Table):
                parts.append(markdown_table(block))
    return "\n".join(parts)


def markdown_table(table: Table) -> str:
    """Write a table as Markdown."""
    rule = ["---" if i in table.words else "---:" for i in range(len(table.head))]
    return "".join(f"| {' | '.join(row)} |\n" for row in [table.head, rule, *table.rows])
