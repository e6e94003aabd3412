"""gunicorn's logger class, with handlers that never wait and outcomes as access lines."""

import logging
import os
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from gunicorn import glogging
from gunicorn.config import AccessLogFormat

from service.http import Reply
from service.monitoring.access_log import escape, format_json, format_text
from service.monitoring.json_lines import Formatter
from service.monitoring.nonblocking import Handler
from service.monitoring.outcome import OUTCOME, UNMATCHED, HeadFacts, Outcome
from service.monitoring.trace_context import read_trace


class TextFormatter(logging.Formatter):
    """gunicorn's lines of text, without what a terminal would obey."""

    def format(self, record: logging.LogRecord) -> str:
        """Return a record as lines."""
        return escape(super().format(record))


class Logger(glogging.Logger):  # type: ignore[misc]
    """The logger class, for lines of text.

    Attributes:
        json: whether its lines are JSON.
        writes_outcomes: whether `write_outcomes` knows the format of access lines.
    """

    json = False

    def setup(self, cfg: Any) -> None:
        """Set the handlers up, at the start and on a reload."""
        before = [*self.error_log.handlers, *self.access_log.handlers]
        super().setup(cfg)
        for handler in before:
            if isinstance(handler, Handler):
                handler.close()
        own = {*map(type, self.access_log.handlers)} == {Handler}  # and there is one
        usual = cfg.access_log_format == AccessLogFormat.default
        self.writes_outcomes = self.json or (own and usual)

    def _set_handler(self, log: Any, output: Any, fmt: Any, stream: Any = None) -> None:
        super()._set_handler(log, output, fmt, stream)  # checks that it can be written
        plain = self._get_gunicorn_handler(log)
        if plain is None:
            return
        if output == "-":  # if the stream is closed, its number is another file's
            output = plain.stream.fileno() if plain.stream else os.devnull
        handler = Handler(output)
        # Of a format and of times, as gunicorn's.
        text = TextFormatter(fmt._fmt, fmt.datefmt)
        handler.setFormatter(Formatter() if self.json else text)
        log.removeHandler(plain)
        log.addHandler(handler)
        plain.close()

    def _get_user(self, environ: Any) -> str | None:
        """Return the client's user name, escaped: decoded, it could hold a line feed."""
        user: str | None = super()._get_user(environ)
        return user if user is None or user.isprintable() else ascii(user)[1:-1]

    def access(self, resp: Any, req: Any, environ: Any, request_time: timedelta) -> None:
        """Write the line of a request that a WSGI application has answered."""
        if not self.json:
            super().access(resp, req, environ, request_time)
        elif self.access_log_enabled:
            outcome = environ.get(OUTCOME) or _outcome(resp, req, environ)
            outcome.seconds, outcome.sent = request_time.total_seconds(), resp.sent
            self.write_outcomes([outcome])

    def write_outcomes(self, outcomes: Sequence[Outcome]) -> None:
        """Write a line for each outcome."""
        if self.json:
            lines = format_json(outcomes)
        else:
            lines = format_text(outcomes, self.now(), self._user_of)
        if not lines:
            return
        # A gunicorn that logs elsewhere has other handlers, or only those of its parents.
        for handler in self.access_log.handlers or [self.access_log]:
            if isinstance(handler, Handler):
                handler.write_lines(lines)
                continue
            for line in lines:
                text = line.decode().rstrip()
                record = ("gunicorn.access", logging.INFO, __file__, 0, text, None, None)
                handler.handle(logging.LogRecord(*record))

    def _user_of(self, authorization: str) -> str | None:
        return self._get_user({"HTTP_AUTHORIZATION": authorization})


class JsonLogger(Logger):
    """The logger class, for lines of JSON."""

    json = True


def _outcome(resp: Any, req: Any, environ: Any) -> Outcome:
    """Return what gunicorn knows of a request that never reached this application."""
    status = int(str(resp.status).partition(" ")[0])
    ids = [value for name, value in resp.headers if name.lower() == "x-request-id"]
    names = ("user-agent", "traceparent", "tracestate")
    headers = {it: environ.get(f"HTTP_{it.upper().replace('-', '_')}", "") for it in names}
    return Outcome(
        req.method,
        UNMATCHED,
        None,
        ids[0] if ids else "",
        Reply(status, b""),
        int(environ.get("CONTENT_LENGTH") or 0),
        client=environ.get("REMOTE_ADDR", ""),
        head=HeadFacts(req.method, req.path, headers),
        trace=read_trace(headers),
    )
