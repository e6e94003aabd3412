"""What a report is made of, for any format."""

from dataclasses import dataclass, field

from load.report.figures import Figure


@dataclass
class Table:
    """A table: the first column is text, the others are numbers unless it is ``words``."""

    head: list[str]
    rows: list[list[str]]
    words: bool = False


@dataclass
class Section:
    """A part of the report."""

    title: str
    says: list[str] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)
