"""The application as a gunicorn worker loads it.

``service.wsgi:app`` is the same for any other WSGI server.
"""

from typing import Any

from flask import Flask
from gunicorn.errors import AppImportError

from service import create_app
from service.errors import ModelError, SettingsError
from service.monitoring.json_lines import early
from service.server.lifecycle import inherited


def load() -> Flask:
    """Return the application; an error that the operator must mend is one line.

    Raises:
        AppImportError: gunicorn prints its message, and stops with code 4.
    """
    shared = inherited()
    try:
        if shared is None:
            return create_app()
        return create_app(shared.settings, shared.snapshot, shared.counters, shared.roster)
    except (SettingsError, ModelError) as error:
        raise AppImportError(early(f"error: {error}")) from error


def __getattr__(name: str) -> Any:
    """Load the application when it is first asked for: importing this loads no model."""
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    app = globals()["app"] = load()
    return app
