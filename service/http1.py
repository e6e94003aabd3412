"""HTTP/1.1 requests: llhttp (httptools) reads them, and gunicorn's own rules apply.

Sources: RFC 9112 (syntax), RFC 9110 (semantics). What two servers could read in two ways is
refused, because request smuggling lives on that.
"""

import re
from collections.abc import Mapping
from copy import copy
from io import BytesIO
from typing import TYPE_CHECKING, Any, Self

import httptools
from gunicorn.http.errors import ExpectationFailed, ParseException
from gunicorn.http.message import METHOD_BADCHAR_RE, RFC9112_TARGET_INVALID, HeaderPolicy
from gunicorn.util import split_request_uri

from service.errors import RequestError

if TYPE_CHECKING:
    from service.short_way import Inquiry

END = b"\r\n\r\n"  # of a head
# Room for a request line and headers at gunicorn's limits of each, but not for a hundred
# headers of 8 kB: ten thousand half-sent heads must not fill the memory.
MAX_HEAD_BYTES = 64 * 1024
# A second one could be read instead of the first (RFC 9110, 5.3).
SINGLE = {"host", "content-type"}
# A method that llhttp does not know; the application may still answer 405 or 404.
METHOD = re.compile(rb"[!$%&'*+.^_`|~0-9A-Z-]{3,20}(?= )")


