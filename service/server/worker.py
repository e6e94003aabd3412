"""A gunicorn worker on uvloop: its life from start to drain.

gunicorn stays the master: it binds, forks, watches, reloads and stops. See the room's
docstring for the theory of operation.
"""

import asyncio
import contextlib
import gc
import os
import signal
from collections.abc import Callable
from time import monotonic, process_time
from typing import Any

import uvloop
from gunicorn.errors import AppImportError
from gunicorn.workers import base

from service.inference import Inference
from service.monitoring.json_lines import early
from service.server.acceptor import Acceptor, queued
from service.server.admission import Admission
from service.server.connection import LINGER_S, Connection
from service.server.gateway import Gateway
from service.server.http1.known_heads import KnownHeads
from service.server.http1.request import HeadLimits
from service.server.http1.response import Writer
from service.server.limits import (
    HANDSHAKE_S,
    drop_handshakes,
    listening,
    release_code,
    resident_bytes,
)
from service.server.pool import Pool
from service.server.turns import Turns

# How often deadlines are checked, and so how late one can be; also the heartbeat.
SWEEP_S = 0.5
# The same while stopping, when someone waits for the end.
DRAIN_SWEEP_S = 0.02
# Slow clients that are refused before the loop turns, in about a millisecond: a thousand at
# once must not keep the others waiting.
EXPIRE_AT_ONCE = 10
# Slices of a millisecond, between which the loop turns, that a sweep gives to what reads
# answered requests: some 4 % of the time.
LATER_SLICES = 20


# gunicorn's settings that would have no effect, by what to do instead; the start refuses
# them (`limits.check_settings`), with those that have none in any worker.
REFUSED = {
    "TLS is for a proxy in front, or use gthread": (
        *("keyfile", "certfile", "ssl_version", "cert_reqs", "ca_certs", "ciphers"),
        *("suppress_ragged_eofs", "do_handshake_on_connect", "ssl_context"),
    ),
    "no PROXY line is read; use gthread": ("proxy_protocol", "proxy_allow_ips"),
    "this worker speaks HTTP/1.1, and reads it in one strict way; use gthread": (
        *("protocol", "uwsgi_allow_ips", "http_protocols", "http2_cleartext"),
        *("http2_max_concurrent_streams", "http2_initial_window_size"),
        *("http2_max_frame_size", "http2_max_header_list_size", "http_parser"),
        *("permit_obsolete_folding", "strip_header_spaces", "casefold_http_method"),
        *("permit_unconventional_http_method", "permit_unconventional_http_version"),
    ),
    "no ASGI application is served; the path of a mount is SCRIPT_NAME": (
        *("asgi_loop", "asgi_lifespan", "asgi_disconnect_grace_period", "root_path"),
        "websocket_max_message_size",
    ),
    "this worker has one thread; use --workers": ("threads",),
    "requests are answered in batches, without hooks; use gthread": (
        *("pre_request", "post_request"),
    ),
}


