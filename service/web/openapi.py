"""The OpenAPI 3.1 document: openapi.json, completed with what the settings decide."""

from pathlib import Path
from typing import Any

import orjson

from service.inference.access import METRICS, is_open
from service.settings import Settings

TEMPLATE = Path(__file__).with_name("openapi.json")
# The schemas of arrays that hold one item per image of a request.
BATCHES = ("Images", "Instances", "Columns")


def document(name: str, settings: Settings, release: str) -> dict[str, Any]:
    """Return the document.

    Args:
        name: name of the model, the example for paths.
        settings: decide the limits, and which routes exist and need a key.
        release: version of the software.
    """
    found: dict[str, Any] = orjson.loads(TEMPLATE.read_bytes())
    paths, components = found["paths"], found["components"]
    found["info"]["version"] = release
    length = components["parameters"]["Inference-Header-Content-Length"]["schema"]
    length["maximum"] = settings.max_body_bytes
    components["parameters"]["Model"]["schema"]["examples"] = [name]
    for batch in BATCHES:
        components["schemas"][batch]["maxItems"] = settings.max_images
    predict = paths["/predict"]["post"]
    for described, key in (
        (predict, "summary"),
        (predict["responses"]["200"], "description"),
    ):
        described[key] = described[key].format(max_images=settings.max_images)
    if settings.metrics_bind:
        del paths[METRICS]  # served at its own address
    if settings.samples is None:
        del paths["/feedback"]
    if settings.api_keys:
        components["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
        _lock(paths)
    return found


def _lock(paths: dict[str, Any]) -> None:
    """Add the key, and its refusal, to every operation that needs one."""
    locked = [operations for path, operations in paths.items() if not is_open(path)]
    for operations in locked:
        for operation in operations.values():
            operation["security"] = [{"key": []}]
            operation["responses"]["401"] = {"$ref": "#/components/responses/401"}
