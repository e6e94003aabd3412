"""gunicorn's settings. Flags and ``GUNICORN_CMD_ARGS`` win over what stands here."""

import logging
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

root = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(root))

from service import board  # noqa: E402
from service.json_lines import say  # noqa: E402
from service.machine import cores, open_files  # noqa: E402

pythonpath = str(root)
wsgi_app = "service.wsgi:load()"

# From outside only where it is asked for (--bind 0.0.0.0:8000); PORT as on most platforms.
bind = f"127.0.0.1:{os.environ.get('PORT') or 8000}"

# The work is computation, so a worker a core.
workers = int(os.environ.get("WEB_CONCURRENCY") or cores())
worker_class = "service.worker.Worker"  # or gthread, gunicorn's own
# Clients that are connected, not requests at work. Each takes a file, of which a worker has
# 20 of its own; as many again are for more addresses to listen at, for uploads that do not
# stay in memory, and for what is accepted between a stop's beginning and its end.
reserve = 40
files = open_files()
# The master has a file for each worker, and twice as many of them during a reload.
if files < reserve + 2 * workers:
    expected = f"at least {reserve + 2 * workers} for {workers} workers (ulimit -n)"
    sys.exit(say(f"error: the limit of open files is {files}, expected {expected}"))
worker_connections = min(10_000, files - reserve)
threads = 4  # of gthread; the other has none

# preload_app stays off: an ONNX Runtime session must be made after the fork.
timeout = 30
graceful_timeout = 15  # shorter than the stop_grace_period in docker-compose.yml
keepalive = 5


def choose_heartbeat_folder() -> str:
    # A file on a disk can block in the kernel; the root may be read-only besides.
    memory = "/dev/shm"
    try:
        with tempfile.TemporaryFile(dir=memory):
            return memory
    except OSError:  # it is not there, not to be written, or has no room for another file
        pass
    try:
        return tempfile.gettempdir()
    except FileNotFoundError as error:
        found = f"{error}, and no file can be made in {memory}"
        sys.exit(say(f"error: {found}, expected one of them"))


worker_tmp_dir = choose_heartbeat_folder()
control_socket_disable = True  # else a socket in $HOME, and a thread in the master
http_parser = "python"  # the tested one, whatever else happens to be installed

logger_class = "service.log.Logger"  # no line of it is waited for
loglevel = "info"
accesslog = None  # --access-logfile - for a line a request on standard output


def on_starting(server: Any) -> None:
    """Make the memory for the workers' metrics, before any of them starts."""
    # Room for a reload, when the old workers and the new ones live side by side; the last
    # slot is the master's own.
    slots = max(64, 4 * server.cfg.workers) + 1
    server.board = board.shared = board.Board(slots)
    server.board.claim(slots - 1)
    server.board.worker_connections = server.cfg.worker_connections
    for row in ("starts", "exits\tasked", "exits\tdied", "exits\thung"):
        server.board.row(row)
    for result in ("done", "refused"):
        server.board.row(f"reloads\t{result}")


def pre_fork(server: Any, worker: Any) -> None:
    """Give the worker a slot of that memory that no live worker has."""
    taken = {other.slot for other in server.WORKERS.values()}
    slots = range(server.board.slots - 1)
    worker.slot = next((slot for slot in slots if slot not in taken), slots[-1])
    server.board.row("starts")[0] += 1


def post_fork(server: Any, worker: Any) -> None:
    """Let the service's messages go where gunicorn's go; let only the first worker halt."""
    server.board.claim(worker.slot)
    if worker.age > 1:
        # The exit codes on which the master stops. From two workers at once it stops with
        # a traceback and code 1; from a later one it would take the good ones down.
        server.APP_LOAD_ERROR = server.WORKER_BOOT_ERROR = 1
    logger = logging.getLogger("service")
    logger.handlers = worker.log.error_log.handlers
    logger.setLevel(worker.log.error_log.level)
    logger.propagate = False
    # What libraries say, asyncio for one, is to be no line of another form; but where
    # --log-config has said what becomes of it, it does.
    everything = logging.getLogger()
    everything.handlers = everything.handlers or worker.log.error_log.handlers
    logging.captureWarnings(True)


def worker_exit(server: Any, worker: Any) -> None:
    """Say, in the worker, whether it ends because it was to; send what spans are left."""
    if not worker.alive:
        server.board.ready[worker.slot] = board.LEFT
    # One that could not start has no application.
    extensions = getattr(getattr(worker, "wsgi", None), "extensions", {})
    if tracing := extensions.get("tracing"):
        tracing.close()


def child_exit(server: Any, worker: Any) -> None:
    """Count why the worker has ended, and say that its slot is free."""
    left = server.board.ready[worker.slot] == board.LEFT
    cause = "hung" if hasattr(worker, "hung") else "asked" if left else "died"
    server.board.row(f"exits\t{cause}")[0] += 1
    server.board.release(worker.slot)


def post_worker_init(worker: Any) -> None:
    """Say that it can serve; and once what was chosen, and where to look."""
    if board.shared:
        board.shared.ready[worker.slot] = worker.age
    if worker.age > 1:
        return
    config, repository = worker.cfg, worker.wsgi.extensions["repository"]
    model = repository.default
    others = [str(version) for version in repository.models if version != model.version]
    versions = f"version {model.version}" + (
        f" (also {', '.join(others)})" if others else ""
    )
    access = worker.wsgi.extensions["access"]
    listeners = [
        listener
        for listener in worker.sockets
        if not access.is_metrics_address(listener.getsockname())
    ]
    worker.log.info(
        "serving %s %s with %d workers for %d cores; open %s in a browser",
        model.name,
        versions,
        config.workers,
        cores(),
        # The addresses in use: a port of 0 in the settings has become a real one.
        " and ".join(str(it).replace("//0.0.0.0:", "//127.0.0.1:") for it in listeners),
    )
