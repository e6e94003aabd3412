from html.parser import HTMLParser

import pytest

from training.report import html
from training.report.document import (
    Document,
    Figure,
    Paragraph,
    Section,
    Table,
    fill,
    markdown,
)

SMALL = Document(
    "mnist & more",
    [
        Section(
            "What it is",
            [
                Paragraph("a `b < c` and **d**"),
                Figure("<svg></svg>", "a picture"),
                Table(["x", "y"], [["a", "1"], ["b", "2"]], shades=[[0.25], [0]]),
            ],
        )
    ],
)


class Reader(HTMLParser):
    """Collects tags and text, and checks that every tag is closed in turn."""

    VOID = frozenset({"meta", "link", "img", "br"})

    def __init__(self):
        super().__init__()
        self.open, self.tags, self.text = [], [], []

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, text):
        self.text.append(text)


@pytest.fixture(scope="module")
def read():
    reader = Reader()
    reader.feed(html.page(SMALL))
    assert not reader.open
    return reader


def test_markdown_has_sentences_and_tables_and_no_pictures():
    assert markdown(SMALL) == (
        "# mnist & more\n\n## What it is\n\na `b < c` and **d**\n\n"
        "| x | y |\n| --- | ---: |\n| a | 1 |\n| b | 2 |\n"
    )


def test_page_escapes_what_is_text(read):
    assert "b < c" in read.text
    assert ("code", {}) in read.tags
    assert ("strong", {}) in read.tags
    assert "mnist & more" in read.text


def test_page_leads_to_its_sections(read):
    anchors = {attributes["href"] for tag, attributes in read.tags if tag == "a"}
    sections = {f"#{attributes['id']}" for tag, attributes in read.tags if tag == "section"}
    assert anchors == sections == {"#what-it-is"}


def test_page_needs_nothing_but_itself(read):
    assert "script" not in {tag for tag, _ in read.tags}
    for _, attributes in read.tags:
        for name in ("src", "href"):
            assert attributes.get(name, "#").startswith(("#", "data:"))
    assert "url(" not in html.page(SMALL)
    assert "@import" not in html.page(SMALL)


def test_a_shaded_cell_says_how_dark(read):
    styles = [a["style"] for _, a in read.tags if "style" in a]
    assert styles == ["--shade:25%"]


def test_fill_makes_one_line():
    assert fill("\na {x:.1f}\nb", x=2) == "a 2.0 b"
