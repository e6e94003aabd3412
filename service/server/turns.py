"""Turns of the loop: what arrives in one is admitted, answered together, or refused."""

import socket
from collections.abc import Callable, Sequence
from functools import partial
from math import inf
from operator import attrgetter
from time import perf_counter
from typing import Any, cast

from service.errors import RequestError
from service.http import Reply, refusal, request_id
from service.inference import Inference
from service.inference.access import METRICS
from service.inference.batch import MOST_BYTES
from service.monitoring.outcome import UNMATCHED, Outcome
from service.server.acceptor import reply_and_close
from service.server.admission import CONNECT_S, OTHER, Admission
from service.server.gateway import Done, Gateway
from service.server.http1.request import Ends, RequestHead
from service.server.http1.response import Writer
from service.server.pool import Asker, Head, Item, Pool, who_ended
from service.server.recorder import ENDED, GONE, OVERLOADED, Recorder

# A batch with more bytes is answered before the loop turns. Replies that are sent together
# wake a client once: with 2 MiB, forty requests of 64 images as bytes, the service answers
# half as many again as with one or two of them, and more change nothing.
BATCH_BYTES = 1 << 21
# Seconds after which a turn pauses to look at sockets and probes; longer than most turns.
SLICE_S = 0.05


class Turns:
    """Takes requests from connections, and gives their replies back.

    Attributes:
        closing: whether connections are to end after their next reply.
        accepts_all: whether everything is answered, because the worker stops.

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
        self._left, self._on_last = most_requests, on_last
        self._recorder = Recorder(inference, gateway)
        # Answered at once, and even if there is no time for anything else.
        self._urgent = inference.access.health | {METRICS}
        self._running, self._began, self._batch_bytes = False, 0.0, 0
        self._batch: list[Item] = []
        self._others: list[Item] = []  # for the application
        self._pausing = False  # this turn goes on after the loop has looked at its sockets
        self._refused: list[Done] = []
        self.closing = self.accepts_all = False

    def take(
        self, connection: Asker, head: Head, body: bytes | memoryview, whole: bool
    ) -> None:
        """Answer a request now or in the loop's next turn, or refuse it: see `Callee`."""
        self._begin()
        target, size = head.target, len(body)
        kind, cost = (OTHER, 1) if target is None else (target.kind, size)
        urgent, patience = head.path in self._urgent, inf
        if not (urgent or self.accepts_all):
            patience = self._admission.admit(kind, cost)
            if not patience:
                self._give_up(connection, head)
                return
        self._left -= 1
        if self._left == 0:
            self._on_last()
        if self.closing:
            head = head.closing()
        deadline, used_id = self._admission.clock + patience, head.request_id
        timed = target is not None and target.timeout_s is not None
        since = perf_counter() if timed else self._began
        body = body if isinstance(body, bytes) else bytes(body)
        item = Item(target, body, used_id, since, connection, head, deadline, kind)
        if target is not None and whole:
            self._batch.append(item)
            self._batch_bytes += size
            if self._batch_bytes > BATCH_BYTES and not self._pausing:
                self._answer()
        elif not (head.is_probe or self._gateway.loaded):
            self._gateway.load(partial(self._take_up, item))
        elif urgent:
            self._call(item)
        else:
            self._others.append(item)

    def _take_up(self, item: Item) -> None:
        """Answer what has waited for the application to be loaded."""
        self._begin()
        self._others.append(item)

    def refuse(self, connection: Asker, error: RequestError, head: Head | None) -> None:
        """Refuse what is not a whole request, and hang up: see `Callee`."""
        self._begin()
        self._refuse(connection, head and head.closing(), refusal(error))
        connection.hang_up()

    def turn_away(self, client: socket.socket, peer: Any, waiting: int) -> bool:
        """Refuse a new client in an overload, if its request has arrived whole.

        Args:
            client: its socket.
            peer: its address.
            waiting: clients that wait to be accepted, including this one, if many do.
        """
        ended = self._doubts and bool(who_ended([client.fileno()]))
        if not (ended or waiting):
            return False
        self._begin()
        if not ended and self._admission.admit_new(waiting):
            return False
        reply, used_id = ENDED if ended else OVERLOADED, request_id()
        if not reply_and_close(client, self._writer.write(reply, used_id, False), ended):
            return False
        if not ended:
            self._admission.count_refusal(CONNECT_S)  # as many are admitted as are refused
        outcome = Outcome("POST", UNMATCHED, None, used_id, reply)
        self._refused.append((Ends(peer, None), None, outcome))
        return True

    # Refusing.

    def _give_up(self, connection: Asker, head: Head, reply: Reply = OVERLOADED) -> None:
        """Refuse a whole request, and let its connection go on."""
        self._refuse(connection, head, reply)
        connection.go_on(head.keep_alive)

    def _refuse(self, connection: Asker, head: Head | None, reply: Reply) -> None:
        """Send a refusal, to be counted and logged at the end of the turn."""
        outcome = self._recorder.refused(head, reply)
        keep, version = (head.keep_alive, head.version) if head else (False, (1, 1))
        content = self._writer.write(reply, outcome.request_id, keep, version[1])
        connection.send(content if version[0] == 1 else outcome)
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
        self._running = self._pausing = False
        self._answer()
        self._call_others()
        self._admission.end_turn()
        if self._batch or self._others:
            self._pause()
        if self._refused:
            refused, self._refused = self._refused, []
            self._recorder.count([outcome for _, _, outcome in refused])
            self._recorder.log(refused)  # without spans: each takes as long as a refusal
        self._recorder.count_turn(perf_counter() - self._began)
        if self._batch or self._others:
            self._begin()

    def _answer(self) -> None:
        """Answer the inference requests that have arrived since the last time."""
        items, self._batch, self._batch_bytes = self._wanted(self._batch), [], 0
        if not items:
            return  # a full batch was answered already
        if self._admission.has_heavy():  # light requests do not wait for those
            items.sort(key=attrgetter("deadline"))
        began = perf_counter()
        note = self._admission.begin_sample()
        # The batch may take 10 ms: clients that leave meanwhile are left out.
        stay = partial(self._staying, items) if self._doubts else None
        found = self._inference.answer(items, note, began + SLICE_S, stay)
        self._admission.end_sample(perf_counter() - began)
        if None in found:
            self._pausing = True
            self._batch = [it for it, outcome in zip(items, found) if outcome is None]
            items = [it for it, outcome in zip(items, found) if outcome is not None]
        self._reply(items, [outcome for outcome in found if outcome is not None])

    def _wanted(self, items: list[Item]) -> list[Item]:
        """Return the requests that somebody waits for, and refuse the others."""
        stay = self._staying(items, range(len(items)))
        if len(stay) == len(items):
            return items
        for place in {*range(len(items))}.difference(stay):
            client, head = items[place].connection, items[place].head
            self._give_up(client, head, GONE if client.gone else ENDED)
        return [items[place] for place in stay]

    def _staying(self, items: list[Item], places: Sequence[int]) -> list[int]:
        """Return the places of the requests that somebody waits for."""
        asked = [items[place].connection for place in places]
        ended = who_ended([it.file for it in asked]) if self._doubts else ()
        return [at for at, it in zip(places, asked) if not (it.gone or it.file in ended)]

    @property
    def _doubts(self) -> bool:
        """Whether a client that has ended its side counts as one that has left.

        It may only have half closed; during overload, those that surely wait go first.
        """
        return self._admission.overload and not self.accepts_all

    def _reply(self, batch: list[Item], outcomes: list[Outcome]) -> None:
        """Count outcomes, send their replies, log and trace."""
        # Counted before it is sent: a client that has its reply finds it in the metrics.
        self._recorder.count(outcomes)
        for item, outcome in zip(batch, outcomes):
            if outcome.error is not None:
                self._recorder.log_bug(item.connection.ends, item.head, outcome)
        write = self._writer.write
        contents = [
            write(outcome.reply, outcome.request_id, head.keep_alive, head.version[1])
            if head.version[0] == 1
            else outcome
            for (_, _, _, _, _, head, _, _), outcome in zip(batch, outcomes)
        ]
        # One right after the other: in a pause the client's core would fall asleep, and
        # waking it up costs more than writing.
        for item, content in zip(batch, contents):
            item.connection.send(content)
        for item in batch:
            item.connection.go_on(item.head.keep_alive)
        if self._recorder.describes:
            pairs = zip(batch, outcomes)
            self._recorder.log([(it.connection.ends, it.head, o) for it, o in pairs])
            self._recorder.trace(outcomes)

    def _call_others(self) -> None:
        """Let the application answer what is its own, as far as there is time."""
        until = perf_counter() + SLICE_S
        for number, item in enumerate(self._others):
            if number and perf_counter() > until:
                del self._others[:number]
                return
            self._call(item)
        self._others.clear()

    def _pause(self) -> None:
        """Keep what there was no time for, but what has waited for too long."""
        self._admission.read_clock()
        self._batch = [item for item in self._wanted(self._batch) if self._may_wait(item)]
        self._batch_bytes = sum(len(item.body) for item in self._batch)
        self._others = [item for item in self._wanted(self._others) if self._may_wait(item)]

    def _may_wait(self, item: Item) -> bool:
        """Return whether a request may wait on; refuse it if not."""
        if item.deadline < self._admission.clock and not self.accepts_all:
            self._admission.count_refusal()
            self._give_up(item.connection, item.head)
            return False
        self._admission.keep(item.kind, 1 if item.kind == OTHER else len(item.body))
        return True

    def _call(self, item: Item) -> None:
        """Let the application answer, or answer for it if it fails."""
        connection, head = item.connection, cast(RequestHead, item.head)
        start = perf_counter()
        self._admission.begin_sample()
        outcome, keep = None, head.keep_alive
        try:
            if head.is_probe:
                outcome = self._recorder.probe(connection.ends, head)
            else:
                content, keep = self._gateway.call(connection.ends, head, item.body)
        except Exception as error:
            outcome, keep = self._recorder.bug(connection.ends, head, error), False
        if outcome is not None:
            used_id = outcome.request_id
            content = self._writer.write(outcome.reply, used_id, keep, head.version[1])
        if head.path not in self._urgent:
            self._admission.end_other(perf_counter() - start)
        connection.send(content)
        connection.go_on(keep)
