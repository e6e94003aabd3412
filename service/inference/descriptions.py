"""What V2's clients ask of the server and its models, as fields of the protocol.

JSON and protobuf have the same fields, so that both doors answer with these.

Sources: open-inference-protocol, ``inference_rest.md`` and ``inference_grpc.md``; Triton
Inference Server, ``docs/protocol/extension_*.md``.
"""

from typing import Any

from service.model.repository import Repository
from service.model.version import INPUT, OUTPUT, Model
from service.monitoring.metrics import Metrics, Totals

EXTENSIONS = [
    "binary_tensor_data",
    "classification",
    "model_configuration",
    "model_repository",
    "statistics",
]


def server(release: str) -> dict[str, Any]:
    """Return the metadata of the server."""
    return {"name": "mnist-server", "version": release, "extensions": EXTENSIONS}


def metadata(
    repository: Repository, name: str | None, version: int | None
) -> dict[str, Any]:
    """Return the metadata of a version of a model, or of all for None.

    Raises:
        RequestError: 404, there is no such model or version.
    """
    repository.find(name, version)
    versions = repository.models if version is None else [version]

    def tensor(name: str, width: int) -> list[dict[str, Any]]:
        return [{"name": name, "datatype": "FP32", "shape": [-1, width]}]

    return {
        "name": repository.default.name,
        "versions": [str(version) for version in versions],
        "platform": "onnxruntime_onnx",
        "inputs": tensor(INPUT[0], INPUT[2]),
        "outputs": tensor(OUTPUT[0], OUTPUT[2]),
    }


def config(model: Model, max_images: int) -> dict[str, Any]:
    """Return the fields of Triton's ModelConfig that apply here."""
    return {
        "name": model.name,
        "platform": "onnxruntime_onnx",
        "backend": "onnxruntime",
        "version_policy": {"all": {}},
        "max_batch_size": max_images,
        "input": [{"name": INPUT[0], "data_type": "TYPE_FP32", "dims": [INPUT[2]]}],
        "output": [{"name": OUTPUT[0], "data_type": "TYPE_FP32", "dims": [OUTPUT[2]]}],
    }


def statistics(
    repository: Repository, metrics: Metrics, name: str | None, version: int | None
) -> list[dict[str, Any]]:
    """Return Triton's statistics of a version, or of all for None.

    Raises:
        RequestError: 404, there is no such model or version.
    """
    repository.find(name, version)
    versions = repository.models if version is None else [version]
    return [_statistics(repository.models[v], metrics.totals(v)) for v in versions]


def _statistics(model: Model, totals: Totals) -> dict[str, Any]:
    """Return Triton's statistics; times in ns. No queue, no cache."""

    def entry(count: int, seconds: float) -> dict[str, int]:
        return {"count": count, "ns": round(seconds * 1e9)}

    requests, stages = totals.requests, totals.stage_seconds
    return {
        "name": model.name,
        "version": str(model.version),
        "last_inference": round(totals.last * 1000),
        "inference_count": totals.images,
        "execution_count": requests,
        "inference_stats": {
            "success": entry(requests, sum(stages.values())),
            "fail": entry(totals.refused, totals.refused_seconds),
            "queue": entry(requests, 0),
            "compute_input": entry(requests, stages["decode"]),
            "compute_infer": entry(requests, stages["infer"]),
            "compute_output": entry(requests, stages["encode"]),
            "cache_hit": entry(0, 0),
            "cache_miss": entry(0, 0),
        },
        "batch_stats": [],  # not kept by batch size
    }


def index(repository: Repository, only_ready: bool) -> list[dict[str, str]]:
    """Return the versions in the repository, with their states and the reasons."""
    states = dict.fromkeys(repository.models, ("READY", ""))
    if not only_ready:
        # The reasons name files of the server, so they stay in its log.
        refused = ("UNAVAILABLE", "refused when it was loaded; the server's log says why")
        states |= dict.fromkeys(repository.refused, refused)
    found = [(str(version), *state) for version, state in sorted(states.items())]
    if not only_ready:
        left_out = "UNAVAILABLE", "left out, for its name is no number of a version"
        found += [(name, *left_out) for name in repository.left_out]
    fields = "name", "version", "state", "reason"
    return [dict(zip(fields, (repository.default.name, *each))) for each in found]
