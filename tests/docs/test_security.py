import re

import pytest


@pytest.fixture(scope="module")
def threats(root):
    rows = (root / "SECURITY.md").read_text().split("|---|---|---|\n")[1].split("\n\n")[0]
    cells = [row.strip("|").split("|") for row in rows.split("\n")]
    return [[cell.strip() for cell in row] for row in cells]


def test_each_threat_names_tests_that_exist(root, threats):
    assert len(threats) > 10
    for threat, _, tests in threats:
        names = re.findall(r"`([^`:]+)(?:::(\w+))?`", tests)
        assert names, threat
        for path, name in names:
            text = (root / path).read_text()
            assert f"\ndef {name}(" in text if name else "\ndef test_" in text, (path, name)
