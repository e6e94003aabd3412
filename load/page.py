"""The verdict on Locust's own page: a tab with every limit, and the whole report."""

import json
from typing import Any

import flask

from load import report
from load.record import Record
from load.report.words import KEPT, verdict

KEY = "verdict"
REPORT = "/verdict"


def extend(environment: Any, web_ui: Any) -> None:
    """Add a tab to Locust's page, its rows to what the page polls, and ``/verdict``."""
    columns = {"what": "Verdict", "found": "Found", "kept": "Kept"}
    structure = [{"key": key, "title": title} for key, title in columns.items()]
    web_ui.template_args |= {
        "extended_tabs": [{"title": "Verdict", "key": KEY}],
        "extended_tables": [{"key": KEY, "structure": structure}],
        "extended_csv_files": [{"href": REPORT, "title": "Report with the verdict"}],
    }

    def add_rows(response: Any) -> Any:
        if flask.request.path.endswith("/stats/requests") and response.is_json:
            found = {**response.json, "extended_stats": [{"key": KEY, "data": _rows()}]}
            response.set_data(json.dumps(found))
        return response

    def whole() -> Any:
        record = _record()
        return report.html(record) if record else ("No run has been judged yet.", 404)

    def _record() -> Record | None:
        if environment.conductor and not environment.asked.scenario:
            made: Record = environment.watch.users()
            return made
        ended: Record | None = environment.record
        return ended

    def _rows() -> list[dict[str, str]]:
        record = _record()
        return rows(record) if record else []

    web_ui.app.after_request(add_rows)
    web_ui.app.add_url_rule(REPORT, KEY, web_ui.auth_required_if_enabled(whole))


def rows(record: Record) -> list[dict[str, str]]:
    """Return the verdict and each reason and limit as a row of the tab."""
    made = [("verdict", verdict(record), KEPT[not record.verdict.code])]
    made += [("INVALID", why, KEPT[False]) for why in record.verdict.invalid]
    made += [(limit, seen, KEPT[kept]) for limit, seen, kept in record.verdict.limits]
    return [{"what": what, "found": found, "kept": kept} for what, found, kept in made]
