"""load/README.md: what it shows can be typed."""

import re
import shlex

import pytest

from load import scenarios
from load.__main__ import OTHERS, command

PYTHON = ".venv/load/bin/python -m load "


@pytest.fixture(scope="module")
def text(root):
    return (root / "load" / "README.md").read_text()


@pytest.fixture
def commands(text, monkeypatch, tmp_path):
    """The arguments of each `python -m load` and `make load` that is shown."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my-pictures").mkdir()
    (tmp_path / "my-pictures" / "one.png").touch()
    found = []
    for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL):
        for line in block.replace("\\\n", "").splitlines():
            words = shlex.split(line, comments=True)
            if words[:2] == ["make", "load"]:
                made = dict(word.split("=", 1) for word in words[2:])
                scenario = made.get("SCENARIO", "steady")
                found.append([scenario, *shlex.split(made.get("ARGS", ""))])
            elif PYTHON in line:
                found.append(words[words.index("load") + 1 :])
    return found


def test_each_command_that_is_shown_is_taken(commands):
    assert len(commands) >= 7
    for arguments in commands:
        assert "--scenario" in command(arguments)


def test_every_scenario_is_in_the_table(text):
    named = set(re.findall(r"^\| `([a-z-]+)", text, re.MULTILINE))
    assert {*scenarios.NAMES, *OTHERS} <= named


def test_every_user_class_is_in_the_table_with_its_weight_and_tags(root, text):
    source = (root / "load" / "users.py").read_text()
    written = {}
    for part in source.split("\nclass ")[1:]:
        if weight := re.search(r"weight = (\d+)", part):
            tags = re.search(r"@tag\((.*)\)", part)[1].replace('"', "`").replace(",", "")
            written[part.partition("(")[0]] = weight[1], tags
    rows = re.findall(
        r"^\| `([A-Z]\w+)` \|.*?\| (\d+) \|.*\| (.*?) \|$", text, re.MULTILINE
    )
    assert {name: tuple(rest) for name, *rest in rows} == written


def test_its_links_lead_somewhere(root, text):
    heads = {
        re.sub(r"[^a-z0-9 -]", "", head.lower()).replace(" ", "-")
        for head in re.findall(r"^##? (.*)$", text, re.MULTILINE)
    }
    for target in re.findall(r"\]\((?!http)([^)]+)\)", text):
        path, _, anchor = target.partition("#")
        assert not path or (root / "load" / path).exists(), target
        assert not anchor or path or anchor in heads, target
