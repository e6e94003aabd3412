"""The form of the documents: length, tables of contents, links."""

import re

FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^(#+) (.+)$", re.MULTILINE)
LINK = re.compile(r"\]\(([^)\s]+)\)")


def anchor(heading):
    """Return the anchor that GitHub gives a heading."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)  # the text of a link
    return re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")


def anchors(text):
    return {anchor(heading) for _, heading in HEADING.findall(FENCE.sub("", text))}


def test_the_front_page_is_short(pages):
    assert len(pages["README.md"].splitlines()) <= 150


def test_every_page_lists_its_sections(pages):
    for path, text in pages.items():
        if path == "README.md":
            continue
        contents = re.findall(r"^- \[(.+)\]\(#(.*)\)$", text.partition("\n## ")[0], re.M)
        headings = [h for level, h in HEADING.findall(FENCE.sub("", text)) if level == "##"]
        assert contents == [(heading, anchor(heading)) for heading in headings], path


def leads_somewhere(page, link):
    """Return whether a relative link's file exists, and has the section it names."""
    file, _, section = link.partition("#")
    target = page.parent / file if file else page
    if section and target.suffix == ".md" and target.exists():
        return section in anchors(target.read_text())
    return target.exists()


def test_every_link_leads_somewhere(root, documents):
    links = {
        (path, link)
        for path, text in documents.items()
        for link in LINK.findall(FENCE.sub("", text))
        if not re.match(r"https?:", link)
    }
    assert len(links) > 50
    assert {(p, link) for p, link in links if not leads_somewhere(root / p, link)} == set()


def test_the_front_page_leads_to_every_page(pages):
    linked = {link.partition("#")[0] for link in LINK.findall(pages["README.md"])}
    assert pages.keys() - {"README.md"} <= linked
