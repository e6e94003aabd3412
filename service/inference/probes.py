"""What orchestrators and Prometheus ask, answered without Flask: health and metrics."""

from service.http import Reply, json, readiness
from service.inference.access import LIVE, METRICS
from service.model.repository import Repository
from service.monitoring import Monitoring

# Of this moment: nobody is to keep it.
NO_STORE = (("Cache-Control", "no-store"),)


class Probes:
    """Answers GET of the paths in `Access.probes`.

    Args:
        repository: whose versions the metrics list.
        monitoring: the metrics and the workers.
    """

    def __init__(self, repository: Repository, monitoring: Monitoring) -> None:
        self._monitoring = monitoring
        default = repository.default and repository.default.version
        states = {v: "default" if v == default else "served" for v in repository.models}
        self._states = states | dict.fromkeys(repository.refused, "refused")

    def reply(self, path: str) -> Reply:
        """Return the reply to one of them."""
        if path == METRICS:
            found = self._metrics()
        elif path == LIVE:
            found = json({"live": True})
        else:
            # A worker answers only once its models are loaded, checked and warmed up.
            found = readiness(self._monitoring.roster.is_open())
        return found._replace(headers=found.headers + NO_STORE)

    def _metrics(self) -> Reply:
        # Here: prometheus_client takes 12 ms, and not every service is scraped.
        from service.monitoring.exposition import Exposition

        metrics, roster = self._monitoring.metrics, self._monitoring.roster
        text, content_type = Exposition(metrics, roster, self._states).text()
        return Reply(200, text, content_type)
