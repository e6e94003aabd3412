"""Each cell of the tables of features has its source, its test, or says "not found"."""

import re

HEADER = "| this service | Triton |"
SOURCE = re.compile(r"\[[^\]]+\](\([^)\s]+\)|\[([\w-]+)\])")


def test_every_cell_has_its_source(pages):
    text = pages["docs/features.md"]
    defined = re.findall(r"^\[([\w-]+)\]: https://\S+$", text, re.M)
    used = set()
    rows = [row for row in text.splitlines() if row.startswith("| ") and HEADER not in row]
    assert len(rows) > 30
    for row in rows:
        feature, own, *others = [cell.strip() for cell in row.strip("|").split("|")]
        assert len(others) == 6, feature
        assert re.match(r"\[[^\]]+\]\([^)]+\)", own), feature
        for cell in others:
            named = [match[2] for match in SOURCE.finditer(cell)]
            assert (cell == "not found") != bool(named), (feature, cell)
            used |= {*named}
    assert sorted(defined) == sorted(used)
