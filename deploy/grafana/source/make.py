"""The parts of a dashboard in Grafana's JSON."""

from collections.abc import Iterable
from itertools import count
from typing import Any

Json = dict[str, Any]

SOURCE = {"type": "prometheus", "uid": "mnist-prometheus"}  # provisioning/datasources
WIDTH = 24  # of Grafana's grid
RUNBOOK = "deploy/runbook.md"
GREEN, ORANGE, RED = "green", "orange", "red"


def query(expr: str, legend: str = "__auto", kind: str = "time_series") -> Json:
    """Return a query; one for a table asks for the values of now."""
    instant = kind == "table"
    return {
        "datasource": SOURCE,
        "editorMode": "code",
        "expr": expr,
        "format": kind,
        "instant": instant,
        "range": not instant,
        "legendFormat": legend,
    }


def thresholds(*steps: tuple[float, str], below: str = GREEN) -> Json:
    """Return colours: ``below`` the first step, and from each step on its own."""
    first = {"color": below, "value": None}
    rest = [{"color": color, "value": value} for value, color in steps]
    return {"mode": "absolute", "steps": [first, *rest]}


def panel(
    kind: str,
    title: str,
    text: str,
    queries: Iterable[Json],
    *,
    options: Json,
    size: tuple[int, int],
    runbook: str = "",
    **defaults: Any,
) -> Json:
    """Return a panel without its place.

    Args:
        kind: Grafana's name of the type.
        title: what is on it.
        text: what it shows, and what is normal.
        queries: what it asks.
        options: the type's own.
        size: width and height in units of the grid.
        runbook: the alert whose section says what to do, or several.
        defaults: of its fields: the unit, the smallest value, thresholds, ...
    """
    sections = [f"{RUNBOOK}#{name.lower()}" for name in runbook.split()]
    if sections:
        text += f" Runbook: {', '.join(sections)}."
    targets = [{**one, "refId": chr(ord("A") + n)} for n, one in enumerate(queries)]
    width, height = size
    return {
        "type": kind,
        "title": title,
        "description": text,
        "datasource": SOURCE,
        "gridPos": {"h": height, "w": width, "x": 0, "y": 0},
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": options,
        "targets": targets,
    }


def lines(
    title: str,
    text: str,
    *queries: Json,
    unit: str,
    width: int = 8,
    stack: str = "none",
    runbook: str = "",
    **defaults: Any,
) -> Json:
    """Return a chart over time; stack is ``none``, ``normal`` or ``percent``."""
    custom = {
        "fillOpacity": 8 if stack == "none" else 50,
        "lineWidth": 1,
        "showPoints": "never",
        "stacking": {"group": "A", "mode": stack},
    }
    if "thresholds" in defaults:
        custom["thresholdsStyle"] = {"mode": "dashed"}
    options = {
        "legend": {
            "calcs": ["lastNotNull", "max"],
            "displayMode": "table",
            "placement": "bottom",
            "showLegend": True,
        },
        "tooltip": {"mode": "multi", "sort": "desc"},
    }
    defaults = {"min": 0, "unit": unit, "custom": custom, **defaults}
    size = (width, 8)
    return panel(
        "timeseries",
        title,
        text,
        queries,
        options=options,
        size=size,
        runbook=runbook,
        **defaults,
    )


def number(
    title: str, text: str, expr: str, *, unit: str, runbook: str = "", **defaults: Any
) -> Json:
    """Return one number of now, with its course behind it."""
    options = {
        "colorMode": "value",
        "graphMode": "area",
        "justifyMode": "auto",
        "orientation": "auto",
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "textMode": "value",
    }
    defaults = {"unit": unit, **defaults}
    size = (3, 4)
    return panel(
        "stat",
        title,
        text,
        [query(expr)],
        options=options,
        size=size,
        runbook=runbook,
        **defaults,
    )


def heatmap(title: str, text: str, expr: str, *, unit: str, runbook: str = "") -> Json:
    """Return a histogram's buckets over time; the query gives them by ``le``."""
    options = {
        "calculate": False,
        "cellGap": 1,
        "color": {"exponent": 0.5, "mode": "scheme", "scheme": "Oranges", "steps": 64},
        "filterValues": {"le": 1e-9},
        "legend": {"show": True},
        "rowsFrame": {"layout": "auto"},
        "tooltip": {"mode": "single", "yHistogram": True},
        "yAxis": {"axisPlacement": "left", "unit": unit},
    }
    return panel(
        "heatmap",
        title,
        text,
        [query(expr, "{{le}}", "heatmap")],
        options=options,
        size=(12, 9),
        runbook=runbook,
    )


def table(
    title: str, text: str, expr: str, *labels: str, width: int = 12, runbook: str = ""
) -> Json:
    """Return the series of now, one a line, and of each these labels."""
    made = panel(
        "table",
        title,
        text,
        [query(expr, kind="table")],
        options={"cellHeight": "sm", "showHeader": True},
        size=(width, 8),
        runbook=runbook,
    )
    wanted = {"include": {"names": list(labels)}}
    made["transformations"] = [{"id": "filterFieldsByName", "options": wanted}]
    return made


def arrange(rows: dict[str, list[Json]]) -> list[Json]:
    """Give each panel its number and its place, row by row from left to right."""
    placed, y, numbers = [], 0, count(1)
    for title, panels in rows.items():
        place = {"h": 1, "w": WIDTH, "x": 0, "y": y}
        row: Json = {"type": "row", "title": title, "collapsed": False, "panels": []}
        placed.append({**row, "id": next(numbers), "gridPos": place})
        x, y, height = 0, y + 1, 0
        for one in panels:
            size = one["gridPos"]
            if x + size["w"] > WIDTH:
                x, y, height = 0, y + height, 0
            placed.append({"id": next(numbers), **one, "gridPos": {**size, "x": x, "y": y}})
            x, height = x + size["w"], max(height, size["h"])
        y += height
    return placed


def variable(name: str, label: str, values: str) -> Json:
    """Return a choice of several, by default all, among a query's values."""
    return {
        "name": name,
        "label": label,
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


def annotation(name: str, color: str, expr: str, text: str) -> Json:
    """Return marks over all charts, where the query has a value."""
    return {
        "name": name,
        "datasource": SOURCE,
        "enable": True,
        "iconColor": color,
        "expr": expr,
        "titleFormat": name,
        "textFormat": text,
        "useValueForTime": False,
    }
