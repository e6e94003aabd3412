"""The answers to everything but inference: health, metadata, statistics, the repository."""

from collections.abc import Callable
from typing import Any

from service.errors import RequestError
from service.inference import Inference, asked_version, descriptions

# They are answered without a key, and not counted, as all health checks.
HEALTH = {"ServerLive", "ServerReady", "ModelReady"}


class Answers:
    """Answers methods by name; each answer is the fields of a message.

    Args:
        inference: the models, and what is known of them.
        release: the service's version.
    """

    def __init__(self, inference: Inference, release: str) -> None:
        self._repository = inference.repository
        self._monitoring = inference.monitoring
        self._max_images = inference.settings.max_images
        self._release = release
        self.methods: dict[str, Callable[[Any], dict[str, Any]]] = {
            "ServerLive": lambda request: {"live": True},
            "ServerReady": lambda request: {"ready": self._is_ready()},
            "ModelReady": self._model_ready,
            "ServerMetadata": lambda request: descriptions.server(self._release),
            "ModelMetadata": self._metadata,
            "ModelConfig": self._config,
            "ModelStatistics": self._statistics,
            "RepositoryIndex": self._index,
        }

    def _is_ready(self) -> bool:
        # A worker answers only once its models are loaded, checked and warmed up.
        return self._monitoring.roster.is_open()

    def _model_ready(self, request: Any) -> dict[str, Any]:
        try:
            self._repository.find(request.name, _version(request))
        except RequestError:  # as Triton: whatever there is not is not ready
            return {"ready": False}
        return {"ready": self._is_ready()}

    def _metadata(self, request: Any) -> dict[str, Any]:
        version = _version(request)
        return descriptions.metadata(self._repository, request.name, version)

    def _config(self, request: Any) -> dict[str, Any]:
        model = self._repository.find(request.name, _version(request))
        return {"config": descriptions.config(model, self._max_images)}

    def _statistics(self, request: Any) -> dict[str, Any]:
        name, version = request.name or None, _version(request)
        metrics = self._monitoring.metrics
        found = descriptions.statistics(self._repository, metrics, name, version)
        return {"model_stats": found}

    def _index(self, request: Any) -> dict[str, Any]:
        return {"models": descriptions.index(self._repository, request.ready)}


def _version(request: Any) -> int | None:
    """Return the version that a request names, or raise RequestError (400)."""
    return asked_version({"version": request.version} if request.version else {})
