"""Between the worker and a WSGI application: gunicorn's own environ, response and log."""

import asyncio
import gc
import os
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import lru_cache
from io import BytesIO
from threading import Thread
from time import perf_counter
from typing import Any

from gunicorn.http import wsgi
from gunicorn.http.errors import ExpectationFailed, ParseException
from gunicorn.http.message import HeaderPolicy

from service.errors import RequestError
from service.http import PHRASES
from service.inference.access import is_below
from service.monitoring.outcome import Outcome
from service.server.http1.request import Ends, RequestHead, malformed
from service.server.pool import Head

# An outcome with the ends of its connection and its head; None if that cannot be parsed.
Done = tuple[Ends, Head | None, Outcome]
MOST_HOSTS = 1024  # remembered: 100 KB


class Sink:
    """Collects what gunicorn's response writes to its socket."""

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


class Request(HeaderPolicy):  # type: ignore[misc]
    """A head as gunicorn makes its environ of it, with gunicorn's policy for headers.

    Raises:
        RequestError: 400 ambiguous or forbidden headers, 417 an expectation that cannot
            be met.
    """

    proxy_protocol_info = None

    def __init__(self, head: RequestHead, cfg: Any, peer: Any) -> None:
        self.cfg = cfg
        self.peer_addr = self.remote_addr = peer
        self.scheme = "https" if cfg.is_ssl else "http"
        self.method, self.uri, self.version = head.method, head.uri, head.version
        self.path, self.query = head.full_path, head.query
        self.body = BytesIO()  # gunicorn looks for one; the gateway sets the real one
        self._keep_alive = head.keep_alive
        if head.environ_headers is None or head.special:
            head.environ_headers = self._apply_policy(head)
        self.headers = head.environ_headers

    def _apply_policy(self, head: RequestHead) -> list[tuple[str, str]]:
        trusted = self._peer_trusted_for_forwarded()
        headers: list[tuple[str, str]] = []
        seen: set[str] = set()
        state = [False]
        try:
            for raw_name, raw_value in head.raw:
                name, value = raw_name.decode(), raw_value.decode("latin-1").rstrip(" \t")
                value = head.changed.get(name.lower(), value)
                kept = self._apply_header_policy(name.upper(), value, state, seen, *trusted)
                if kept is not None:
                    headers.append(kept)
        except ExpectationFailed as error:
            raise RequestError(417, f"{error}, expected 100-continue") from None
        except ParseException as error:
            raise malformed(str(error)) from None
        prefixes = [value for name, value in headers if name == "SCRIPT_NAME"]
        if prefixes:  # of a trusted proxy; gunicorn takes the last
            head.prefix = prefixes[-1].rstrip("/")
        head.expects_continue = bool(self._expected_100_continue)
        self._expected_100_continue: bool = False  # the connection answers it, not gunicorn
        return headers

    def should_close(self) -> bool:
        """Whether the connection ends after this request."""
        return not self._keep_alive


class Response(wsgi.Response):  # type: ignore[misc]
    """gunicorn's response, without sendfile: there is no socket behind it."""

    def can_sendfile(self) -> bool:  # noqa: D102
        return False


def place_below_prefix(request: Any) -> None:
    """Let gunicorn make an environ for a path outside of SCRIPT_NAME.

    It raises an error for such a path, which would count as a bug. With the prefix added,
    the application sees the path as it was sent; it compares the target (RAW_URI) with
    SCRIPT_NAME, and answers 404.

    Args:
        request: gunicorn's, of any worker.
    """
    prefix = os.environ.get("SCRIPT_NAME", "")
    for name, value in request.headers:
        if name == "SCRIPT_NAME":
            prefix = value
    inside = request.path.startswith(prefix) and is_below(request.path, prefix.rstrip("/"))
    if prefix and not inside:
        request.path = prefix + request.path


