"""The HTTP service: answers predictions of the ONNX model with ONNX Runtime.

docs/architecture.md shows its rooms and what each may import.
"""

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from service.inference import Inference
    from service.model.snapshot import Snapshot
    from service.monitoring.counters import Counters
    from service.monitoring.roster import Roster
    from service.settings import Settings

# Of the software, not of a model: /v2, /openapi.json and the image report it.
__version__ = "1.0.0"

# ONNX Runtime's wheels (from 1.29 on) start a thread that sends telemetry when they are
# imported, unless this is set before; nothing may leave the machine.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"


def create_app(settings: "Settings | None" = None) -> "Flask":
    """Load the models and return the Flask application that serves them.

    The arguments and errors are those of `create_inference`.
    """
    return create_web(create_inference(settings))


def create_web(inference: "Inference") -> "Flask":
    """Return the Flask application that serves the models of an inference."""
    from service import web

    return web.create(inference, __version__)


def create_inference(
    settings: "Settings | None" = None,
    snapshot: "Snapshot | None" = None,
    counters: "Counters | None" = None,
    roster: "Roster | None" = None,
) -> "Inference":
    """Load the models and return what answers with them.

    Args:
        settings: what to serve; from the environment by default.
        snapshot: the files to load; read here by default.
        counters: memory for counts; this process's own by default.
        roster: the workers of the service; this process alone by default.

    Raises:
        SettingsError: a setting has a value that cannot work.
        ModelError: no version can be served.
    """
    # Imported here: reading a setting of this package must not load all of it.
    from service.inference import Inference
    from service.inference.access import Access
    from service.inference.target import DIALECTS
    from service.inference.traffic import read_plan
    from service.model.repository import load
    from service.model.snapshot import read
    from service.monitoring import Monitoring, make_spans
    from service.monitoring.counters import Counters
    from service.monitoring.metrics import Metrics
    from service.monitoring.roster import Roster
    from service.settings import Settings

    settings = settings or Settings.from_environment()
    snapshot = snapshot or read(settings)
    access = Access(settings, snapshot.keys)
    repository = load(settings, snapshot)
    plan = read_plan(snapshot.traffic, repository)
    if plan.default is not None:
        repository = repository._replace(default=repository.models[plan.default])
    spans = make_spans() if settings.tracing else None
    dialects = [*DIALECTS, "grpc"] if settings.grpc_bind else DIALECTS
    metrics = Metrics(counters or Counters(), list(repository.models), dialects)
    monitoring = Monitoring(metrics, roster or Roster(), spans)
    return Inference(settings, repository, access, monitoring, plan)
