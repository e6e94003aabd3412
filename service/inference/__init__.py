"""Inference: a head and a body become an outcome. No socket, no Flask.

Both doors, `service.web` and `service.server`, call the same three methods:

    endpoint(path)                    where a path leads
    target(endpoint, query, headers)  a head, read once for all requests that have it
    answer(calls)                     requests that are there together → outcomes

access is who may ask, target is what a head asks for, batch is how calls are answered,
deadline is until when, predictions is what the model says, probes is what orchestrators
ask, traffic is which calls another version answers. What reads answered calls later: mirror
compares a shadow, and samples keeps a few.
"""

from collections.abc import Sequence
from math import inf

from service.http import Headers, request_ids
from service.inference.access import Access
from service.inference.batch import Answerer, Asked, Call, Learn, Stay
from service.inference.later import Later, Reader
from service.inference.mirror import Mirror
from service.inference.probes import Probes
from service.inference.samples import Sampler, Store
from service.inference.target import CANARY, Endpoint, Target, Targets, asked_version
from service.inference.traffic import Canary, Plan, is_chosen
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
        canary: which requests another version than the default answers; None for none.
        later: what reads answered requests; None if nothing does.
        samples: the folder of samples; None if none are kept.
    """

    def __init__(
        self,
        settings: Settings,
        repository: Repository,
        access: Access,
        monitoring: Monitoring,
        plan: Plan = Plan(),  # noqa: B008 - frozen
    ) -> None:
        self.settings, self.repository = settings, repository
        self.access, self.monitoring = access, monitoring
        self.probes = Probes(repository, monitoring)
        self.canary = plan.canary
        self._targets = Targets(repository, access, settings.predict_route, plan.canary)
        limits = Limits(settings.max_images, settings.max_pixels)
        metrics, most = monitoring.metrics, settings.max_body_bytes
        self._answerer = Answerer(limits, most, metrics)
        self.samples: Store | None = None
        readers: list[Reader] = []
        if plan.shadow is not None:
            readers.append(Mirror(plan.shadow, repository, metrics))
        if settings.samples is not None:
            self.samples = Store(settings.samples, settings.samples_mb * 1_000_000)
            readers.append(Sampler(self.samples, settings.samples_percent, metrics))
        self.later = Later(readers, limits, most) if readers else None

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
        self,
        calls: Sequence[Asked],
        learn: Learn | None = None,
        until: float = inf,
        stay: Stay | None = None,
    ) -> list[Outcome | None]:
        """Answer calls that are there at the same time; none is recorded yet.

        Args:
            calls: the calls.
            learn: called for calls that were answered together, with their kind, the
                bytes of their bodies, and the seconds they took.
            until: when to stop, by ``time.perf_counter``; at least one is answered.
            stay: called before calls are answered together, with their places; returns
                those of them that somebody waits for.

        Returns:
            The outcome of each call; None if there was no time for it, or no client.
        """
        if self.canary is not None and not self.canary.header:
            calls = _split(calls, self.canary)
            learn = learn and _learn_together(learn)
        outcomes = self._answerer.answer(calls, learn, until, stay)
        if self.later is not None:
            self.later.note(calls, outcomes)
        return outcomes


def _split(calls: Sequence[Asked], canary: Canary) -> Sequence[Asked]:
    """Let the canary answer those that are chosen by their id, which may be new."""
    ids = request_ids([call.request_id for call in calls])
    found = []
    for call, used_id in zip(calls, ids):
        target = call.target
        if target.canary is not None and is_chosen(used_id, canary.percent):
            target = target.canary
        found.append(Call(target, call.body, used_id, call.since))
    return found


def _learn_together(learn: Learn) -> Learn:
    """Let what the canary takes count for the kind as which a request was admitted."""

    def learn_of(kind: int, size: int, seconds: float) -> None:
        learn(kind - kind % (CANARY + 1), size, seconds)

    return learn_of
