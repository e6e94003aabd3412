"""A gunicorn worker on uvloop and httptools that calls the application inline.

gunicorn stays the master: it binds, forks, watches, reloads and stops. This worker collects
whole requests (`connection`), answers inference the short way (`short_way`), and gives all
others to the WSGI application (`gateway`).
"""

import asyncio
import contextlib
import gc
import os
import signal
import socket
from collections import Counter
from time import monotonic, perf_counter, process_time
from typing import Any, NamedTuple

import uvloop
from gunicorn.workers import base

from service import board
from service.acceptor import Acceptor, queued
from service.access import HEALTH, METRICS
from service.admission import CONNECT_S, OTHER, Admission
from service.connection import LINGER_S, Connection
from service.door import turn_away
from service.gateway import Gateway
from service.heads import Heads
from service.http1 import Request
from service.inference import MOST_BYTES
from service.machine import resident_bytes
from service.replies import Reply, bug, overloaded, refusal, request_id
from service.settings import Settings
from service.short_way import Inquiry, ShortWay
from service.trace_context import read_trace
from service.writer import Writer, finish

# How often deadlines are looked at, and so how late one can be; the master's heartbeat too.
SWEEP_S = 0.5
# The same while stopping, where someone waits for the end.
DRAIN_SWEEP_S = 0.02
# A batch of more is answered before the loop turns. Replies that go out together wake a
# client once: with 2 MiB, forty requests of 64 images as bytes, the service answers half as
# many again as with one or two of them, and more change nothing.
BATCH_BYTES = 1 << 21
# Slow clients that are refused before the loop turns, in about a millisecond: a thousand at
# once must not keep the others waiting.
EXPIRE_AT_ONCE = 10
# What one read takes from the kernel at most: as much as uvloop's own buffer.
INBOX_BYTES = 1 << 18
# What is kept for all clients that are not done, in bodies of the largest size: as many as
# come at a time in earnest, 128 MiB by default.
MOST_BODIES = 32
# Answered even where there is no time for anything else.
URGENT = {*HEALTH, METRICS}


class _Waiting(NamedTuple):
    connection: Connection
    request: Request
    asked: tuple[Inquiry, bytes]


