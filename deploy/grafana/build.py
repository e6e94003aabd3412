"""Make the dashboard from panels.toml; a test compares the two.

python deploy/grafana/build.py > deploy/grafana/dashboards/mnist.json
"""

import json
import sys
import tomllib
from itertools import count
from pathlib import Path
from typing import Any

Json = dict[str, Any]

PANELS = Path(__file__).with_name("panels.toml")
RUNBOOK = "deploy/runbook.md"
SOURCE = {"type": "prometheus", "uid": "mnist-prometheus"}  # provisioning/datasources
WIDTH = 24  # of Grafana's grid
WORDS = {
    "<of>": 'job=~"$job", instance=~"$instance"',
    "<inference>": 'http_route=~"/predict|/explain|.*:predict|.*/infer", '
    'http_response_status_code="200"',
}
# By the kinds of panels.toml: Grafana's type, the size, and the type's own options.
SIZES = {"number": (3, 4), "lines": (8, 8), "heatmap": (12, 8), "table": (12, 8)}
TYPES = {"number": "stat", "lines": "timeseries"}
OPTIONS: dict[str, Json] = {
    "number": {
        "colorMode": "value",
        "graphMode": "area",
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "textMode": "value",
    },
    "lines": {
        "legend": {
            "calcs": ["lastNotNull", "max"],
            "displayMode": "table",
            "placement": "bottom",
            "showLegend": True,
        },
        "tooltip": {"mode": "multi", "sort": "desc"},
    },
    "heatmap": {
        "calculate": False,  # the query gives the buckets
        "cellGap": 1,
        "color": {"exponent": 0.5, "mode": "scheme", "scheme": "Oranges", "steps": 64},
        "filterValues": {"le": 1e-9},
        "legend": {"show": True},
        "rowsFrame": {"layout": "auto"},
        "tooltip": {"mode": "single", "yHistogram": True},
    },
    "table": {"cellHeight": "sm", "showHeader": True},
}


def target(number: int, legend: str, expr: str, kind: str) -> Json:
    """Return a query; one for a table asks for the values of now."""
    for word, meaning in WORDS.items():
        expr = expr.replace(word, meaning)
    instant = kind == "table"
    return {
        "refId": chr(ord("A") + number),
        "datasource": SOURCE,
        "editorMode": "code",
        "expr": expr,
        "legendFormat": legend,
        "format": kind if kind in ("table", "heatmap") else "time_series",
        "instant": instant,
        "range": not instant,
    }


def field(asked: Json) -> Json:
    """Return how values are shown: unit, range, colours."""
    made: Json = {"unit": asked["unit"]} if "unit" in asked else {}
    made |= {name: asked[name] for name in ("min", "max") if name in asked}
    if "thresholds" in asked:
        first = {"color": asked.get("below", "green"), "value": None}
        rest = [{"color": color, "value": value} for value, color in asked["thresholds"]]
        made["thresholds"] = {"mode": "absolute", "steps": [first, *rest]}
    if asked["kind"] == "lines":
        made = {"min": 0} | made
        if made["min"] == "auto":
            del made["min"]
        stack = asked.get("stack", "none")
        made["custom"] = {
            "fillOpacity": 8 if stack == "none" else 50,
            "lineWidth": 1,
            "showPoints": "never",
            "stacking": {"group": "A", "mode": stack},
            "thresholdsStyle": {"mode": "dashed" if "thresholds" in asked else "off"},
        }
    return made


def panel(asked: Json) -> Json:
    """Return a panel at the left upper corner."""
    kind, text = asked["kind"], " ".join(asked["text"].split())
    sections = [f"{RUNBOOK}#{name.lower()}" for name in asked.get("runbook", ())]
    if sections:
        text += f" Runbook: {', '.join(sections)}."
    queries = asked.get("queries") or {
        "{{le}}" if kind == "heatmap" else "__auto": asked["expr"]
    }
    width, height = SIZES[kind]
    made = {
        "type": TYPES.get(kind, kind),
        "title": asked["title"],
        "description": text,
        "datasource": SOURCE,
        "gridPos": {"h": height, "w": asked.get("width", width), "x": 0, "y": 0},
        "fieldConfig": {"defaults": field(asked), "overrides": []},
        "options": dict(OPTIONS[kind]),
        "targets": [target(n, *one, kind) for n, one in enumerate(queries.items())],
    }
    if kind == "heatmap":
        made["options"]["yAxis"] = {"axisPlacement": "left", "unit": asked["unit"]}
    if kind == "table":
        wanted = {"include": {"names": asked["columns"]}}
        made["transformations"] = [{"id": "filterFieldsByName", "options": wanted}]
    return made


def arrange(rows: list[Json]) -> list[Json]:
    """Give each panel its number and its place, row by row from left to right."""
    placed, y, numbers = [], 0, count(1)
    for row in rows:
        place = {"h": 1, "w": WIDTH, "x": 0, "y": y}
        head = {"type": "row", "title": row["title"], "collapsed": False, "panels": []}
        placed.append({"id": next(numbers), **head, "gridPos": place})
        x, y, height = 0, y + 1, 0
        for one in map(panel, row["panels"]):
            size = one["gridPos"]
            if x + size["w"] > WIDTH:
                x, y, height = 0, y + height, 0
            size |= {"x": x, "y": y}
            placed.append({"id": next(numbers), **one})
            x, height = x + size["w"], max(height, size["h"])
        y += height
    return placed


def variable(name: str, values: str) -> Json:
    """Return a choice of several, by default all, among a query's values."""
    return {
        "name": name,
        "label": name.capitalize(),
        "type": "query",
        "datasource": SOURCE,
        "definition": values,
        "query": {"qryType": 1, "query": values, "refId": "values"},
        "includeAll": True,
        "allValue": ".*",  # shorter than the list of all, and right for what comes later
        "multi": True,
        "current": {"text": ["All"], "value": ["$__all"]},
        "options": [],
        "refresh": 2,  # whenever the range of time changes
        "regex": "",
        "sort": 1,
    }


def annotation(asked: Json) -> Json:
    """Return marks over all charts, where the query has a value."""
    made = target(0, asked["text"], asked["expr"], "lines")
    return {
        "name": asked["name"],
        "datasource": SOURCE,
        "enable": True,
        "iconColor": asked["color"],
        "expr": made["expr"],
        "titleFormat": asked["name"],
        "textFormat": asked["text"],
    }


def dashboard() -> Json:
    """Return the dashboard in the schema of Grafana 12."""
    asked = tomllib.loads(PANELS.read_text())
    return {
        "uid": "mnist",
        "title": "Handwritten digits",
        "description": " ".join(asked["text"].split()),
        "tags": ["mnist"],
        "schemaVersion": 42,
        "version": 1,
        "editable": False,
        "graphTooltip": 1,  # the cross hair is on all charts
        "refresh": "10s",  # as often as there are new numbers
        "time": {"from": "now-1h", "to": "now"},
        "timezone": "browser",
        "links": [],
        "annotations": {"list": [annotation(one) for one in asked["marks"]]},
        "templating": {"list": [variable(*one) for one in asked["variables"].items()]},
        "panels": arrange(asked["rows"]),
    }


if __name__ == "__main__":
    json.dump(dashboard(), sys.stdout, indent=1, ensure_ascii=False)
    print()
