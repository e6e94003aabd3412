"""The application without its counters, to measure their cost."""

from service import wsgi
from service.monitoring import metrics


class Unobserved(metrics.Metrics):
    """Counts nothing."""


def _nothing(*_, **__):
    pass


for _name in vars(metrics.Metrics):
    if _name.startswith("count_"):
        setattr(Unobserved, _name, _nothing)


def load():
    """Return the application as `service.wsgi.load` does."""
    metrics.Metrics = Unobserved
    return wsgi.load()
