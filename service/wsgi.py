"""The application as a gunicorn worker loads it.

``service.wsgi:app`` is the same for any other WSGI server.
"""

from collections.abc import Iterable
from threading import Lock
from typing import TYPE_CHECKING, Any

from gunicorn.errors import AppImportError

from service import __version__, create_inference, create_web
from service.errors import ModelError, SettingsError
from service.monitoring.json_lines import early
from service.server.lifecycle import inherited

if TYPE_CHECKING:
    from flask import Flask

    from service.inference import Inference


class Application:
    """The WSGI application with its models, and without Flask until that is needed.

    Flask with its pages takes a third of the start and 8 MB, and a worker that is asked for
    predictions, health and metrics alone never needs it.

    Attributes:
        extensions: the inference, as in the Flask application; ``grpc``, the door for gRPC,
            if there is to be one.
    """

    def __init__(self, inference: "Inference") -> None:
        self.extensions: dict[str, Any] = {"inference": inference}
        if inference.settings.grpc_bind:
            from service.rpc.door import Door

            self.extensions["grpc"] = Door(inference, __version__)
        self._lock = Lock()
        self._web: Flask | None = None

    def load(self) -> "Flask":
        """Return the Flask application; safe in any thread."""
        with self._lock:
            if self._web is None:
                self._web = create_web(self.extensions["inference"])
            return self._web

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer a request (PEP 3333)."""
        return self.load()(environ, start_response)


def begin() -> Application:
    """Return the application without Flask; an operator's error is one line.

    Raises:
        AppImportError: gunicorn prints its message, and stops with code 4.
    """
    shared = inherited() or ()
    try:
        return Application(create_inference(*shared))
    except (SettingsError, ModelError) as error:
        raise AppImportError(early(f"error: {error}")) from error


def load() -> "Flask":
    """Return the Flask application; raises as `begin`."""
    return begin().load()


def __getattr__(name: str) -> Any:
    """Load the application when it is first asked for: importing this loads no model."""
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    app = globals()["app"] = load()
    return app