class Worker(base.Worker):  # type: ignore[misc]
    """The worker class.

    Attributes:
        loop: the event loop.
        connections: those that are open.
        client_seconds: how long a client may take for a head, a body, or to read a reply.
        keepalive: seconds that a connection may wait for its next request.
        max_body_bytes: most bytes of a body.
        inbox: where the kernel writes what comes, before the next read overwrites it.
        heads: those that have been read before.
        writer: writes replies out.
        held_bytes: what is kept for clients that are not done.
        most_bytes: how much that may be.
    """

    alive: bool

    @classmethod
    def check_config(cls, cfg: Any, log: Any) -> None:
        """Refuse what this worker cannot do, before anything starts."""
        if cfg.is_ssl:
            raise ValueError("found a certfile or keyfile, expected none: use gthread")

    def run(self) -> None:
        """Serve until gunicorn, or the number of requests, ends it."""
        extensions = getattr(self.wsgi, "extensions", {})
        settings: Settings = extensions.get("settings", Settings())
        self.client_seconds = settings.client_seconds
        self.keepalive = self.cfg.keepalive  # a look into cfg costs a microsecond
        self.max_body_bytes = settings.max_body_bytes
        self._metrics = extensions.get("metrics")
        self._tracing = extensions.get("tracing")
        self._admission = Admission(settings.max_wait_ms / 1000, self.log)
        self._short_way = (
            ShortWay(self.wsgi, self._admission.learn)
            if self._metrics and settings.short_way
            else None
        )
        self.connections: set[Connection] = set()
        self.inbox_bytes = bytearray(INBOX_BYTES)
        self.inbox = memoryview(self.inbox_bytes)
        self.heads = Heads(
            self.cfg, self.max_body_bytes, extensions.get("access"), self._short_way
        )
        self.writer = Writer()
        self.held_bytes = 0
        self.most_bytes = MOST_BODIES * self.max_body_bytes
        self._refusal = refusal(overloaded("there is more to do than there is time for"))
        self._refused: Counter[tuple[str, str]] = Counter()
        self._turning, self._turn_began = False, 0.0
        self._closing = False
        self._batch: list[_Waiting] = []
        self._batch_bytes = 0
        self._gateway = Gateway(self.wsgi, self.cfg, self.log)
        gc.freeze()  # what is loaded by now is never garbage: do not look through it again
        self.loop = uvloop.new_event_loop()
        asyncio.set_event_loop(self.loop)
        self.loop.run_until_complete(self._serve())
        self.loop.close()

    async def _serve(self) -> None:
        self._stopping = asyncio.Event()
        self.loop.add_signal_handler(signal.SIGTERM, self._stop)
        acceptor = Acceptor(self.sockets, self, self.log)
        self._count()
        while self.alive:
            await self._sweep()
            acceptor.resume()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), SWEEP_S)
            if self.ppid != os.getppid():
                self.log.info("Parent changed, shutting down: %s", self)
                self.alive = False
        if board.shared:
            board.shared.count_connections(board.NOBODY)
        acceptor.close()
        await self._drain(acceptor)

    def connect(self) -> Connection:
        """Return the protocol of a new connection."""
        return Connection(self)

    def add(self, connection: Connection) -> None:
        """Keep an open connection."""
        self.connections.add(connection)
        self._count()

    def discard(self, connection: Connection) -> None:
        """Forget a connection that is over."""
        self.connections.discard(connection)
        self._count()

    def _count(self) -> None:
        if board.shared and self.alive:
            board.shared.count_connections(len(self.connections))

    def is_ahead(self) -> bool:
        """Tell whether another worker has fewer connections."""
        shared = board.shared
        return shared is not None and len(self.connections) > shared.fewest_connections()

    def workers(self) -> int:
        """Return how many workers accept connections, with this one."""
        return board.shared.workers() if board.shared else 1

    def is_full(self, opening: int) -> bool:
        """Tell whether there is no room beside so many that are about to be open."""
        return len(self.connections) + opening >= int(self.cfg.worker_connections)

    def _stop(self) -> None:
        self.alive, self._closing = False, True
        self._stopping.set()

    async def _sweep(self) -> None:
        """Do what is due: the heartbeat, the date of replies, the deadlines."""
        self.notify()
        self.writer.tick()
        self._count_refused()
        self._admission.sweep()
        if board.shared:
            board.shared.show_up(monotonic())
            board.shared.tell(resident_bytes(), sum(map(queued, self.sockets)))
            self._count()
        if self._metrics:
            self._metrics.count_cpu(process_time())
        # Clients that keep a connection are to turn to others too while there is time.
        self._closing = not self.alive or not board.is_open()
        now = self.loop.time()
        due = [c for c in self.connections if c.deadline < now]
        for number, connection in enumerate(due, 1):
            if connection.deadline < now:  # still: it may have gone on meanwhile
                connection.expire()
            if number % EXPIRE_AT_ONCE == 0:
                await asyncio.sleep(0)

    async def _drain(self, acceptor: Acceptor) -> None:
        """Answer everything that was accepted, and end."""
        started = self.loop.time()
        while self.connections or acceptor.opening:
            for connection in self.connections:
                connection.deadline = min(connection.deadline, started + LINGER_S)
            await self._sweep()
            if self.loop.time() - started > self.cfg.graceful_timeout:
                break
            await asyncio.sleep(DRAIN_SWEEP_S)

    # Answering.

    def admit(self, connection: Connection, request: Request, size: int) -> bool:
        """Tell whether there is time for a request; where there is none, refuse it.

        Args:
            connection: where the request came from, and where the reply goes.
            request: its head.
            size: bytes of its body.
        """
        self._begin_turn()
        inquiry = request.inquiry
        kind = (id(inquiry.head), size) if inquiry else (OTHER, 1)
        # At the end, what was accepted is answered: nothing is added to it.
        urgent = request.path in URGENT or not self.alive
        if urgent or self._admission.admit(*kind):
            return True
        used_id = request_id(request.fields.get("x-request-id", ""))
        keep, minor = request.keep_alive, request.version[1]
        content = self.writer.write_again(self._refusal, used_id, keep, minor)
        connection.send(content)
        if self._gateway.logs:
            self._gateway.log([(connection, request, used_id, self._refusal)], 0.0)
        self._refused[request.method, inquiry.route if inquiry else "unmatched"] += 1
        connection.go_on(keep)
        return False

    def turn_away(self, client: socket.socket, waiting: int) -> bool:
        """Refuse the request of a new client, if there is no time and it is there whole.

        Args:
            client: its socket.
            waiting: how many wait to be accepted, with this one.
        """
        self._begin_turn()
        if self._admission.admit_new(waiting):
            return False
        content = self.writer.write_again(self._refusal, request_id(""), False)
        if not turn_away(client, content):
            return False
        self._admission.count_refusal(CONNECT_S)  # as many get in as are turned away
        self._refused["POST", "unmatched"] += 1
        return True

    def _begin_turn(self) -> None:
        if not self._turning:
            self._turning = True
            self._turn_began = perf_counter()
            self.loop.call_soon(self._flush_later, 1)

    def answer(
        self, connection: Connection, request: Request, body: bytes, whole: bool
    ) -> None:
        """Answer a request, now or, together with others, in the loop's next turn.

        Args:
            connection: where the request came from, and where the reply goes.
            request: its head.
            body: its body.
            whole: whether that is all of it.
        """
        self.nr += 1
        if self.nr >= self.max_requests and self.alive:
            self.log.info("Autorestarting worker after current request.")
            self._stop()
        if self._closing:
            request = request.closing()
        if request.inquiry is None or not whole:
            start = perf_counter()
            content, keep = self._call(connection, request, body)
            if request.path not in URGENT:
                self._admission.learn(OTHER, 1, perf_counter() - start)
            connection.send(content)
            connection.go_on(keep)
            return
        self._batch.append(_Waiting(connection, request, (request.inquiry, body)))
        self._batch_bytes += len(body)
        if self._batch_bytes > BATCH_BYTES:
            self._flush()

    def _flush_later(self, seen: int) -> None:
        """Answer what has come, unless the loop's last turn has brought more than before.

        Then the next may bring more again: it is cheaper to look than to answer in two
        batches. Nobody waits for that: a turn that brings nothing takes a microsecond.
        """
        if seen < len(self._batch) and self._batch_bytes < MOST_BYTES:
            self.loop.call_soon(self._flush_later, len(self._batch))
        else:
            self._turning = False
            self._admission.end_turn()
            self._flush()
            if self._metrics:
                self._metrics.count_turn(perf_counter() - self._turn_began)

    def _flush(self) -> None:
        """Answer the inference requests that have come since the last time."""
        batch, self._batch, self._batch_bytes = self._batch, [], 0
        if not batch or self._short_way is None:
            return  # a full batch has been answered already
        start = perf_counter()
        replies = self._short_way.answer([waiting.asked for waiting in batch])
        heads: dict[tuple[Any, ...], bytes] = {}  # replies to a batch share most of it
        contents = []
        for (_, request, _), (used_id, reply) in zip(batch, replies):
            keep, minor = request.keep_alive, request.version[1]
            kind = reply.status, id(reply.headers), len(reply.body), minor, keep
            head = heads.get(kind)
            if head is None:
                head = heads[kind] = self.writer.head(reply, keep, minor)
            contents.append(finish(head, used_id, reply.body))
        # One right after the other: a pause would let the client's core fall asleep, and
        # to wake it up costs more than to write.
        for waiting, content in zip(batch, contents):
            waiting.connection.send(content)
        for waiting in batch:
            waiting.connection.go_on(waiting.request.keep_alive)
        if self._gateway.logs or self._tracing is not None:
            seconds = perf_counter() - start
            done = [(one.connection, one.request, *x) for one, x in zip(batch, replies)]
            if self._gateway.logs:
                self._gateway.log(done, seconds)
            if self._tracing is not None:
                self._tracing.record(done, seconds)

    def _count_refused(self) -> None:
        for (method, route), times in self._refused.items():
            if self._metrics:
                self._metrics.count_request(
                    method, route, 503, 0.0, times, self._refusal.reason
                )
        self._refused.clear()

    def count_refusal(self, reply: Reply) -> None:
        """Count a request that no application has answered."""
        if self._metrics:
            self._metrics.count_request(
                "other", "unmatched", reply.status, 0.0, reason=reply.reason
            )

    def log_refusal(self, connection: Connection, used_id: str, reply: Reply) -> None:
        """Write a line for what could not be read as a request."""
        if self._gateway.logs:
            self._gateway.log_unread(connection, used_id, reply)

    def _call(
        self, connection: Connection, request: Request, body: bytes
    ) -> tuple[bytes, bool]:
        """Let the WSGI application answer, or answer for it if it fails."""
        try:
            return self._gateway.call(connection, request, body)
        except Exception as error:
            used_id = request_id("")
            reply = bug(error, used_id, read_trace(request.fields))
            self.count_refusal(reply)
            return self.writer.write(reply, used_id, False, request.version[1]), False