class Request(HeaderPolicy):  # type: ignore[misc]
    """The head of a request, with the attributes that gunicorn's environ is made of.

    Attributes:
        method, uri, path, query: of the request line; uri is the target as it was sent.
        version: (1, 0) or (1, 1).
        fields: the headers, by names in lower case; repeated ones joined with commas.
        length: bytes of the body; None if it is chunked.
        keep_alive: whether the client would use the connection again.
        body: an empty file, in place of the body.
        special: whether what was read depends on the client's address too.
        inquiry: what the short way has read in it; None if it is not for the short way.
        like: the request that this one was made from; None if it was read itself.
        described: what is told of it, once that was asked for.
        told: the same as the log writes it.
    """

    proxy_protocol_info = None
    special = False
    inquiry: "Inquiry | None" = None
    like: "Request | None" = None
    described: dict[str, Any] | None = None
    told: bytes | tuple[str, str, str] | None = None
    _others: Mapping[str, str] = {}

    def __init__(self, head: bytes, cfg: Any, peer: Any) -> None:
        """Read a head.

        Args:
            head: the request line and the headers, up to and with the empty line.
            cfg: gunicorn's settings.
            peer: the client's address.

        Raises:
            RequestError: 400 malformed or ambiguous, 414 and 431 too long, 417 an
                expectation that cannot be met.
        """
        self.cfg = cfg
        self.peer_addr = self.remote_addr = peer
        self.scheme = "https" if cfg.is_ssl else "http"
        self.body = BytesIO()  # gunicorn looks for one; the gateway has the real one
        self._raw: list[tuple[bytes, bytes]] = []
        self._target = b""
        self._headers: list[tuple[str, str]] | None = None
        self._parse(head)
        self._read_line(head)
        self._read_fields(head)

    # What httptools calls; a trailer comes after the headers and is left out.

    def on_url(self, part: bytes) -> None:  # noqa: D102
        self._target += part

    def on_header(self, name: bytes, value: bytes) -> None:  # noqa: D102
        self._raw.append((name, value))

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
                raise _malformed("the method is none, expected capitals") from None
            self._parse(b"POST" + head[found.end() :])
            self.method = found[0].decode()
            return
        except httptools.HttpParserError as error:
            raise _malformed(str(error)) from None
        self.method = method.decode()
        version = parser.get_http_version()
        if version not in ("1.1", "1.0"):
            raise _malformed(f"the version is HTTP/{version}, expected HTTP/1.1 or 1.0")
        self.version = (1, int(version[2]))

    def _read_line(self, head: bytes) -> None:
        uri = self._target.decode("latin-1")
        # llhttp is lenient about spaces; and its limits are not ours.
        if not head.startswith(b"%b %b HTTP/1." % (self.method.encode(), self._target)):
            raise _malformed("the request line is not method, target and version")
        if len(uri) > self.cfg.limit_request_line > 0:
            raise too_long_line(self.cfg)
        form = uri[0] == "/" or "://" in uri or self.method == "CONNECT"
        if not (form or uri == "*" and self.method == "OPTIONS"):
            raise _malformed(f"the target is {uri!r:.100}, expected a path")
        if RFC9112_TARGET_INVALID.search(uri):
            raise _malformed(f"the target is {uri!r:.100}, expected printable ASCII")
        self.uri = uri
        try:
            parts = split_request_uri(uri)
        except ValueError:
            raise _malformed(f"the target is {uri!r:.100}, expected a path") from None
        self.path, self.query = parts.path, parts.query

    def _read_fields(self, head: bytes) -> None:
        self._check_limits(head)
        fields: dict[str, str] = {}
        for raw_name, raw_value in self._raw:
            name = raw_name.decode().lower()
            value = raw_value.decode("latin-1").rstrip(" \t")
            if name in fields:
                if name in SINGLE:
                    raise _malformed(f"there are two headers {name}, expected one")
                value = f"{fields[name]},{value}"
            fields[name] = value
        self.fields = fields
        # llhttp's own answer is about the next message once this one has ended.
        options = fields.get("connection", "").lower()
        asked = {option.strip(" \t") for option in options.split(",")}
        self.keep_alive = "close" not in asked and self.method != "CONNECT"
        if self.version == (1, 0):
            self.keep_alive = self.keep_alive and "keep-alive" in asked
        if "host" not in fields and self.version == (1, 1):
            raise _malformed("there is no header Host, expected one")
        self._read_length()
        # The rest of gunicorn's policy is about these; without one it changes nothing.
        special = self.cfg.secure_scheme_headers
        underscores = b"_" in head and any(b"_" in name for name, _ in self._raw)
        if "expect" in fields or underscores or any(n.lower() in fields for n in special):
            self.special = True
            self._apply_policy()

    def _check_limits(self, head: bytes) -> None:
        most, size = self.cfg.limit_request_fields, self.cfg.limit_request_field_size
        if len(self._raw) > most > 0:
            raise too_large_fields(f"{len(self._raw)} headers, expected at most {most}")
        if len(head) > size > 0:
            for name, value in self._raw:
                if len(name) + len(value) + len(b": \r\n") > size:
                    raise too_large_fields(f"a header of more than {size} bytes")

    def _read_length(self) -> None:
        self.length: int | None = int(self.fields.get("content-length", 0))
        if "transfer-encoding" in self.fields:
            if self.version == (1, 0):
                raise _malformed("there is a Transfer-Encoding, unknown in HTTP/1.0")
            self.length = None

    @property
    def headers(self) -> list[tuple[str, str]]:
        """The headers as gunicorn has them: names in capitals, its policy applied."""
        if self._headers is None:
            self._apply_policy()
        assert self._headers is not None
        return self._headers

    def _apply_policy(self) -> None:
        trusted = self._peer_trusted_for_forwarded()
        headers: list[tuple[str, str]] = []
        seen: set[str] = set()
        state = [False]
        try:
            for raw_name, raw_value in self._raw:
                name, value = raw_name.decode(), raw_value.decode("latin-1").rstrip(" \t")
                value = self._others.get(name.lower(), value)
                kept = self._apply_header_policy(name.upper(), value, state, seen, *trusted)
                if kept is not None:
                    headers.append(kept)
        except ExpectationFailed as error:
            raise RequestError(417, f"{error}, expected 100-continue") from None
        except ParseException as error:
            raise _malformed(str(error)) from None
        self._headers = headers

    @property
    def expects_continue(self) -> bool:
        """Whether the client waits for a go-ahead before it sends the body."""
        return bool(self._expected_100_continue)

    @expects_continue.setter
    def expects_continue(self, value: bool) -> None:
        self._expected_100_continue = value

    def with_values(self, values: Mapping[str, str]) -> Self:
        """Return the same request, but for the values of headers that it has once each.

        Args:
            values: by names in lower case, of headers that nothing else depends on.
        """
        request = object.__new__(type(self))  # copy() takes four times as long
        request.__dict__ = self.__dict__ | {
            "fields": {**self.fields, **values},
            "like": self,
            "_others": values,
            "_headers": None,
        }
        return request

    def closing(self) -> Self:
        """Return the same request, but on a connection that ends after it."""
        request = copy(self)
        request.keep_alive = False
        return request

    def should_close(self) -> bool:
        """Tell gunicorn's response whether the connection ends after it."""
        return not self.keep_alive


def too_long_line(cfg: Any) -> RequestError:
    """Return the error for a request line over gunicorn's limit."""
    return RequestError(
        414, f"request line is too long, expected at most {cfg.limit_request_line} bytes"
    )


def too_large_fields(found: str) -> RequestError:
    """Return the error for headers over gunicorn's limits."""
    return RequestError(431, f"found {found}")


def _malformed(found: str) -> RequestError:
    return RequestError(400, f"request is not HTTP/1.1: {found}")
