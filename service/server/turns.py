"""Turns of the loop: what arrives in one is admitted, answered together, or refused."""

import socket
from collections.abc import Callable
from time import perf_counter
from typing import Any

from service.errors import RequestError
from service.http import INTERNAL_ERROR, Reply, overloaded, refusal, request_id
from service.inference import Call, Inference
from service.inference.access import HEALTH, METRICS
from service.inference.batch import MOST_BYTES
from service.monitoring import log_bug
from service.monitoring.outcome import UNMATCHED, Outcome
from service.monitoring.trace_context import read_trace
from service.server.acceptor import reply_and_close
from service.server.admission import CONNECT_S, OTHER, Admission
from service.server.connection import Connection
from service.server.gateway import Done, Gateway
from service.server.http1.request import Ends, RequestHead
from service.server.http1.response import Writer
from service.server.pool import Pool

# A batch with more bytes is answered before the loop turns. Replies that are sent together
# wake a client once: with 2 MiB, forty requests of 64 images as bytes, the service answers
# half as many again as with one or two of them, and more change nothing.
BATCH_BYTES = 1 << 21
# Answered even if there is no time for anything else.
URGENT = {*HEALTH, METRICS}

_Item = tuple[Connection, RequestHead, Call]


class Turns:
    """Takes requests from connections, and gives their replies back.

    Attributes:
        closing: whether connections are to end after their next reply.
        accepts_all: whether everything is admitted, because the worker stops.

    Args:
        pool: what the connections share.
        inference: answers inference.
        gateway: calls the application for everything else.
        writer: renders replies.
        admission: decides which requests there is time for.
        most_requests: how many requests to take before `on_last`.
        on_last: called with the last of these.
    """

    def __init__(
        self,
        pool: Pool,
        inference: Inference,
        gateway: Gateway,
        writer: Writer,
        admission: Admission,
        most_requests: int,
        on_last: Callable[[], None],
    ) -> None:
        self._pool, self._inference, self._gateway = pool, inference, gateway
        self._writer, self._admission = writer, admission
        self._monitoring = inference.monitoring
        self._left, self._on_last = most_requests, on_last
        self._overloaded = refusal(overloaded("there is more to do than there is time for"))
        # Only then do outcomes need to say where their requests came from.
        self._described = gateway.logs or self._monitoring.spans is not None
        self._running, self._began = False, 0.0
        self._batch: list[_Item] = []
        self._batch_bytes = 0
        self._refused: list[Done] = []
        self.closing = self.accepts_all = False

    # Called by connections and the acceptor.

    def take(
        self,
        connection: Connection,
        head: RequestHead,
        body: bytes | memoryview,
        whole: bool,
    ) -> None:
        """Answer a request now or in the loop's next turn, or refuse it: see `Callee`."""
        self._begin()
        target, size = head.target, len(body)
        kind, cost = (OTHER, 1) if target is None else (target.kind, size)
        # While stopping, everything that was accepted is answered.
        urgent = head.path in URGENT or self.accepts_all
        if not urgent and not self._admission.admit(kind, cost):
            self._refuse(connection, head, self._overloaded)
            connection.go_on(head.keep_alive)
            return
        self._left -= 1
        if self._left == 0:
            self._on_last()
        if self.closing:
            head = head.closing()
        if target is None or not whole:
            self._call(connection, head, bytes(body))
            return
        call = Call(target, bytes(body), head.request_id)
        self._batch.append((connection, head, call))
        self._batch_bytes += size
        if self._batch_bytes > BATCH_BYTES:
            self._answer()

    def refuse(
        self, connection: Connection, error: RequestError, head: RequestHead | None
    ) -> None:
        """Refuse what is not a whole request, and hang up: see `Callee`."""
        self._begin()
        self._refuse(connection, head and head.closing(), refusal(error))
        connection.hang_up()

    def turn_away(self, client: socket.socket, peer: Any, waiting: int) -> bool:
        """Refuse a new client, if there is no time and its request has arrived whole.

        Args:
            client: its socket.
            peer: its address.
            waiting: clients that wait to be accepted, including this one.
        """
        self._begin()
        if self._admission.admit_new(waiting):
            return False
        used_id = request_id()
        content = self._writer.write(self._overloaded, used_id, False)
        if not reply_and_close(client, content):
            return False
        self._admission.count_refusal(CONNECT_S)  # as many are admitted as are refused
        outcome = Outcome("POST", UNMATCHED, None, used_id, self._overloaded)
        self._refused.append((Ends(peer, None), None, outcome))
        return True

    # Refusing.

    def _refuse(
        self, connection: Connection, head: RequestHead | None, reply: Reply
    ) -> None:
        """Send a refusal, to be counted and logged at the end of the turn."""
        method, route, version, used_id = "other", UNMATCHED, None, ""
        keep, minor = False, 1
        if head is not None:
            method, used_id = head.method, head.request_id
            keep, minor = head.keep_alive, head.version[1]
            if head.target is not None:
                route, version = head.target.route, head.target.version
            elif endpoint := self._inference.endpoint(head.path):
                route = endpoint.route
        used_id = used_id or request_id()
        connection.send(self._writer.write(reply, used_id, keep, minor))
        received = head.length or 0 if head is not None else 0
        outcome = Outcome(method, route, version, used_id, reply, received)
        self._refused.append((connection.ends, head, outcome))

    # Turns.

    def _begin(self) -> None:
        if not self._running:
            self._running, self._began = True, perf_counter()
            self._pool.loop.call_soon(self._end, 1)

    def _end(self, seen: int) -> None:
        """Answer what has arrived, unless the loop's last turn brought more than before.

        Then the next may bring more again: looking costs less than answering in two
        batches. Nobody waits for that: a turn that brings nothing takes a microsecond.
        """
        if seen < len(self._batch) and self._batch_bytes < MOST_BYTES:
            self._pool.loop.call_soon(self._end, len(self._batch))
            return
        self._running = False
        self._admission.end_turn()
        self._answer()
        if self._refused:
            refused, self._refused = self._refused, []
            self._monitoring.count([outcome for _, _, outcome in refused])
            self._log(refused)  # without spans: each takes as long as a refusal
        self._monitoring.metrics.count_turn(perf_counter() - self._began)

    def _answer(self) -> None:
        """Answer the inference requests that have arrived since the last time."""
        batch, self._batch, self._batch_bytes = self._batch, [], 0
        if not batch:
            return  # a full batch was answered already
        calls = [call for _, _, call in batch]
        outcomes = self._inference.answer(calls, self._admission.learn)
        # Counted before it is sent: a client that has its reply finds it in the metrics.
        self._monitoring.count(outcomes)
        for (connection, head, _), outcome in zip(batch, outcomes):
            if outcome.error is not None:
                self._log_bug(connection, head, outcome)
        write = self._writer.write
        contents = [
            write(outcome.reply, outcome.request_id, head.keep_alive, head.version[1])
            for (_, head, _), outcome in zip(batch, outcomes)
        ]
        # One right after the other: in a pause the client's core would fall asleep, and
        # waking it up costs more than writing.
        for (connection, _, _), content in zip(batch, contents):
            connection.send(content)
        for connection, head, _ in batch:
            connection.go_on(head.keep_alive)
        if self._described:
            self._log([(c.ends, head, it) for (c, head, _), it in zip(batch, outcomes)])
            self._monitoring.trace(outcomes)

    def _log(self, done: list[Done]) -> None:
        """Write access lines of requests that the application has not answered."""
        if self._described:
            for ends, head, outcome in done:
                _describe(outcome, ends, head)
        if self._gateway.logs:
            self._gateway.log(done)

    @staticmethod
    def _log_bug(connection: Connection, head: RequestHead, outcome: Outcome) -> None:
        _describe(outcome, connection.ends, head)
        log_bug(outcome)

    def _call(self, connection: Connection, head: RequestHead, body: bytes) -> None:
        """Let the application answer, or answer for it if it fails."""
        start = perf_counter()
        try:
            content, keep = self._gateway.call(connection.ends, head, body)
        except Exception as error:
            used_id, keep = head.request_id or request_id(), False
            reply = INTERNAL_ERROR
            outcome = Outcome(head.method, UNMATCHED, None, used_id, reply, error=error)
            self._log_bug(connection, head, outcome)
            self._monitoring.count([outcome])
            self._log([(connection.ends, head, outcome)])
            content = self._writer.write(reply, used_id, keep, head.version[1])
        if head.path not in URGENT:
            self._admission.learn(OTHER, 1, perf_counter() - start)
        connection.send(content)
        connection.go_on(keep)


def _describe(outcome: Outcome, ends: Ends, head: RequestHead | None) -> None:
    """Add where a request came from."""
    outcome.client = ends.peer[0]
    if head is not None:
        outcome.head, outcome.trace = head.facts, read_trace(head.fields)
