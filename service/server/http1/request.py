"""Request heads: llhttp (httptools) parses them, and gunicorn's own limits apply.

Sources: RFC 9112 (syntax), RFC 9110 (semantics). What two servers could read differently is
refused, because request smuggling depends on that.
"""

import os
import re
from collections.abc import Mapping
from copy import copy
from typing import Any, NamedTuple, Self

import httptools
from gunicorn.http.message import METHOD_BADCHAR_RE, RFC9112_TARGET_INVALID
from gunicorn.util import split_request_uri

from service.errors import RequestError
from service.http import sane_id
from service.inference.access import authority
from service.monitoring.outcome import HeadFacts

END = b"\r\n\r\n"  # of a head
# Room for a request line and headers at gunicorn's limits of each, but not for a hundred
# headers of 8 kB: ten thousand half-sent heads must not fill the memory.
MAX_HEAD_BYTES = 64 * 1024
# A second one could be read instead of the first (RFC 9110, 5.3).
SINGLE = {"host", "content-type"}
# A method that llhttp does not know; the application may still answer 405 or 404.
METHOD = re.compile(rb"[!$%&'*+.^_`|~0-9A-Z-]{3,20}(?= )")


class Ends(NamedTuple):
    """The two ends of a connection.

    Attributes:
        peer: the client's address, ``(host, port, ...)``.
        server: the own address, as from ``getsockname``.
    """

    peer: Any
    server: Any


class HeadLimits(NamedTuple):
    """gunicorn's settings for heads; a limit of 0 is none.

    Attributes:
        line: most bytes of the request line.
        fields: most headers.
        field_size: most bytes of a header.
        special: names of headers, in lower case, that gunicorn trusts some clients with.
        prefix: path that the service is below, empty for none.
    """

    line: int
    fields: int
    field_size: int
    special: frozenset[str]
    prefix: str = ""

    @classmethod
    def of(cls, cfg: Any) -> Self:
        """Take the limits from gunicorn's settings."""
        special = frozenset(name.lower() for name in cfg.secure_scheme_headers)
        return cls(
            cfg.limit_request_line,
            cfg.limit_request_fields,
            cfg.limit_request_field_size,
            special,
            os.environ.get("SCRIPT_NAME", "").rstrip("/"),
        )


