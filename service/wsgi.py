"""The application as a gunicorn worker loads it."""

from flask import Flask
from gunicorn.errors import AppImportError

from service import create_app
from service.errors import ModelError, SettingsError
from service.json_lines import say


def load() -> Flask:
    """Return the application; what the operator must mend is one line, not a traceback."""
    try:
        return create_app()
    except (SettingsError, ModelError) as error:
        # The exception on which gunicorn prints the message, and stops with code 4.
        raise AppImportError(say(f"error: {error}")) from error
