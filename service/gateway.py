"""Between the worker and the WSGI application: gunicorn's own environ, response and log."""

from collections.abc import Sequence
from datetime import timedelta
from io import BytesIO
from time import perf_counter, time
from typing import TYPE_CHECKING, Any

from gunicorn.http import wsgi

from service import request_lines, text_lines
from service.http1 import Request
from service.replies import PHRASES, Reply

if TYPE_CHECKING:
    from service.connection import Connection

# A request that was answered: where it came from, itself, its id and the reply.
Done = tuple["Connection", Request, str, Reply]


class Sink:
    """Takes what gunicorn's response writes to its socket."""

    def __init__(self, address: Any) -> None:
        self.parts: list[bytes] = []
        self._address = address

    def getsockname(self) -> Any:
        """Return the server's end of the connection."""
        return self._address

    def sendall(self, data: bytes) -> None:
        """Keep the bytes."""
        self.parts.append(bytes(data))

    send = sendall


class Response(wsgi.Response):  # type: ignore[misc]
    """gunicorn's response, without sendfile: there is no socket behind it."""

    def can_sendfile(self) -> bool:  # noqa: D102
        return False


class Gateway:
    """Calls an application.

    Args:
        application: the WSGI application.
        cfg: gunicorn's settings.
        log: gunicorn's log.
    """

    def __init__(self, application: Any, cfg: Any, log: Any) -> None:
        self._application, self._cfg, self._log = application, cfg, log
        self.logs: bool = log.access_log_enabled
        # Another class than the service's own may have been asked for.
        self._json: bool = getattr(log, "json", False)
        self._usual: bool = getattr(log, "usual", False)

    def call(
        self, connection: "Connection", request: Request, body: bytes
    ) -> tuple[bytes, bool]:
        """Let the application answer.

        Returns:
            The reply with its head, and whether the connection can be used again.
        """
        sink, start = Sink(connection.server), perf_counter()
        response, environ = self._create(connection, request, sink)
        # Not with the request: that may be kept for the next one with its head.
        environ["wsgi.input"] = BytesIO(body)
        parts = self._application(environ, response.start_response)
        try:
            for part in parts:
                response.write(part)
            response.close()
        finally:
            if hasattr(parts, "close"):
                parts.close()
        if self.logs:
            seconds = timedelta(seconds=perf_counter() - start)
            self._log.access(response, request, environ, seconds)
        return b"".join(sink.parts), not response.should_close()

    def log(self, done: Sequence[Done], seconds: float) -> None:
        """Write a line for each request that was answered without the application.

        Args:
            done: requests that were answered together.
            seconds: how long that took.
        """
        if self._usual:
            now, log = self._log.now(), self._log
            self._log.write_requests(
                [text_lines.line(log, now, c.peer, asked, x) for c, asked, _, x in done]
            )
            return
        if not self._json:
            for one in done:
                self._log_as_gunicorn(*one, seconds)
            return
        start, took = request_lines.begin(time()), request_lines.milliseconds(seconds)
        lines = []
        for connection, request, used_id, reply in done:
            about = request_lines.told(request)
            result = request_lines.result_of(request, used_id, reply, took)
            lines.append(request_lines.write(start, about, connection.peer, result))
        self._log.write_requests(lines)

    def log_unread(self, connection: "Connection", used_id: str, reply: Reply) -> None:
        """Write a line, if it is JSON, for what could not be read as a request."""
        if self._json:
            more = {"reason": reply.reason}
            result = request_lines.Result(
                reply.status, 0, len(reply.body), 0.0, used_id, None, more
            )
            start = request_lines.begin(time())
            about = request_lines.tell({"route": "unmatched"})
            line = request_lines.write(start, about, connection.peer, result)
            self._log.write_requests([line])

    def _log_as_gunicorn(
        self,
        connection: "Connection",
        request: Request,
        used_id: str,
        reply: Reply,
        seconds: float,
    ) -> None:
        response, environ = self._create(connection, request, Sink(connection.server))
        response.status = f"{reply.status} {PHRASES[reply.status]}"
        response.headers = [*reply.headers.items(), ("X-Request-ID", used_id)]
        response.sent = len(reply.body)
        self._log.access(response, request, environ, timedelta(seconds=seconds))

    def _create(
        self, connection: "Connection", request: Request, sink: Sink
    ) -> tuple[Response, dict[str, Any]]:
        request.expects_continue = False  # it has been told to go on
        response, environ = wsgi.create(
            request, sink, connection.peer, connection.server, self._cfg, Response
        )
        return response, environ
