"""The dashboard's file. Grafana is not run: what it needs is checked one by one.

What the expressions give is in test_prometheus.py.
"""

import itertools
import json
import re
import subprocess
import sys

import pytest

BUILT_IN = {"__rate_interval", "__all"}
TYPES = {"row", "stat", "timeseries", "heatmap", "table"}
# Of Grafana's units.
UNITS = {"none", "short", "reqps", "percentunit", "s", "bytes", "suffix:x"}
KEY = r"^ *{}: *(\S+)"


@pytest.fixture(scope="module")
def folder(root):
    return root / "deploy" / "grafana"


@pytest.fixture(scope="module")
def board(folder):
    return json.loads((folder / "dashboards" / "mnist.json").read_text())


@pytest.fixture(scope="module")
def panels(board):
    return [panel for panel in board["panels"] if panel["type"] != "row"]


def setting(path, key):
    (found,) = re.findall(KEY.format(key), path.read_text(), re.M)
    return found


def nested(value, key):
    """Yield what stands under a key, however deep."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name == key:
                yield inner
            yield from nested(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from nested(inner, key)


def test_the_dashboard_is_what_its_source_makes(folder):
    made = subprocess.run(
        [sys.executable, folder / "build.py"], capture_output=True, timeout=60, check=True
    )
    written = (folder / "dashboards" / "mnist.json").read_bytes()
    assert made.stdout == written, "see deploy/grafana/build.py"


def test_every_panel_has_a_number_of_its_own_and_a_type_of_grafana_itself(board):
    numbers = [panel["id"] for panel in board["panels"]]
    assert len(set(numbers)) == len(numbers) > 40
    assert {panel["type"] for panel in board["panels"]} == TYPES


def test_panels_fill_the_grid_and_none_lies_on_another(board):
    taken = set()
    for panel in board["panels"]:
        x, y, w, h = (panel["gridPos"][side] for side in "xywh")
        assert 0 <= x < x + w <= 24
        cells = set(itertools.product(range(x, x + w), range(y, y + h)))
        assert not cells & taken, panel["title"]
        taken |= cells
    assert {y for _, y in taken} == set(range(max(y for _, y in taken) + 1))


def test_the_first_row_is_the_overview(board):
    row, *rest = board["panels"]
    assert (row["type"], row["title"], row["gridPos"]["y"]) == ("row", "Overview", 0)
    assert rest[0]["gridPos"]["y"] == 1


def test_everything_asks_the_provisioned_prometheus(folder, board):
    uid = setting(folder / "provisioning" / "datasources" / "prometheus.yml", "uid")
    sources = list(nested(board, "datasource"))
    assert len(sources) > len(board["panels"])
    assert all(source == {"type": "prometheus", "uid": uid} for source in sources)


def test_the_interval_of_rates_is_that_of_the_scrapes(root, folder):
    grafana = folder / "provisioning" / "datasources" / "prometheus.yml"
    prometheus = root / "deploy" / "prometheus" / "prometheus.yml"
    assert setting(grafana, "timeInterval") == setting(prometheus, "scrape_interval")


def test_what_grafana_provisions_is_where_the_compose_file_mounts_it(root, folder):
    compose = (root / "docker-compose.yml").read_text()
    mounts = dict(re.findall(r"- \./deploy/grafana/(\w+):(\S+):ro", compose))
    provider = folder / "provisioning" / "dashboards" / "files.yml"
    assert mounts["dashboards"] == setting(provider, "path")
    assert mounts["provisioning"] == "/etc/grafana/provisioning"  # its default


def test_every_variable_is_defined_and_used(board):
    defined = {variable["name"] for variable in board["templating"]["list"]}
    text = json.dumps(board)
    used = set(re.findall(r"\$\{?(\w+)", text)) - BUILT_IN
    assert used == defined == {"job", "instance", "version"}


def test_a_query_has_a_letter_of_its_own_in_its_panel(panels):
    for panel in panels:
        letters = [target["refId"] for target in panel["targets"]]
        assert letters == sorted(set(letters))


def test_every_panel_says_what_it_shows_in_a_unit(panels):
    for panel in panels:
        assert len(panel["description"]) > 30, panel["title"]
        assert "\n" not in panel["description"]
        if panel["type"] != "table":
            assert panel["fieldConfig"]["defaults"]["unit"] in UNITS, panel["title"]


def test_titles_tell_the_panels_of_a_row_apart(board):
    row = []
    for panel in board["panels"]:
        row = [] if panel["type"] == "row" else [*row, panel["title"]]
        assert len(set(row)) == len(row), panel["title"]


def test_colours_change_at_rising_values(panels):
    for steps in nested(panels, "steps"):
        if isinstance(steps, list):
            first, *values = [step["value"] for step in steps]
            assert first is None
            assert values == sorted(set(values))


def test_every_runbook_section_that_a_panel_names_exists(root, panels):
    runbook = (root / "deploy" / "runbook.md").read_text()
    sections = {name.lower() for name in re.findall(r"^### (\w+)$", runbook, re.M)}
    named = [re.findall(r"runbook\.md#(\w+)", panel["description"]) for panel in panels]
    assert sum(map(bool, named)) > 35
    assert set(itertools.chain(*named)) == sections - {"rulesfail"}  # it has no panel


def test_every_link_of_the_runbook_leads_somewhere(root):
    runbook = root / "deploy" / "runbook.md"
    text = runbook.read_text()
    sections = {name.lower() for name in re.findall(r"^### (\w+)$", text, re.M)}
    links = re.findall(r"\]\(([^)]+)\)", text)
    assert {link[1:] for link in links if link[0] == "#"} <= sections
    files = [link for link in links if link[0] != "#"]
    assert files
    assert [link for link in files if not (runbook.parent / link).is_file()] == []
