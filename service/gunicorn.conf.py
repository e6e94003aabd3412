"""gunicorn's settings. Flags and ``GUNICORN_CMD_ARGS`` win over what stands here."""

import glob
import logging
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

root = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(root))

from service.machine import cores  # noqa: E402

pythonpath = str(root)
wsgi_app = "service.wsgi:load()"

# From outside only where it is asked for (--bind 0.0.0.0:8000); PORT as on most platforms.
bind = f"127.0.0.1:{os.environ.get('PORT') or 8000}"

# The work is computation, so a worker a core. The threads of a worker share its core:
# they are there so that one slow client does not make the others wait.
workers = int(os.environ.get("WEB_CONCURRENCY") or cores())
worker_class = "gthread"
threads = 4

# preload_app stays off: an ONNX Runtime session must be made after the fork.
timeout = 30
graceful_timeout = 15  # shorter than the stop_grace_period in docker-compose.yml
keepalive = 5

# A heartbeat file on a disk can block in the kernel; the root may be read-only besides.
memory = "/dev/shm"
worker_tmp_dir = memory if os.access(memory, os.W_OK) else None
control_socket_disable = True  # else a socket in $HOME, and a thread in the master
http_parser = "python"  # the tested one, whatever else happens to be installed

loglevel = "info"
accesslog = None  # --access-logfile - for a line a request on standard output

METRICS_DIR = "PROMETHEUS_MULTIPROC_DIR"


def on_starting(server: Any) -> None:
    """Give the workers an empty folder for their metrics, before any of them starts."""
    folder = os.environ.get(METRICS_DIR)
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        for leftover in glob.glob(f"{glob.escape(folder)}/*.db"):
            os.remove(leftover)  # of an earlier start, whose counts are not ours
    else:
        server.metrics_dir = tempfile.mkdtemp(prefix="mnist-metrics-", dir=worker_tmp_dir)
        os.environ[METRICS_DIR] = server.metrics_dir


def on_exit(server: Any) -> None:
    """Remove the metrics folder that on_starting made."""
    if hasattr(server, "metrics_dir"):
        shutil.rmtree(server.metrics_dir, ignore_errors=True)


def child_exit(server: Any, worker: Any) -> None:
    """Take a dead worker's gauges out; what it counted stays in the sums."""
    from prometheus_client import multiprocess

    multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


def post_fork(server: Any, worker: Any) -> None:
    """Let the service's messages go where gunicorn's go; let only the first worker halt."""
    if worker.age > 1:
        # The exit code on which the master stops. From two workers at once it stops with
        # a traceback and code 1; from a later one it would take the good ones down.
        server.APP_LOAD_ERROR = 1
    logger = logging.getLogger("service")
    logger.handlers = worker.log.error_log.handlers
    logger.setLevel(worker.log.error_log.level)
    logger.propagate = False


def post_worker_init(worker: Any) -> None:
    """Say once what was chosen, and where to look."""
    if worker.age > 1:
        return
    config, repository = worker.cfg, worker.wsgi.extensions["repository"]
    model = repository.default
    others = [str(version) for version in repository.models if version != model.version]
    versions = f"version {model.version}" + (
        f" (also {', '.join(others)})" if others else ""
    )
    worker.log.info(
        "serving %s %s with %d workers of %d threads for %d cores; open %s in a browser",
        model.name,
        versions,
        config.workers,
        config.threads,
        cores(),
        # The addresses in use: a port of 0 in the settings has become a real one.
        " and ".join(
            str(sock).replace("//0.0.0.0:", "//127.0.0.1:") for sock in worker.sockets
        ),
    )