class Worker(base.Worker):  # type: ignore[misc]
    """The worker class.

    An application may have a second door among its extensions: see `service.rpc`.
    """

    alive: bool
    refused = REFUSED
    serves_grpc = True
    _door: Any = None

    def handle_abort(self, sig: int, frame: Any) -> None:
        """Exit at once, because the master found that this worker hangs.

        gunicorn raises SystemExit, and the loop would first go on with what else is ready:
        it could accept a connection, and take it along.
        """
        self.cfg.worker_abort(self)
        os._exit(1)

    def load_wsgi(self) -> None:
        """Load the application, and open its other door before this worker is ready."""
        super().load_wsgi()
        self._loop = uvloop.new_event_loop()
        asyncio.set_event_loop(self._loop)
        self._door = getattr(self.wsgi, "extensions", {}).get("grpc")
        if self._door is not None:
            try:
                self._loop.run_until_complete(self._door.open(self.cfg.keepalive))
            except RuntimeError as error:
                found = f"port {self._door.port} cannot be used for gRPC: {error}"
                raise AppImportError(early(f"error: {found}")) from error

    def run(self) -> None:
        """Serve until gunicorn, or the number of requests, ends it."""
        extensions = getattr(self.wsgi, "extensions", {})
        # Another WSGI application is served too, without inference.
        inference = extensions.get("inference") or Inference.without_models()
        settings, self._monitoring = inference.settings, inference.monitoring
        self._later, self._jobs = inference.later, list[asyncio.Future[None]]()
        self._writer = Writer()
        self._admission = Admission(settings.max_wait_ms / 1000, self.log)
        gateway = Gateway(self.wsgi, self.cfg, self.log)
        limits, fast = HeadLimits.of(self.cfg), settings.fast_path
        heads = KnownHeads(limits, gateway, inference, fast)
        roster = self._monitoring.roster
        self._pool = Pool(self._loop, heads, settings, self.cfg, roster)
        self._turns = Turns(
            self._pool,
            inference,
            gateway,
            self._writer,
            self._admission,
            self.max_requests,
            self._restart,
        )
        release_code()
        gc.freeze()  # what is loaded by now is never garbage: do not look through it again
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        self._stopping = asyncio.Event()
        self._loop.add_signal_handler(signal.SIGTERM, self._stop)
        acceptor = Acceptor(
            self.sockets, self._pool, self._connect, self._turns.turn_away, self.log
        )
        self._pool.publish()
        if self._door is not None:
            self._door.serve(self._turns.take)
        while self.alive:
            await self._sweep()
            await self._do_later()
            acceptor.resume()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), SWEEP_S)
            if self.ppid != os.getppid():
                self.log.info("Parent changed, shutting down: %s", self)
                self.alive = False
        self._turns.accepts_all = True
        self._pool.close()
        acceptor.close()
        await asyncio.gather(self._drain(acceptor), self._close_door())

    def _connect(self) -> Connection:
        return Connection(self._pool, self._turns)

    def _restart(self) -> None:
        if self.alive:
            self.log.info("Autorestarting worker after current request.")
            self._stop()

    def _stop(self) -> None:
        self.alive = False
        self._turns.closing = self._turns.accepts_all = True
        self._stopping.set()

    async def _sweep(self) -> None:
        """Do what is due: the heartbeat, the date of replies, the deadlines."""
        self.notify()
        self._writer.tick()
        self._admission.sweep()
        roster = self._monitoring.roster
        roster.report(monotonic(), resident_bytes(), sum(map(queued, self.sockets)))
        self._pool.publish()
        if self._door is not None:
            await self._door.report(roster.is_open())
        self._monitoring.metrics.count_cpu(process_time())
        # Clients that keep a connection should turn to others while there is time.
        self._turns.closing = not self.alive or not roster.is_open()
        now = self._loop.time()
        due = [c for c in self._pool.connections if c.deadline < now]
        for number, connection in enumerate(due, 1):
            if connection.deadline < now:  # still: it may have gone on meanwhile
                connection.expire()
            if number % EXPIRE_AT_ONCE == 0:
                await asyncio.sleep(0)

    async def _do_later(self) -> None:
        """Read what was answered, as far as there is time; a slow disk stops nothing."""
        if self._later is None:
            return
        for _ in range(LATER_SLICES):
            if not self._later.run():
                break
            await asyncio.sleep(0)
        if all(job.done() for job in self._jobs):
            jobs = self._later.jobs()
            self._jobs = [asyncio.ensure_future(self._in_thread(job)) for job in jobs]

    async def _in_thread(self, job: Callable[[], None]) -> None:
        await self._loop.run_in_executor(None, job)

    async def _drain(self, acceptor: Acceptor) -> None:
        """Answer everything that was accepted, and end."""
        started = self._loop.time()
        while self._pool.connections or acceptor.opening:
            for connection in self._pool.connections:
                connection.deadline = min(connection.deadline, started + LINGER_S)
            await self._sweep()
            if self._loop.time() - started > self.cfg.graceful_timeout:
                break
            await asyncio.sleep(DRAIN_SWEEP_S)

    async def _close_door(self) -> None:
        """Answer what has come through the other door, and close it."""
        if self._door is None:
            return
        # The other workers listen at the same address: who comes now is to reach them.
        drop_handshakes(listening(self._door.port))
        await asyncio.sleep(HANDSHAKE_S)
        await self._door.close()
