"""Recording the outcomes of requests that the WSGI application has not answered."""

from collections.abc import Sequence

from service.inference import Inference
from service.monitoring import log_bug
from service.monitoring.outcome import Outcome
from service.monitoring.trace_context import read_trace
from service.server.gateway import Done, Gateway
from service.server.http1.request import Ends, RequestHead


class Recorder:
    """Counts outcomes, writes access lines and makes spans.

    Attributes:
        describes: whether outcomes need to say where their requests came from, because
            there is a log or spans.
    """

    def __init__(self, inference: Inference, gateway: Gateway) -> None:
        self._monitoring, self._gateway = inference.monitoring, gateway
        self.describes = gateway.logs or self._monitoring.spans is not None

    def count(self, outcomes: Sequence[Outcome]) -> None:
        """Count outcomes."""
        self._monitoring.count(outcomes)

    def count_turn(self, seconds: float) -> None:
        """Count a turn of the loop, from its first request to its last reply."""
        self._monitoring.metrics.count_turn(seconds)

    def log(self, done: Sequence[Done]) -> None:
        """Write access lines, if they are enabled."""
        if self.describes:
            for one in done:
                _describe(*one)
        if self._gateway.logs:
            self._gateway.log(done)

    def trace(self, outcomes: Sequence[Outcome]) -> None:
        """Make spans of outcomes that were logged, if they are enabled."""
        self._monitoring.trace(outcomes)

    def log_bug(self, ends: Ends, head: RequestHead, outcome: Outcome) -> None:
        """Log the traceback behind a reply of 500."""
        _describe(ends, head, outcome)
        log_bug(outcome)


def _describe(ends: Ends, head: RequestHead | None, outcome: Outcome) -> None:
    """Add where a request came from."""
    outcome.client = ends.peer[0]
    if head is not None:
        outcome.head, outcome.trace = head.facts, read_trace(head.fields)
