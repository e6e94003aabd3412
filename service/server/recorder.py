"""Outcomes of requests that the WSGI application has not answered."""

from collections.abc import Sequence
from time import perf_counter

from service.errors import RequestError
from service.http import INTERNAL_ERROR, Reply, overloaded, refusal, request_id
from service.inference import Inference
from service.monitoring import log_bug
from service.monitoring.outcome import UNMATCHED, Outcome
from service.monitoring.trace_context import read_trace
from service.server.gateway import Done, Gateway
from service.server.http1.request import Ends
from service.server.pool import Head

OVERLOADED = refusal(overloaded("there is more to do than there is time for"))
GONE = refusal(RequestError(499, "found no client, expected one that waits for its reply"))
# To a client that has half closed its connection, or closed it.
ENDED = refusal(overloaded("the client has ended its side of the connection"))
ENDED = ENDED._replace(reason=GONE.reason)


class Recorder:
    """Makes outcomes, counts them, writes access lines and makes spans.

    Attributes:
        describes: whether outcomes need to say where their requests came from, because
            there is a log or spans.
    """

    def __init__(self, inference: Inference, gateway: Gateway) -> None:
        self._inference, self._gateway = inference, gateway
        self._monitoring = inference.monitoring
        self.describes = gateway.logs or self._monitoring.spans is not None

    def refused(self, head: Head | None, reply: Reply) -> Outcome:
        """Return the outcome of a request that was refused before anyone looked at it.

        Args:
            head: its head; None if it cannot be read.
            reply: the refusal.
        """
        if head is None:
            return Outcome("other", UNMATCHED, None, request_id(), reply)
        route, version = UNMATCHED, None
        if head.target is not None:
            route, version = head.target.route, head.target.version
        elif endpoint := self._inference.endpoint(head.path):
            route = endpoint.route
        used_id, received = head.request_id or request_id(), head.length or 0
        return Outcome(head.method, route, version, used_id, reply, received)

    def probe(self, ends: Ends, head: Head) -> Outcome:
        """Answer a health check or a scrape, and log it; they are not counted."""
        began, used_id = perf_counter(), head.request_id or request_id()
        reply = self._inference.probes.reply(head.path)
        outcome = Outcome(head.method, head.path, None, used_id, reply)
        outcome.seconds = perf_counter() - began
        self.log([(ends, head, outcome)])
        return outcome

    def bug(self, ends: Ends, head: Head, error: Exception) -> Outcome:
        """Record that answering a request has failed; its reply says no more."""
        used_id = head.request_id or request_id()
        outcome = Outcome(
            head.method, UNMATCHED, None, used_id, INTERNAL_ERROR, error=error
        )
        self.log_bug(ends, head, outcome)
        self.count([outcome])
        self.log([(ends, head, outcome)])
        return outcome

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

    def log_bug(self, ends: Ends, head: Head, outcome: Outcome) -> None:
        """Log the traceback behind a reply of 500."""
        _describe(ends, head, outcome)
        log_bug(outcome)


def _describe(ends: Ends, head: Head | None, outcome: Outcome) -> None:
    """Add where a request came from."""
    outcome.client = ends.peer[0]
    if head is not None:
        outcome.head, outcome.trace = head.facts, read_trace(head.fields)
