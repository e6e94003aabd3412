"""What happened, for three readers: metrics, access log and spans.

Every request ends as one `Outcome`, which each door records once:

    outcome        the record
    table          every metric, declared once
    counters       rows of numbers in memory that the workers share
    roster         which workers there are, and how full they are
    metrics        outcomes and predictions as counts
    exposition     counts as Prometheus's text
    access_log     outcomes as lines; json_lines and nonblocking format and write them
    spans          outcomes as OpenTelemetry spans, only imported if wanted
    trace_context  the header traceparent
"""

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from service.errors import SettingsError
from service.monitoring.trace_context import context

# Only types: gunicorn's master imports this package too, and needs no NumPy.
if TYPE_CHECKING:
    from service.monitoring.metrics import Metrics
    from service.monitoring.outcome import Outcome
    from service.monitoring.roster import Roster
    from service.monitoring.spans import Spans

logger = logging.getLogger(__name__)


class Monitoring:
    """Records what happened in this worker.

    Attributes:
        metrics: the counters.
        roster: the workers of the service.
        spans: makes spans; None if there are to be none.
    """

    def __init__(
        self, metrics: "Metrics", roster: "Roster", spans: "Spans | None" = None
    ) -> None:
        self.metrics, self.roster, self.spans = metrics, roster, spans

    def count(self, outcomes: "Sequence[Outcome]") -> None:
        """Count requests that were answered together."""
        self.metrics.count_outcomes(outcomes)

    def trace(self, outcomes: "Sequence[Outcome]") -> None:
        """Make spans of requests that were answered, if they are wanted."""
        if self.spans is not None:
            self.spans.record(outcomes)


def log_bug(outcome: "Outcome") -> None:
    """Log the traceback behind a reply of 500."""
    known, trace = outcome.request_id, outcome.trace
    of = f" of trace {trace.trace_id} from span {trace.parent_id}" if trace else ""
    logger.error(
        "request %s%s failed",
        known,
        of,
        exc_info=outcome.error,
        extra=context(known, trace),
    )


def make_spans() -> "Spans":
    """Return what makes spans.

    Raises:
        SettingsError: the packages are missing, or a variable of the SDK cannot work.
    """
    return import_spans()()


def import_spans() -> "type[Spans]":
    """Import what makes spans, from packages that are installed only where wanted.

    Raises:
        SettingsError: the packages are missing.
    """
    try:
        from service.monitoring.spans import Spans
    except ModuleNotFoundError as error:
        raise SettingsError(
            f"MNIST_TRACING has value '1', and the package {error.name} is missing, "
            "expected those of requirements/tracing.txt"
        ) from error
    return Spans
