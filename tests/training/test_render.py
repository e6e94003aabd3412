"""Markdown to one page, and figures to files."""

from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from training import render


class Reader(HTMLParser):
    """Collects the attributes of every tag by its name."""

    def __init__(self, page):
        super().__init__()
        self.found = {}
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.found.setdefault(tag, []).append(dict(attributes))


@pytest.fixture
def page(tmp_path):
    Image.new("L", (2, 2)).save(tmp_path / "dot.png")
    text = "# A & B\n\n## What it is\n\n![a dot](dot.png) <script>\n"
    return render.page(text, tmp_path)


def test_page_needs_nothing_but_itself(page):
    found = Reader(page).found
    assert "script" not in found
    addresses = [a.get("src") or a.get("href") for a in found["img"] + found["link"]]
    assert all(address.startswith("data:") for address in addresses)
    assert "url(" not in page
    assert "@import" not in page


def test_page_has_an_anchor_for_every_heading(page):
    assert {"id": "what-it-is"} in Reader(page).found["h2"]
    assert "<title>A &amp; B</title>" in page


@pytest.mark.parametrize("suffix", ["svg", "png"])
def test_the_same_figure_gives_the_same_bytes(tmp_path, suffix):
    files = [tmp_path / f"{name}.{suffix}" for name in "ab"]
    for file in files:
        with render.drawing(file, 2, 2) as figure:
            figure.subplots().plot([1, 2], label="x")
    assert files[0].read_bytes() == files[1].read_bytes()


def test_logarithmic_ticks_are_plain_numbers(tmp_path):
    with render.drawing(tmp_path / "a.svg", 4, 4) as figure:
        axes = figure.subplots()
        axes.semilogy(np.geomspace(0.03, 3, 9))
        render.log_ticks(axes.yaxis)
    words = (tmp_path / "a.svg").read_text()
    assert all(
        f">{tick}</text>" in words for tick in ("0.05", "0.1", "0.2", "0.5", "1", "2")
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.08333333333333333, "0.083333"),
        (300, "300"),
        ([128, 64], "128, 64"),
        ({"epochs": 24, "distortion": {"shift": 0.5}}, "epochs 24, distortion (shift 0.5)"),
    ],
)
def test_values_of_a_manifest_are_a_line(value, text):
    assert render.plain(value) == text
