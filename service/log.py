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
import time
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

from gunicorn import glogging

from service import json_lines, request_lines, text_lines

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
        try:
            line = f"{self.format(record)}\n".encode(errors="backslashreplace")
        except Exception:  # arguments that do not fit
            line = b""
        self._put(line, 1, record.process or 0)

    def write_lines(self, lines: Sequence[bytes]) -> None:
        """Write lines that are ready, with their ends, as few times as possible."""
        process = os.getpid()
        self.acquire()
        try:
            for piece, count in _pieces(lines):
                self._put(piece, count, process)
        finally:
            self.release()

    def _put(self, data: bytes, count: int, process: int) -> None:
        """Write so many lines; nothing in place of them is a loss like any other."""
        if self._process != process:  # forked: the parent tells what it has lost
            self._process, self._lost = process, 0
        try:
            self.stream = self.stream or self._open()
            before = b""
            if self._lost:  # in one piece: alone, it would fill the room that is left
                before = f"{self.format(self._loss())}\n".encode()
            written = self._write(before + data) if data else 0
            if before and written >= len(before):
                self._lost = 0  # that is told, also where what follows is cut
            if not data or written < len(before + data):
                self._lost += count
        except Exception:  # no room, no reader, no file
            self._lost += count

    def _loss(self) -> logging.LogRecord:
        text = f"{self._lost} lines of this log are lost: they could not be written at once"
        return logging.LogRecord(__name__, logging.WARNING, __file__, 0, text, None, None)

    def _write(self, data: bytes) -> int:
        """Return how many were written; if not all, the next line is one of its own."""
        start = b"\n" if self._cut else b""
        sent: int = self.stream.write(start + data) or 0
        self._cut = sent < len(start + data) and (self._cut or sent > 0)
        return sent - len(start)


def _pieces(lines: Sequence[bytes]) -> Iterator[tuple[bytes, int]]:
    """Yield lines together, and how many, up to what a pipe takes as a whole or not at all.

    So no other process's line gets into one of these, and none is cut.
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


def _result(resp: Any, environ: Any, request_time: timedelta) -> request_lines.Result:
    ids = [value for name, value in resp.headers if name.lower() == "x-request-id"]
    status = int(str(resp.status).partition(" ")[0])
    seconds, used_id = request_time.total_seconds(), ids[0] if ids else ""
    return request_lines.result_of_wsgi(environ, status, resp.sent, seconds, used_id)


class Logger(glogging.Logger):  # type: ignore[misc]
    """gunicorn's logger class with these handlers in place of its own.

    Attributes:
        json: whether its lines are JSON.
        usual: whether the lines of requests are text in gunicorn's usual format.
    """

    def setup(self, cfg: Any) -> None:
        """Set the handlers up, at the start and on a reload."""
        self.json = json_lines.is_wanted()
        before = [*self.error_log.handlers, *self.access_log.handlers]
        super().setup(cfg)
        for handler in before:
            if isinstance(handler, Handler):
                handler.close()
        own = {*map(type, self.access_log.handlers)} == {Handler}  # and there is one
        self.usual = text_lines.is_usual(cfg.access_log_format) and own and not self.json

    def _set_handler(self, log: Any, output: Any, fmt: Any, stream: Any = None) -> None:
        super()._set_handler(log, output, fmt, stream)  # checks that it can be written
        plain = self._get_gunicorn_handler(log)
        if plain is None:
            return
        if output == "-":  # where the stream is closed, its number is another file's
            output = plain.stream.fileno() if plain.stream else os.devnull
        handler = Handler(output)
        handler.setFormatter(json_lines.Formatter() if self.json else fmt)
        log.removeHandler(plain)
        log.addHandler(handler)
        plain.close()

    def _get_user(self, environ: Any) -> str | None:
        """Return who a client says it is: decoded, it could hold the end of a line."""
        user: str | None = super()._get_user(environ)
        return user if user is None or user.isprintable() else ascii(user)[1:-1]

    def access(self, resp: Any, req: Any, environ: Any, request_time: timedelta) -> None:
        """Write the line of a request that a WSGI application has answered."""
        if not self.json:
            super().access(resp, req, environ, request_time)
        elif self.access_log_enabled:
            agent = environ.get("HTTP_USER_AGENT", "")
            head = request_lines.head(req.method, req.path, agent)
            client = (environ.get("REMOTE_ADDR", ""),)
            result = _result(resp, environ, request_time)
            start = request_lines.begin(time.time())
            self.write_requests(
                [request_lines.write(start, request_lines.tell(head), client, result)]
            )

    def write_requests(self, lines: Sequence[bytes]) -> None:
        """Write the lines of requests that were answered together."""
        # Of a gunicorn that is told to log elsewhere, others, or those above it.
        for handler in self.access_log.handlers or [self.access_log]:
            if isinstance(handler, Handler):
                handler.write_lines(lines)
                continue
            for line in lines:
                text = line.decode().rstrip()
                record = ("gunicorn.access", logging.INFO, __file__, 0, text, None, None)
                handler.handle(logging.LogRecord(*record))
