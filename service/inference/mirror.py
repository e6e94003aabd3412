"""A shadow: a version that nobody hears, compared with the default on what that answers."""

from collections.abc import Callable

import numpy as np

from service.inference.later import Seen
from service.inference.target import Target
from service.inference.traffic import Shadow, is_chosen
from service.model.repository import Repository
from service.monitoring.metrics import Metrics


class Mirror:
    """Compares a shadow with the default version; a `later.Reader`.

    Args:
        shadow: which version, and its share.
        repository: the versions that are served.
        metrics: where the comparisons are counted.
    """

    NAME = "the shadow"

    def __init__(self, shadow: Shadow, repository: Repository, metrics: Metrics) -> None:
        self._percent, self._metrics = shadow.percent, metrics
        self._default, self._model = repository.default, repository.models[shadow.version]
        metrics.start_shadow(shadow.version)

    def wants(self, target: Target, request_id: str) -> bool:
        """Return whether the default has answered, and the id is in the share."""
        chosen = is_chosen(request_id, self._percent, b"shadow")
        return chosen and target.model is self._default

    def read(self, seen: Seen) -> None:
        """Compare the digits of a request."""
        found = self._model.predict(seen.images)
        digits = found.argmax(axis=1)
        agree = int(np.count_nonzero(digits == seen.probabilities.argmax(axis=1)))
        confidence = found[np.arange(len(digits)), digits]
        self._metrics.count_comparison(self._model.version, agree, confidence)
        self.count("compared")

    def count(self, result: str) -> None:
        """Count a request by what became of it."""
        self._metrics.count_shadow(self._model.version, result)

    def job(self) -> Callable[[], None] | None:
        """Return nothing: a comparison leaves nothing to do."""