class RequestHead:
    """The head of a request.

    Attributes:
        method, uri, query: of the request line; uri is the target as it was sent.
        prefix: path that the service is below, of the settings or of a trusted proxy.
        full_path: the target's path.
        path: the target's path below the prefix.
        version: (1, 0) or (1, 1).
        raw: names and values of the headers as they were sent.
        fields: the headers, by names in lower case; repeated ones joined with commas.
        length: bytes of the body; None if it is chunked.
        keep_alive: whether the connection may be used again.
        request_id: the client's X-Request-ID if it is sane, else empty.
        special: whether gunicorn's policy for headers decides something about it, which
            may depend on the client's address.
        can_return: whether it means the same each time, if it is inference's.
        expects_continue: whether the client waits for a go-ahead before it sends the body.
        target: what inference has read in it; None if it is not for the fast path.
        is_probe: whether it is a health check or a scrape, which needs no application.
        original: the head that this one was copied from; None if it was parsed.
        changed: values that differ from the original's, by names in lower case.
        environ_headers: the headers as gunicorn passes them on, once they were needed.
    """

    special = False
    expects_continue = False
    target: Any = None
    is_probe = False
    original: "RequestHead | None" = None
    changed: Mapping[str, str] = {}
    environ_headers: list[tuple[str, str]] | None = None
    _facts: HeadFacts | None = None

    def __init__(self, head: bytes, limits: HeadLimits) -> None:
        """Parse a head.

        Args:
            head: request line and headers, up to and including the empty line.
            limits: how long its parts may be.

        Raises:
            RequestError: 400 malformed or ambiguous, 414 and 431 too long.
        """
        self.raw: list[tuple[bytes, bytes]] = []
        self._target = b""
        self._parse(head)
        self.prefix = limits.prefix
        self._read_line(head, limits)
        self._read_fields(head, limits)

    # Called by httptools; trailers come after the headers and are left out.

    def on_url(self, part: bytes) -> None:  # noqa: D102
        self._target += part

    def on_header(self, name: bytes, value: bytes) -> None:  # noqa: D102
        self.raw.append((name, value))

    def _parse(self, head: bytes) -> None:
        parser = httptools.HttpRequestParser(self)
        try:
            parser.feed_data(head)
            method = parser.get_method()
        except httptools.HttpParserUpgrade:
            method = parser.get_method()  # an upgrade may be ignored (RFC 9110, 7.8)
        except httptools.HttpParserInvalidMethodError:
            found = METHOD.match(head)
            if not found or METHOD_BADCHAR_RE.search(found[0].decode()):
                raise malformed("the method is none, expected capitals") from None
            self._parse(b"POST" + head[found.end() :])
            self.method = found[0].decode()
            return
        except httptools.HttpParserError as error:
            raise malformed(str(error)) from None
        self.method = method.decode()
        version = parser.get_http_version()
        if version not in ("1.1", "1.0"):
            raise malformed(f"the version is HTTP/{version}, expected HTTP/1.1 or 1.0")
        self.version = (1, int(version[2]))

    def _read_line(self, head: bytes, limits: HeadLimits) -> None:
        uri = self._target.decode("latin-1")
        # llhttp is lenient about spaces, and has other limits.
        if not head.startswith(b"%b %b HTTP/1." % (self.method.encode(), self._target)):
            raise malformed("the request line is not method, target and version")
        if len(uri) > limits.line > 0:
            raise too_long_line(limits.line)
        form = uri[0] == "/" or "://" in uri or self.method == "CONNECT"
        if not (form or uri == "*" and self.method == "OPTIONS"):
            raise malformed(f"the target is {uri!r:.100}, expected a path")
        if RFC9112_TARGET_INVALID.search(uri):
            raise malformed(f"the target is {uri!r:.100}, expected printable ASCII")
        self.uri = uri
        try:
            parts = split_request_uri(uri)
        except ValueError:
            raise malformed(f"the target is {uri!r:.100}, expected a path") from None
        self.path, self.query = parts.path, parts.query
        self.full_path = self.path

    def _read_fields(self, head: bytes, limits: HeadLimits) -> None:
        self._check_limits(head, limits)
        fields: dict[str, str] = {}
        for raw_name, raw_value in self.raw:
            name = raw_name.decode().lower()
            value = raw_value.decode("latin-1").rstrip(" \t")
            if name in fields:
                if name in SINGLE:
                    raise malformed(f"there are two headers {name}, expected one")
                value = f"{fields[name]},{value}"
            fields[name] = value
        if "host" not in fields and self.version == (1, 1):
            raise malformed("there is no header Host, expected one")
        host = authority(self.uri)
        if host is not None:
            fields["host"] = host
        self.fields = fields
        self.request_id = sane_id(fields.get("x-request-id", ""))
        # llhttp's own answer is about the next message once this one has ended.
        options = fields.get("connection", "").lower()
        asked = {option.strip(" \t") for option in options.split(",")}
        self.keep_alive = "close" not in asked and self.method != "CONNECT"
        if self.version == (1, 0):
            self.keep_alive = self.keep_alive and "keep-alive" in asked
        self._read_length()
        underscores = b"_" in head and any(b"_" in name for name, _ in self.raw)
        trusted = any(name in fields for name in limits.special)
        self.can_return = not ("expect" in fields or underscores)
        self.special = trusted or not self.can_return

    def _check_limits(self, head: bytes, limits: HeadLimits) -> None:
        if len(self.raw) > limits.fields > 0:
            raise too_large_fields(
                f"{len(self.raw)} headers, expected at most {limits.fields}"
            )
        if len(head) > limits.field_size > 0:
            for name, value in self.raw:
                size = len(name) + len(value) + len(b": \r\n")
                if size > limits.field_size:
                    found = f"a header {name.decode()!r:.100} of {size} bytes"
                    raise too_large_fields(f"{found}, expected at most {limits.field_size}")

    def _read_length(self) -> None:
        self.length: int | None = int(self.fields.get("content-length", 0))
        if "transfer-encoding" in self.fields:
            if self.version == (1, 0):
                raise malformed("there is a Transfer-Encoding, unknown in HTTP/1.0")
            self.length = None

    @property
    def facts(self) -> HeadFacts:
        """What log and spans report of it, kept for all copies."""
        known = self.original or self
        if known._facts is None:
            known._facts = HeadFacts(
                known.method, known.full_path, known.fields, known.uri, known.version
            )
        return known._facts

    def with_values(self, values: Mapping[str, str]) -> Self:
        """Return the same head with other values of headers that it has once each.

        Args:
            values: by names in lower case, of headers that nothing else depends on.
        """
        head = object.__new__(type(self))  # copy() takes four times as long
        head.__dict__ = self.__dict__ | {
            "fields": {**self.fields, **values},
            "request_id": sane_id(values.get("x-request-id", "")),
            "original": self.original or self,
            "changed": values,
            "environ_headers": None,
        }
        return head

    def closing(self) -> Self:
        """Return the same head, but of the last request of its connection."""
        head = copy(self)
        head.original = self.original or self
        head.keep_alive = False
        return head


def too_long_line(limit: int) -> RequestError:
    """Return the error for a request line over the limit."""
    return RequestError(414, f"request line is too long, expected at most {limit} bytes")


def too_large_fields(found: str) -> RequestError:
    """Return the error for headers over the limits."""
    return RequestError(431, f"found {found}")


def too_large_head(data: bytes | bytearray) -> RequestError:
    """Return the error for a head over the limit, which names the longest line."""
    longest = max(bytes(data).split(b"\r\n"), key=len)
    name = longest.partition(b":")[0].decode("latin-1")
    found = f"a head of more than {MAX_HEAD_BYTES} bytes, most of a line in {name!r:.100}"
    return too_large_fields(found)


def malformed(found: str) -> RequestError:
    """Return the error for what is not HTTP/1.1."""
    return RequestError(400, f"request is not HTTP/1.1: {found}")
