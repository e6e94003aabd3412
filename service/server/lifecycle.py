"""gunicorn's hooks: the life of worker processes, and what they inherit from the master."""

import gc
import logging
from typing import Any, NamedTuple

from service.model.snapshot import Snapshot, read
from service.monitoring import table
from service.monitoring.counters import Counters
from service.monitoring.roster import LEFT, Roster
from service.server.limits import cores
from service.settings import Settings


class Shared(NamedTuple):
    """What the master makes once and all workers use.

    Attributes:
        settings: the service's settings.
        snapshot: the files to load.
        counters: memory for counts.
        roster: memory for what processes know of one another.
    """

    settings: Settings
    snapshot: Snapshot
    counters: Counters
    roster: Roster


_inherited: Shared | None = None  # set in each worker by its own `post_fork`


def inherited() -> Shared | None:
    """Return what this worker inherits; None in a process without the master."""
    return _inherited


def on_starting(server: Any) -> None:
    """Read the files, and make the shared memory, before any worker starts."""
    settings = server.app.settings
    # Room for a reload, when old and new workers run at the same time; the last slot is
    # the master's own.
    slots = max(64, 4 * server.cfg.workers) + 1
    counters, roster = Counters(slots), Roster(slots)
    counters.claim(slots - 1)
    roster.claim(slots - 1)
    roster.worker_connections = server.cfg.worker_connections
    server.shared = Shared(settings, read(settings), counters, roster)
    counters.row(table.STARTS.key())
    for cause in ("asked", "died", "hung"):
        counters.row(table.EXITS.key(cause))
    for result in ("done", "refused"):
        counters.row(table.RELOADS.key(result))


def when_ready(server: Any) -> None:
    """Look for garbage from now on, but not among what has been loaded.

    Workers leave that alone too, and so share its memory with the master.
    """
    gc.freeze()
    gc.enable()


def pre_fork(server: Any, worker: Any) -> None:
    """Give the worker a slot that no live worker has, and start its heartbeat."""
    taken = {other.slot for other in server.WORKERS.values()}
    slots = range(server.shared.roster.slots - 1)
    worker.slot = next((slot for slot in slots if slot not in taken), slots[-1])
    # Until a worker's first heartbeat gunicorn would read the file's wall-clock time, which
    # is in the far future of the monotonic clock: a hang before it would last for ever.
    worker.tmp.notify()
    server.shared.counters.row(table.STARTS.key())[0] += 1


def post_fork(server: Any, worker: Any) -> None:
    """Inherit what is shared, send messages to gunicorn's log, let only one worker halt."""
    global _inherited
    _inherited = server.shared
    server.shared.counters.claim(worker.slot)
    server.shared.roster.claim(worker.slot)
    if worker.age > 1:
        # The exit codes that stop the master. If two workers exit with one, it stops with
        # a traceback and code 1; and a later one would take the good workers down.
        server.APP_LOAD_ERROR = server.WORKER_BOOT_ERROR = 1
    logger = logging.getLogger("service")
    logger.handlers = worker.log.error_log.handlers
    logger.setLevel(worker.log.error_log.level)
    logger.propagate = False
    # Messages of libraries, such as asyncio, get the same format, unless --log-config has
    # configured the root logger.
    everything = logging.getLogger()
    everything.handlers = everything.handlers or worker.log.error_log.handlers
    logging.captureWarnings(True)


def post_worker_init(worker: Any) -> None:
    """Mark the worker as ready; the first one logs the model and the address."""
    if _inherited is not None:
        _inherited.roster.ready[worker.slot] = worker.age
    inference = getattr(worker.wsgi, "extensions", {}).get("inference")
    if worker.age > 1 or inference is None:
        return
    model = inference.repository.default
    others = [str(it) for it in inference.repository.models if it != model.version]
    versions = f"version {model.version}" + (
        f" (also {', '.join(others)})" if others else ""
    )
    listeners = [
        listener
        for listener in worker.sockets
        if not inference.access.is_metrics_address(listener.getsockname())
    ]
    worker.log.info(
        "serving %s %s with %d workers for %d cores; open %s in a browser",
        model.name,
        versions,
        worker.cfg.workers,
        cores(),
        # The addresses in use: a port of 0 in the settings has become a real one. By what
        # name clients reach a wildcard is not known here, least of all in a container.
        " and ".join(str(it).replace("//0.0.0.0:", "//<host>:") for it in listeners),
    )


def worker_exit(server: Any, worker: Any) -> None:
    """Record a clean exit, and flush pending spans; called in the worker."""
    if not worker.alive:
        server.shared.roster.ready[worker.slot] = LEFT
    # A worker that could not start has no application.
    extensions = getattr(getattr(worker, "wsgi", None), "extensions", {})
    inference = extensions.get("inference")
    if inference and inference.monitoring.spans:
        inference.monitoring.spans.close()


def child_exit(server: Any, worker: Any) -> None:
    """Count why the worker has exited, and release its slot; called in the master."""
    roster = server.shared.roster
    left = roster.ready[worker.slot] == LEFT
    cause = "hung" if hasattr(worker, "hung") else "asked" if left else "died"
    server.shared.counters.row(table.EXITS.key(cause))[0] += 1
    roster.release(worker.slot)
