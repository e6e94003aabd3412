"""What a report is made of, for any format."""

from typing import NamedTuple


class Table(NamedTuple):
    """A table: the first column is text, the others are numbers unless it is ``words``."""

    head: list[str]
    rows: list[list[str]]
    words: bool = False


class Section(NamedTuple):
    """A part of the report: sentences, then tables."""

    title: str
    text: list[str] = []
    tables: list[Table] = []
