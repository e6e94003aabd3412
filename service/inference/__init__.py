"""Inference: a head and a body become an outcome. No socket, no Flask.

Both doors, `service.web` and `service.server`, call the same three methods:

    endpoint(path)                    where a path leads
    target(endpoint, query, headers)  a head, read once for all requests that have it
    answer(calls)                     requests that are there together → outcomes

access is who may ask, target is what a head asks for, batch is how calls are answered,
predictions is what the model says, probes is what orchestrators ask.
"""

from collections.abc import Sequence
from math import inf

from service.http import Headers
from service.inference.access import Access
from service.inference.batch import Answerer, Asked, Call, Learn
from service.inference.probes import Probes
from service.inference.target import Endpoint, Target, Targets, asked_version
from service.model.repository import Repository
from service.monitoring import Monitoring
from service.monitoring.counters import Counters
from service.monitoring.metrics import Metrics
from service.monitoring.outcome import Outcome
from service.monitoring.roster import Roster
from service.protocols import Limits
from service.settings import Settings

__all__ = ["Call", "Endpoint", "Inference", "Target", "asked_version"]


class Inference:
    """Answers inference requests; one per worker.

    Attributes:
        settings: the service's settings.
        repository: the versions that are served.
        access: who may ask.
        monitoring: where outcomes are recorded, by the doors.
        probes: answers health checks and scrapes.
    """

    def __init__(
        self,
        settings: Settings,
        repository: Repository,
        access: Access,
        monitoring: Monitoring,
    ) -> None:
        self.settings, self.repository = settings, repository
        self.access, self.monitoring = access, monitoring
        self.probes = Probes(repository, monitoring)
        self._targets = Targets(repository, access, settings.predict_route)
        limits = Limits(settings.max_images, settings.max_pixels)
        self._answerer = Answerer(limits, settings.max_body_bytes, monitoring.metrics)

    @classmethod
    def without_models(cls) -> "Inference":
        """Return one that answers nothing, for a server of another application."""
        settings = Settings()
        monitoring = Monitoring(Metrics(Counters(), (), ()), Roster())
        nothing = Repository({}, {}, None)  # type: ignore[arg-type]
        return cls(settings, nothing, Access(settings), monitoring)

    def endpoint(self, path: str) -> Endpoint | None:
        """Return where a path leads; None if it is not an inference path."""
        return self._targets.endpoints.get(path)

    def is_probe(self, path: str, headers: Headers, at_metrics: bool) -> bool:
        """Whether `probes` answers a GET.

        Args:
            path: its path.
            headers: its headers.
            at_metrics: whether it arrived at the address of the metrics.
        """
        if path not in self.access.probes or not self.repository.models:
            return False
        return self.access.refuse(path, headers, at_metrics) is None

    def target(self, endpoint: Endpoint, query: str, headers: Headers) -> Target:
        """Read a head: what is asked for, or why it is refused; raises nothing."""
        return self._targets.read(endpoint, query, headers)

    def answer(
        self, calls: Sequence[Asked], learn: Learn | None = None, until: float = inf
    ) -> list[Outcome | None]:
        """Answer calls that are there at the same time; none is recorded yet.

        Args:
            calls: the calls.
            learn: called for calls that were answered together, with their kind, the
                bytes of their bodies, and the seconds they took.
            until: when to stop, by ``time.perf_counter``; at least one is answered.

        Returns:
            The outcome of each call; None if there was no time for it.
        """
        return self._answerer.answer(calls, learn, until)
