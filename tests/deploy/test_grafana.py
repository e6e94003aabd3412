"""The dashboard's file. Grafana itself is not run.

What the expressions return is in test_prometheus.py.
"""

import itertools
import json
import re

import pytest

MOST_PANELS = 20  # as many as an operator reads
# Of Grafana's units.
UNITS = {"none", "reqps", "percentunit", "s", "bytes", "suffix:x"}
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


@pytest.fixture(scope="module")
def runbook(root):
    return (root / "deploy" / "runbook.md").read_text()


def setting(path, key):
    (found,) = re.findall(KEY.format(key), path.read_text(), re.M)
    return found


def test_panels_are_few_and_have_ids_and_titles_of_their_own(board, panels):
    assert 0 < len(panels) <= MOST_PANELS
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
    assert len({panel["title"] for panel in panels}) == len(panels)


def test_panels_fill_the_grid_without_overlap(board):
    taken = set()
    for panel in board["panels"]:
        x, y, w, h = (panel["gridPos"][side] for side in "xywh")
        assert 0 <= x < x + w <= 24
        cells = set(itertools.product(range(x, x + w), range(y, y + h)))
        assert not cells & taken, panel["title"]
        taken |= cells
    assert len(taken) == 24 * (max(y for _, y in taken) + 1)


def test_every_panel_has_a_description_and_a_unit(panels):
    for panel in panels:
        assert len(panel["description"]) > 30, panel["title"]
        if panel["type"] != "table":
            assert panel["fieldConfig"]["defaults"]["unit"] in UNITS, panel["title"]


def test_the_data_source_is_the_provisioned_one_until_another_is_selected(folder, board):
    provisioned = folder / "provisioning" / "datasources" / "prometheus.yml"
    variable = board["templating"]["list"][0]
    assert variable["current"]["value"] == setting(provisioned, "uid")
    asked = [panel["datasource"]["uid"] for panel in board["panels"] if "targets" in panel]
    assert set(asked) == {f"${{{variable['name']}}}"}


def test_every_variable_is_defined_and_used(board):
    defined = {variable["name"] for variable in board["templating"]["list"]}
    used = set(re.findall(r"\$\{?([a-z]\w+)", json.dumps(board)))
    assert used == defined


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


def test_panels_name_every_section_of_the_runbook(runbook, panels):
    sections = {name.lower() for name in re.findall(r"^### (\w+)$", runbook, re.M)}
    named = [re.findall(r"runbook\.md#(\w+)", panel["description"]) for panel in panels]
    assert set(itertools.chain(*named)) == sections


def test_the_runbook_names_panels_that_exist(runbook, panels):
    lines = "\n".join(re.findall(r"^- \*\*Look at\*\* (.*)$", runbook, re.M))
    named = set(re.findall(r"(?<!\*)\*([A-Z][\w ]+)\*", lines))
    assert len(named) > 10
    assert named <= {panel["title"] for panel in panels}


def test_every_link_of_the_runbook_leads_somewhere(root, runbook):
    sections = {name.lower() for name in re.findall(r"^### (\w+)$", runbook, re.M)}
    links = set(re.findall(r"\]\(([^)]+)\)", runbook))
    inside = {link for link in links if link[0] == "#"}
    assert {link[1:] for link in inside} == sections
    folder = root / "deploy"
    assert [link for link in links - inside if not (folder / link).is_file()] == []
