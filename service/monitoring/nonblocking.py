"""A log handler that never waits: what cannot be written at once is dropped, and counted.

A write to a full pipe whose reader has stopped never returns, and the worker would stall;
without a reader, or on a full disk, it fails. A line is worth less than a request.

O_NONBLOCK is not set on inherited descriptors, since the terminal and other processes share
them. A pipe or a terminal is opened a second time by its name in /proc, and for a socket
each send is non-blocking. What cannot be reopened (no /proc, or another user's) is polled
for room before each write. That can still block: if another process takes the room in
between, or on a terminal with little of it.
"""

import io
import logging
import os
import select
import socket
import stat
from collections.abc import Iterator, Sequence
from typing import Any

FLAGS = os.O_WRONLY | os.O_APPEND | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


class _Socket(socket.socket):
    def write(self, data: bytes) -> int:
        return self.send(data, socket.MSG_DONTWAIT)


class _Polled(io.FileIO):
    def write(self, data: Any) -> int:
        room, sent = select.poll(), 0
        room.register(self, select.POLLOUT)
        # A pipe with room takes a piece of this size without blocking.
        while sent < len(data) and room.poll(0):
            sent += super().write(data[sent : sent + select.PIPE_BUF]) or 0
        return sent


def _open_nonblocking(standard: int) -> Any:
    """Open a file descriptor for writes that do not block."""
    mode = os.fstat(standard).st_mode
    if stat.S_ISSOCK(mode):
        return _Socket(fileno=os.dup(standard))
    if stat.S_ISREG(mode):  # reopened, it would be written from its start
        return io.FileIO(standard, "w", closefd=False)
    try:
        return io.FileIO(os.open(f"/proc/self/fd/{standard}", FLAGS), "w")
    except OSError:
        return _Polled(standard, "w", closefd=False)


class Handler(logging.FileHandler):
    """Writes lines to a path or a file descriptor if that is possible without blocking.

    A FileHandler, so that gunicorn reopens it on SIGUSR1. If that fails, each line tries
    again.

    Args:
        target: the path or the descriptor.
    """

    stream: Any
    _gunicorn = True  # marks the handlers that gunicorn manages

    def __init__(self, target: str | int) -> None:
        super().__init__(str(target), delay=True)
        self._target = target
        self._process = self._lost = 0
        self._cut = False

    def _open(self) -> Any:
        try:
            if isinstance(self._target, int):
                return _open_nonblocking(self._target)
            return io.FileIO(os.open(self.baseFilename, FLAGS | os.O_CREAT, 0o666), "w")
        except OSError:
            return None

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record, preceded by the number of lines lost since the last one."""
        try:
            line = f"{self.format(record)}\n".encode(errors="backslashreplace")
        except Exception:  # arguments that do not match the format
            line = b""
        self._put(line, 1, record.process or 0)

    def write_lines(self, lines: Sequence[bytes]) -> None:
        """Write complete lines in as few writes as possible."""
        process = os.getpid()
        self.acquire()
        try:
            for piece, count in _pieces(lines):
                self._put(piece, count, process)
        finally:
            self.release()

    def _put(self, data: bytes, count: int, process: int) -> None:
        """Write ``count`` lines; empty data counts as lines lost."""
        if self._process != process:  # forked: the parent reports its own losses
            self._process, self._lost = process, 0
        try:
            self.stream = self.stream or self._open()
            before = b""
            if self._lost:  # in one write: alone, it would use up the room left
                before = f"{self.format(self._loss())}\n".encode()
            written = self._write(before + data) if data else 0
            if before and written >= len(before):
                self._lost = 0  # reported, even if what follows is cut
            if not data or written < len(before + data):
                self._lost += count
        except Exception:  # no room, no reader, no file
            self._lost += count

    def _loss(self) -> logging.LogRecord:
        text = f"{self._lost} lines of this log are lost: they could not be written at once"
        return logging.LogRecord(__name__, logging.WARNING, __file__, 0, text, None, None)

    def _write(self, data: bytes) -> int:
        """Return how many bytes were written; a line that was cut is ended first."""
        start = b"\n" if self._cut else b""
        sent: int = self.stream.write(start + data) or 0
        self._cut = sent < len(start + data) and (self._cut or sent > 0)
        return sent - len(start)


def _pieces(lines: Sequence[bytes]) -> Iterator[tuple[bytes, int]]:
    """Yield joined lines and their number, up to what a pipe writes atomically.

    So no line is cut, and none is mixed with another process's.
    """
    piece: list[bytes] = []
    size = 0
    for line in lines:
        if piece and size + len(line) > select.PIPE_BUF:
            yield b"".join(piece), len(piece)
            piece, size = [], 0
        piece.append(line)
        size += len(line)
    yield b"".join(piece), len(piece)
