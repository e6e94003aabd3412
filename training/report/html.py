"""A document as one HTML page that needs nothing but itself."""

import re
from collections.abc import Sequence
from html import escape
from pathlib import Path

from training.report.document import Document, Figure, Paragraph, Section, Table

STYLE = Path(__file__).with_name("style.css")


def page(document: Document) -> str:
    """Write a document as an HTML page: style inside, no script, nothing from elsewhere."""
    body = "\n".join(_section(section) for section in document.sections)
    links = "\n".join(
        f'<li><a href="#{_anchor(section.title)}">{escape(section.title)}</a></li>'
        for section in document.sections
    )
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(document.title)}</title>
<link rel="icon" href="data:,">
<style>
{STYLE.read_text()}</style>
</head>
<body>
<main>
<h1>{escape(document.title)}</h1>
<nav aria-label="Sections"><ul>
{links}
</ul></nav>
{body}
</main>
</body>
</html>
"""


def text(sentences: str) -> str:
    """Write sentences as HTML: escaped, with code and strong words."""
    marked = re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(sentences, quote=False))
    return re.sub(r"\*\*([^*]+)\*\*", r"<strong>\1</strong>", marked)


def _section(section: Section) -> str:
    title = section.title
    blocks = "\n".join(_block(block, title) for block in section.blocks)
    return (
        f'<section id="{_anchor(title)}">\n<h2>{escape(title)}</h2>\n{blocks}\n</section>'
    )


def _block(block: Paragraph | Table | Figure, title: str) -> str:
    if isinstance(block, Paragraph):
        return f"<p>{text(block.text)}</p>"
    if isinstance(block, Figure):
        caption = f"<figcaption>{text(block.caption)}</figcaption>"
        return f"<figure>\n{block.html}\n{caption}\n</figure>"
    return _table(block, title)


def _table(table: Table, title: str) -> str:
    # What is too wide for a telephone scrolls by itself, also by keyboard.
    head = "".join(
        f'<th scope="col"{_kind(i, table)}>{text(cell)}</th>'
        for i, cell in enumerate(table.head)
    )
    rows = "\n".join(_row(row, i, table) for i, row in enumerate(table.rows))
    label = escape(f"{title}: table")
    return (
        f'<div class="wide" role="region" aria-label="{label}" tabindex="0">\n'
        f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody>\n</table>\n"
        "</div>"
    )


def _row(row: Sequence[str], number: int, table: Table) -> str:
    cells = [f'<th scope="row"{_kind(0, table)}>{text(row[0])}</th>']
    for i, cell in enumerate(row[1:], start=1):
        shade = table.shades[number][i - 1] if table.shades else 0
        style = f' style="--shade:{shade:.0%}"' if shade else ""
        cells.append(f"<td{_kind(i, table)}{style}>{text(cell)}</td>")
    return f"<tr>{''.join(cells)}</tr>"


def _kind(column: int, table: Table) -> str:
    return ' class="word"' if column in table.words else ""


def _anchor(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
