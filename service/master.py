"""gunicorn's master: replaces workers without a gap, and stops without a loss.

gunicorn's own stops the old workers of a reload before the new ones are ready, or are known
to work at all, and when it ends, connections that the kernel has accepted and no worker has
taken are reset.
"""

import contextlib
import ctypes
import queue
import signal
import socket
import struct
import time
from typing import Any

from gunicorn.app import base
from gunicorn.app.wsgiapp import WSGIApplication
from gunicorn.arbiter import Arbiter

from service import files
from service.board import Board
from service.errors import SettingsError
from service.settings import Settings

# Between the last connection that the kernel lets in and the end of the listening: a
# handshake that has begun needs a round trip more.
HANDSHAKE_S = 0.1
# For workers to show up after a pause of the whole service: they do so twice a second.
WAKE_S = 2.0
SO_ATTACH_FILTER = 26  # Linux
# A filter program for the kernel, on a segment from its TCP header on: load byte 13 (the
# flags); if SYN is set drop, else keep all of it. Source: Linux, networking/filter.rst.
NO_SYN = ((0x30, 0, 0, 13), (0x45, 0, 1, 0x02), (0x06, 0, 0, 0), (0x06, 0, 0, 0xFFFFFFFF))


class _GivenUpError(Exception):
    """A reload that cannot go on."""


class Master(Arbiter):  # type: ignore[misc]
    """The arbiter of workers that tell on the board when they are ready.

    Attributes:
        board: what all processes share.
    """

    board: Board
    _retiring: frozenset[int] = frozenset()  # that go when as many new ones are ready

    def __init__(self, app: Any) -> None:
        super().__init__(app)
        self._looked = self._resumed = time.monotonic()
        # What SIGUSR2 starts: a module and not its file.
        self.START_CTX["args"][1:2] = ["-m", "service.master"]

    def start(self) -> None:
        """Read what the workers are to load, and listen."""
        self._settings = Settings()
        with contextlib.suppress(SettingsError):  # the first worker says it, and all ends
            self._settings = Settings.from_environment()
        files.shared = files.read(self._settings)
        super().start()

    # Reload.

    def reload(self) -> None:
        """Replace the workers by new ones, or keep them if the new ones cannot serve."""
        before = files.shared
        assert before is not None  # since the start
        self._retiring = frozenset(self.WORKERS)
        try:
            self._check_config()
            files.shared = files.read(self._settings, before.versions)
            super().reload()  # starts new workers, and waits until the old ones are gone
            if self._retiring:
                raise _GivenUpError(f"not ready after {self.cfg.graceful_timeout} s")
            files.shared, result = files.shared._replace(before={}), "done"
        except _GivenUpError as error:
            files.shared, result = before, "refused"
            self._dismiss_new(f"{error}")
        finally:
            self._retiring = frozenset()
        self.board.row(f"reloads\t{result}")[0] += 1
        self.board.reload_refused = result == "refused"

    def _check_config(self) -> None:
        """Read gunicorn's settings once for nothing: what cannot be read would end it."""
        try:
            type(self.app)(self.app.usage, self.app.prog)
        except SystemExit:
            raise _GivenUpError("gunicorn's settings cannot be read") from None

    def manage_workers(self) -> None:
        """Start and stop workers, but not while a reload decides which are to stay."""
        self.board.wanted = self.num_workers
        if not self._retiring:
            super().manage_workers()

    def reap_workers(self) -> None:
        """Take notice of workers that have ended; a reload looks here how far it is."""
        super().reap_workers()
        if not self._retiring:
            return
        new = self._new_workers()
        if len(new) < self.num_workers:
            raise _GivenUpError("a new worker cannot serve; the log says why")
        if all(self.board.ready[worker.slot] == worker.age for worker in new.values()):
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
        while self._new_workers():  # until none is left: the oldest go where there are more
            if time.monotonic() > deadline:
                for pid in self._new_workers():
                    self.kill_worker(pid, signal.SIGKILL)
            time.sleep(0.05)
            super().reap_workers()

    # Supervision.

    def murder_workers(self) -> None:
        """Replace workers that hang, but none for having been paused with this process."""
        now = time.monotonic()
        if now - self._looked > 1 + self.timeout / 2:
            self._resumed = now  # usually it looks every second
        self._looked = now
        if now - self._resumed > WAKE_S:
            super().murder_workers()

    def kill_worker(self, pid: int, sig: int) -> None:
        """Send a signal to a worker, and keep in mind which had to be killed."""
        if sig in (signal.SIGABRT, signal.SIGKILL) and pid in self.WORKERS:
            self.WORKERS[pid].hung = True
        super().kill_worker(pid, sig)

    # The end.

    def stop(self, graceful: bool = True) -> None:
        """Stop: first not ready, then no new connection, then an answer to all."""
        self.board.stopping = True
        if graceful and any(self.board.ready):
            self._wait(self._settings.drain_seconds)
            # Another master may go on with the same sockets.
            if self.reexec_pid == self.master_pid == 0 and not self.systemd:
                self._let_none_in()
        super().stop(graceful)

    def _wait(self, seconds: float) -> None:
        """Go on for so long, while whoever looks at readiness turns to others."""
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

    def _let_none_in(self) -> None:
        """Make the kernel ignore whoever wants to connect from now on.

        What has connected by then is in the queue, and the workers take it all before they
        close. Without this, a connection that comes between the two would be reset.
        """
        steps = b"".join(struct.pack("HBBI", *step) for step in NO_SYN)
        memory = ctypes.create_string_buffer(steps)
        program = struct.pack("HL", len(NO_SYN), ctypes.addressof(memory))
        for listener in self.LISTENERS:
            if listener.sock.family in (socket.AF_INET, socket.AF_INET6):
                with contextlib.suppress(OSError):  # not on Linux: then it may be reset
                    listener.sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)
        time.sleep(HANDSHAKE_S)


class Application(WSGIApplication):  # type: ignore[misc]
    """gunicorn's application, from its flags and settings."""

    def load_config(self) -> None:
        """Listen at the metrics' own address too, wherever the others were said."""
        super().load_config()
        with contextlib.suppress(SettingsError):  # the first worker says it, and all ends
            extra = Settings.from_environment().metrics_bind
            self.cfg.set("bind", [*self.cfg.bind, *([extra] if extra else [])])


def main() -> None:
    """Run gunicorn with this master, which it has no setting for."""
    base.Arbiter = Master
    Application("%(prog)s [OPTIONS]", prog="python -m service").run()


if __name__ == "__main__":
    # As a module of its package, and not as __main__: there is to be one of it.
    from service import master

    master.main()