class Gateway:
    """Calls a WSGI application, and writes gunicorn's access log.

    An application may have a method `load`, to be called before its first request.

    Attributes:
        logs: whether there is an access log.
        loaded: whether the application can be called.
        trusts: returns whether clients of a host are trusted with what a proxy adds.

    Args:
        application: the WSGI application.
        cfg: gunicorn's settings.
        log: gunicorn's log.
    """

    def __init__(self, application: Any, cfg: Any, log: Any) -> None:
        self._application, self._cfg, self._log = application, cfg, log
        self._load: Callable[[], object] | None = getattr(application, "load", None)
        self._waiting: list[Callable[[], None]] = []
        self.loaded = self._load is None
        # Asked for each connection; the answer takes 6 µs, and never changes.
        self.trusts = lru_cache(MOST_HOSTS)(self._is_trusted)
        self.logs: bool = log.access_log_enabled
        # Another class than the service's own may be configured.
        self._writes_outcomes: bool = getattr(log, "writes_outcomes", False)

    def apply(self, head: RequestHead, ends: Ends) -> None:
        """Apply gunicorn's policy for headers to a head.

        Raises:
            RequestError: the policy refuses it.
        """
        Request(head, self._cfg, ends.peer)

    def _is_trusted(self, host: str) -> bool:
        """Return whether gunicorn's policy trusts a client with what a proxy adds."""
        policy = HeaderPolicy()
        policy.cfg, policy.peer_addr = self._cfg, (host, 0)
        return bool(policy._peer_is_trusted_proxy())

    def load(self, then: Callable[[], None]) -> None:
        """Load the application, and call back in the loop's turn after that.

        It takes 0.1 s, in a thread: this one goes on answering, with pauses of no more
        than 5 ms, the interpreter's switch interval.
        """
        self._waiting.append(then)
        if len(self._waiting) == 1:
            loop = asyncio.get_running_loop()
            Thread(target=self._load_in_thread, args=(loop,), daemon=True).start()

    def _load_in_thread(self, loop: asyncio.AbstractEventLoop) -> None:
        try:
            assert self._load is not None
            self._load()
            gc.freeze()  # see `Worker.run`
        except Exception as error:  # each call will raise it again, and be answered
            self._log.error("the application cannot be loaded: %r", error)
        loop.call_soon_threadsafe(self._call_back)

    def _call_back(self) -> None:
        self.loaded = True
        waiting, self._waiting = self._waiting, []
        for then in waiting:
            then()

    def call(self, ends: Ends, head: RequestHead, body: bytes) -> tuple[bytes, bool]:
        """Let the application answer a request.

        Returns:
            The complete reply, and whether the connection can be used again.
        """
        sink, start = Sink(ends.server), perf_counter()
        request, response, environ = self._create(ends, head, sink)
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

    def log(self, done: Sequence[Done]) -> None:
        """Write a line for each request that was answered without the application."""
        if self._writes_outcomes:
            self._log.write_outcomes([outcome for _, _, outcome in done])
            return
        for ends, head, outcome in done:
            if isinstance(head, RequestHead):  # what gunicorn's format needs, no other has
                self._log_as_gunicorn(ends, head, outcome)

    def _log_as_gunicorn(self, ends: Ends, head: RequestHead, outcome: Outcome) -> None:
        """Write a line in a format that only gunicorn knows."""
        request, response, environ = self._create(ends, head, Sink(ends.server))
        reply = outcome.reply
        response.status = f"{reply.status} {PHRASES[reply.status]}"
        response.headers = [*reply.headers, ("X-Request-ID", outcome.request_id)]
        response.sent = len(reply.body)
        seconds = timedelta(seconds=outcome.seconds)
        self._log.access(response, request, environ, seconds)

    def _create(
        self, ends: Ends, head: RequestHead, sink: Sink
    ) -> tuple[Request, Response, dict[str, Any]]:
        request = Request(head, self._cfg, ends.peer)
        place_below_prefix(request)
        response, environ = wsgi.create(
            request, sink, ends.peer, ends.server, self._cfg, Response
        )
        return request, response, environ
