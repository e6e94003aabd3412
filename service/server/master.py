"""gunicorn's master: replaces workers without a gap, and stops without a loss.

gunicorn's own stops the old workers of a reload before the new ones are ready, or are known
to work at all; and when it exits, connections that the kernel has accepted and no worker
has taken are reset.
"""

import contextlib
import ctypes
import gc
import os
import queue
import signal
import sys
import time
from collections.abc import Iterator
from typing import Any

from gunicorn.app import base
from gunicorn.app.wsgiapp import WSGIApplication
from gunicorn.arbiter import Arbiter

from service.errors import SettingsError
from service.model.snapshot import Snapshot, read
from service.monitoring import import_spans, table
from service.monitoring.json_lines import early
from service.server.lifecycle import Shared
from service.server.limits import (
    HANDSHAKE_S,
    check_addresses,
    check_grpc,
    check_settings,
    drop_handshakes,
)
from service.settings import Settings

# For workers to report after a pause of the whole service: they do so twice a second.
WAKE_S = 2.0

# What the C library's malloc is told, in this process and those that it forks, unless the
# variable says otherwise; the numbers are mallopt's (glibc, malloc.h).
MALLOC = {
    # It gives each thread a heap of its own, and each keeps what its largest request took:
    # 149 MB in a worker after requests of 1,024 images, 115 MB with one heap. Only one
    # thread of a Python process allocates at a time anyway.
    "MALLOC_ARENA_MAX": (-8, 1),
    # It also gives memory back after each large request, and each page of it costs a fault
    # on the next: 90 faults for 64 images. These keep up to 16 MiB and map what is larger.
    "MALLOC_TRIM_THRESHOLD_": (-1, 16 << 20),
    "MALLOC_TOP_PAD_": (-2, 1 << 20),
    "MALLOC_MMAP_THRESHOLD_": (-3, 4 << 20),
}
# What ends the service.
ENDING = {signal.SIGTERM, signal.SIGINT, signal.SIGQUIT}


class _GivenUpError(Exception):
    """A reload that cannot go on."""


class _EndingError(Exception):
    """A reload during which the service was told to end."""


