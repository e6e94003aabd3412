"""gunicorn's settings. Flags and ``GUNICORN_CMD_ARGS`` override them."""

import os
import sys
import tempfile
from pathlib import Path
from typing import Any

root = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(root))

from service import port  # noqa: E402
from service.monitoring.json_lines import early  # noqa: E402
from service.server.lifecycle import (  # noqa: E402, F401
    child_exit,
    on_starting,
    post_fork,
    pre_fork,
    when_ready,
    worker_exit,
)
from service.server.lifecycle import post_worker_init as announce  # noqa: E402
from service.server.limits import cores, open_files  # noqa: E402
from service.settings import wants_json  # noqa: E402

pythonpath = str(root)
wsgi_app = "service.wsgi:begin()"

# Reachable from outside only on request (--host 0.0.0.0); PORT as on most platforms.
bind = f"127.0.0.1:{os.environ.get('PORT') or port.DEFAULT}"

# The work is computation, so one worker per core.
workers = int(os.environ.get("WEB_CONCURRENCY") or cores())
worker_class = "service.server.worker.Worker"  # or gthread, gunicorn's own
# Connected clients, not requests in progress. Each takes a file, and a worker has 20 of its
# own; as many again are for more addresses to listen at, for uploads that do not stay in
# memory, and for what is accepted between the beginning and the end of a stop.
reserve = 40
files = open_files()
# The master has one file per worker, and twice as many during a reload.
if files < reserve + 2 * workers:
    expected = f"at least {reserve + 2 * workers} for {workers} workers (ulimit -n)"
    sys.exit(early(f"error: the limit of open files is {files}, expected {expected}"))
worker_connections = min(10_000, files - reserve)
threads = 4  # of gthread; the service's own worker has none

# preload_app stays off: an ONNX Runtime session must be created after the fork.
timeout = 30
graceful_timeout = 15  # shorter than the stop_grace_period in docker-compose.yml
# Longer than a balancer keeps an idle connection: else the service closes one while a
# request is on its way, which is a 502. nginx and AWS's keep them for 60 s; with Google's,
# set 620. An idle connection costs a file and 3 kB.
keepalive = 75


def choose_heartbeat_folder() -> str:
    # A file on a disk can block in the kernel, and the root may be read-only.
    memory = "/dev/shm"
    try:
        with tempfile.TemporaryFile(dir=memory):
            return memory
    except OSError:  # missing, not writable, or full
        pass
    try:
        return tempfile.gettempdir()
    except FileNotFoundError as error:
        found = f"{error}, and no file can be made in {memory}"
        sys.exit(early(f"error: {found}, expected one of them"))


worker_tmp_dir = choose_heartbeat_folder()
# The path that a proxy has the service below; gunicorn's own variable.
prefix = os.environ.get("SCRIPT_NAME", "")
if prefix and not prefix.startswith("/"):
    expected = "a path such as /mnist"
    sys.exit(early(f"error: SCRIPT_NAME has value {prefix!r:.100}, expected {expected}"))


def post_worker_init(worker: Any) -> None:
    """Have gunicorn's own workers prepare requests as the service's own does."""
    from service.server.gateway import place_below_prefix  # the master needs none of it

    worker.cfg.set("pre_request", lambda _, request: place_below_prefix(request))
    announce(worker)


control_socket_disable = True  # else a socket in $HOME, and a thread in the master
http_parser = "python"  # the tested one, whatever else is installed

# Neither waits for a line to be written.
logger_class = "service.server.logger." + ("JsonLogger" if wants_json() else "Logger")
loglevel = "info"
accesslog = None  # --access-logfile - for one line per request on standard output
