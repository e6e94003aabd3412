"""The HTTP service: loads the ONNX model with ONNX Runtime and answers predictions."""

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from service.settings import Settings
    from service.tracing import Tracing

# ONNX Runtime's wheels (from 1.29 on) start a thread that sends telemetry when they are
# imported, unless this is set before; nothing may leave the machine.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"


def create_app(settings: "Settings | None" = None) -> "Flask":
    """Load the models and return the Flask application that serves them.

    Args:
        settings: what to serve; from the environment if not given.

    Raises:
        SettingsError: a setting has a value that cannot work.
        ModelError: there is no version that can be served.
    """
    # Imported here and not above: who wants a setting of this package need not load all.
    from flask import Flask

    from service import files, metrics, repository, routes
    from service.access import Access
    from service.settings import Settings

    settings = settings or Settings.from_environment()
    app = Flask(__name__, static_folder=None)  # the pages have their own
    app.extensions["settings"] = settings
    snapshot = files.shared or files.read(settings)
    app.extensions["access"] = Access(settings, snapshot.keys)
    app.extensions["repository"] = repository.load(settings, snapshot)
    app.extensions["tracing"] = _tracing() if settings.tracing else None
    app.extensions["metrics"] = metrics.Metrics(app.extensions["repository"])
    routes.register(app)
    return app


def _tracing() -> "Tracing":
    """Return what makes spans, of packages that are there only where they are wanted."""
    from service.errors import SettingsError

    try:
        from service.tracing import Tracing
    except ModuleNotFoundError as error:
        raise SettingsError(
            f"MNIST_TRACING has value '1', and the package {error.name} is missing, "
            "expected those of requirements/tracing.txt"
        ) from error
    return Tracing()