class Master(Arbiter):  # type: ignore[misc]
    """The arbiter of workers that report when they are ready.

    Attributes:
        shared: what all processes share; made by the hook `on_starting`.
    """

    shared: Shared
    _retiring: frozenset[int] = frozenset()  # replaced once as many new ones are ready
    _reloading = _ending = _hup_waits = False

    def __init__(self, app: Any) -> None:
        super().__init__(app)
        self._looked = self._resumed = time.monotonic()
        # What SIGUSR2 starts: a module and not its file.
        self.START_CTX["args"][1:2] = ["-m", "service.server.master"]

    # Signals.

    def signal(self, sig: int, frame: Any) -> None:
        """Queue a signal; hang-ups that wait are one."""
        self._ending = self._ending or sig in ENDING
        if sig == signal.SIGHUP:
            if self._hup_waits:
                return
            self._hup_waits = True
        super().signal(sig, frame)

    def wait_for_signals(self, timeout: float = 1.0) -> list[int]:
        """Return signals that have arrived; those that end the service come first."""
        return sorted(super().wait_for_signals(timeout), key=lambda sig: sig not in ENDING)

    # Reload.

    def reload(self) -> None:
        """Replace the workers by new ones, or keep them if the new ones cannot serve."""
        before = self.shared.snapshot
        self._hup_waits, self._reloading = False, True
        self._retiring = frozenset(self.WORKERS)
        try:
            self._check_config()
            self._hand_on(read(self.shared.settings, before.versions))
            super().reload()  # starts new workers, and waits until the old ones are gone
            if self._retiring:
                raise _GivenUpError(f"not ready after {self.cfg.graceful_timeout} s")
            self._hand_on(self.shared.snapshot._replace(before={}))
            result = "done"
        except _GivenUpError as error:
            self._hand_on(before)
            result = "refused"
            self._dismiss_new(f"{error}")
        except _EndingError:  # all workers will be stopped
            result = "refused" if self._retiring else "done"
        finally:
            self._retiring, self._reloading = frozenset(), False
        self.shared.counters.row(table.RELOADS.key(result))[0] += 1
        self.shared.roster.reload_refused = result == "refused"

    def _hand_on(self, snapshot: Snapshot) -> None:
        """Let workers that start from now on load these files."""
        self.shared = self.shared._replace(snapshot=snapshot)

    def _check_config(self) -> None:
        """Read gunicorn's settings as a test: an error during the reload would end it."""
        try:
            type(self.app)(self.app.usage, self.app.prog)
        except SystemExit:
            raise _GivenUpError("gunicorn's settings cannot be read") from None

    def manage_workers(self) -> None:
        """Start and stop workers, but not while a reload decides which are to stay."""
        self.shared.roster.wanted = self.num_workers
        if not self._retiring:
            super().manage_workers()

    def reap_workers(self) -> None:
        """Reap workers that have exited; a reload checks here how far it is."""
        super().reap_workers()
        if self._reloading and self._ending:
            raise _EndingError
        if not self._retiring:
            return
        new, ready = self._new_workers(), self.shared.roster.ready
        if len(new) < self.num_workers:
            raise _GivenUpError("a new worker cannot serve; the log says why")
        if all(ready[worker.slot] == worker.age for worker in new.values()):
            for pid in self._retiring & self.WORKERS.keys():
                self.kill_worker(pid, signal.SIGTERM)
            self._retiring = frozenset()

    def _new_workers(self) -> dict[int, Any]:
        return {p: w for p, w in self.WORKERS.items() if p not in self._retiring}

    def _dismiss_new(self, reason: str) -> None:
        self.log.error("reload is given up: %s; the old workers go on", reason)
        deadline = time.monotonic() + self.cfg.graceful_timeout
        for pid in self._new_workers():
            self.kill_worker(pid, signal.SIGTERM)
        # All of them: of more workers than wanted, gunicorn would stop the oldest.
        while self._new_workers():
            if time.monotonic() > deadline:
                for pid in self._new_workers():
                    self.kill_worker(pid, signal.SIGKILL)
            time.sleep(0.05)
            super().reap_workers()

    # Supervision.

    def murder_workers(self) -> None:
        """Kill workers that hang, but not for a pause that this process shared."""
        now = time.monotonic()
        if now - self._looked > 1 + self.timeout / 2:
            self._resumed = now  # usually it looks every second
        self._looked = now
        if now - self._resumed > WAKE_S:
            super().murder_workers()

    def kill_worker(self, pid: int, sig: int) -> None:
        """Send a signal to a worker, and remember which had to be killed."""
        if sig in (signal.SIGABRT, signal.SIGKILL) and pid in self.WORKERS:
            self.WORKERS[pid].hung = True
        super().kill_worker(pid, sig)

    # The end.

    def stop(self, graceful: bool = True) -> None:
        """Stop: report not ready, then refuse new connections, then answer the rest."""
        self.shared.roster.stopping = True
        if graceful and any(self.shared.roster.ready):
            self._wait(self.shared.settings.drain_seconds)
            # Another master may use the same sockets.
            if self.reexec_pid == self.master_pid == 0 and not self.systemd:
                # Earlier connections are in the queue, and the workers accept them all
                # before they close it; one that arrives in between would be reset.
                drop_handshakes([listener.sock for listener in self.LISTENERS])
                time.sleep(HANDSHAKE_S)
        super().stop(graceful)

    def _wait(self, seconds: float) -> None:
        """Go on serving, while load balancers notice that this service is not ready."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            try:
                found = self.SIG_QUEUE.get(timeout=left)
            except queue.Empty:
                return
            if found in (signal.SIGINT, signal.SIGQUIT):
                return
            self.reap_workers()
            self.manage_workers()


class Application(WSGIApplication):  # type: ignore[misc]
    """gunicorn's application, from its flags and settings.

    Attributes:
        settings: the service's own settings.
    """

    def load_config(self) -> None:
        """Read all settings, and listen at the address of the metrics too."""
        super().load_config()
        with _one_line():
            self.settings = Settings.from_environment()
            check_settings(self.cfg)
            if self.settings.grpc_bind:
                check_grpc(self.cfg)
        extra = [self.settings.metrics_bind] if self.settings.metrics_bind else []
        self.cfg.set("bind", [*self.cfg.bind, *extra])


def check_files(settings: Settings) -> None:
    """Refuse what each worker would: a bad file of API keys, missing packages.

    Raises:
        SettingsError: one of them.
    """
    if settings.api_keys:
        from service.inference.access import Access  # this module alone loads no model

        Access(settings, read(settings).keys)
    if settings.tracing:
        import_spans()


@contextlib.contextmanager
def _one_line() -> Iterator[None]:
    """Exit with one line for a setting that cannot work."""
    try:
        yield
    except SettingsError as error:
        print(early(f"error: {error}"), file=sys.stderr)
        sys.exit(Arbiter.APP_LOAD_ERROR)


def set_malloc() -> None:
    """Apply `MALLOC`, where there is a mallopt."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    for variable, (parameter, value) in MALLOC.items():
        if mallopt is not None and variable not in os.environ:
            mallopt(parameter, value)


def main() -> None:
    """Run gunicorn with this master, which it has no setting for."""
    gc.disable()  # as `service.__main__` does, which SIGUSR2 leaves out
    set_malloc()
    # NumPy's library for matrices would start a thread per core, which spins for a while.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    base.Arbiter = Master
    application = Application("%(prog)s [OPTIONS]", prog="python -m service")
    with _one_line():
        check_addresses(application.cfg, application.settings.grpc_bind)
        check_files(application.settings)
    application.run()


if __name__ == "__main__":
    main()
