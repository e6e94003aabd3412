"""gunicorn's log, without a wait: what cannot be written at once is lost, and counted.

On a full pipe, whose reader has stopped, a write never returns, and the worker would stand
still; without a reader, or on a full disk, it fails. A line is worth less than a request.

O_NONBLOCK is not set on what was inherited: the terminal and other processes share it. A
pipe or a terminal is opened a second time by its name in /proc, and a socket is told with
each message. What cannot be opened again (without /proc, or where it is another user's) is
asked before each write whether it has room. That can still wait: where another process
takes the room in between, or on a terminal with little of it.
"""

import io
import logging
import os
import select
import socket
import stat
from typing import Any

from gunicorn import glogging

FLAGS = os.O_WRONLY | os.O_APPEND | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


class _Socket(socket.socket):
    def write(self, data: bytes) -> int:
        return self.send(data, socket.MSG_DONTWAIT)


class _Asked(io.FileIO):
    def write(self, data: Any) -> int:
        room, sent = select.poll(), 0
        room.register(self, select.POLLOUT)
        # A pipe that has room takes a piece of this size without a wait.
        while sent < len(data) and room.poll(0):
            sent += super().write(data[sent : sent + select.PIPE_BUF]) or 0
        return sent


def _reach(standard: int) -> Any:
    """Return a stream to a file descriptor of which nobody waits for a write."""
    mode = os.fstat(standard).st_mode
    if stat.S_ISSOCK(mode):
        return _Socket(fileno=os.dup(standard))
    if stat.S_ISREG(mode):  # opened again, it would be written from its start
        return io.FileIO(standard, "w", closefd=False)
    try:
        return io.FileIO(os.open(f"/proc/self/fd/{standard}", FLAGS), "w")
    except OSError:
        return _Asked(standard, "w", closefd=False)


class Handler(logging.FileHandler):
    """Writes lines to a path or a file descriptor, those that can be written at once.

    A FileHandler, so that gunicorn opens it anew on SIGUSR1. Where that fails, each line
    tries again.

    Args:
        target: the path or the descriptor.
    """

    stream: Any
    _gunicorn = True  # gunicorn's mark on handlers of its own

    def __init__(self, target: str | int) -> None:
        super().__init__(str(target), delay=True)
        self._target = target
        self._process = self._lost = 0
        self._cut = False

    def _open(self) -> Any:
        try:
            if isinstance(self._target, int):
                return _reach(self._target)
            return io.FileIO(os.open(self.baseFilename, FLAGS | os.O_CREAT, 0o666), "w")
        except OSError:
            return None

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record, and before it how many were lost since the last one."""
        process = record.process or 0
        if self._process != process:  # forked: the parent tells what it has lost
            self._process, self._lost = process, 0
        try:
            self.stream = self.stream or self._open()
            line = self.format(record)
            if self._lost:  # in one piece: alone, it would fill the room that is left
                line = f"{self.format(self._loss())}\n{line}"
            self._lost = 0 if self._write(line) else self._lost + 1
        except Exception:  # no room, no reader, no file; or arguments that do not fit
            self._lost += 1

    def _loss(self) -> logging.LogRecord:
        text = f"{self._lost} lines of this log are lost: they could not be written at once"
        return logging.LogRecord(__name__, logging.WARNING, __file__, 0, text, None, None)

    def _write(self, line: str) -> bool:
        """Return whether all of it was written; else the next line is one of its own."""
        data = f"{line}\n".encode(errors="backslashreplace")
        if self._cut:
            data = b"\n" + data
        sent = self.stream.write(data) or 0
        self._cut = sent < len(data) and (self._cut or sent > 0)
        return sent == len(data)


class Logger(glogging.Logger):  # type: ignore[misc]
    """gunicorn's logger class with these handlers in place of its own."""

    def setup(self, cfg: Any) -> None:
        """Set the handlers up, at the start and on a reload."""
        before = [*self.error_log.handlers, *self.access_log.handlers]
        super().setup(cfg)
        for handler in before:
            if isinstance(handler, Handler):
                handler.close()

    def _set_handler(self, log: Any, output: Any, fmt: Any, stream: Any = None) -> None:
        super()._set_handler(log, output, fmt, stream)  # checks that it can be written
        plain = self._get_gunicorn_handler(log)
        if plain is None:
            return
        if output == "-":  # where the stream is closed, its number is another file's
            output = plain.stream.fileno() if plain.stream else os.devnull
        handler = Handler(output)
        handler.setFormatter(fmt)
        log.removeHandler(plain)
        log.addHandler(handler)
        plain.close()
