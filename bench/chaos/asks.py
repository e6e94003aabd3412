"""Requests whose right reply is known, and what a reply to one is."""

from typing import NamedTuple

from bench.harness import wire
from bench.harness.wire import Client, Reply
from load import answers, payloads
from load.payloads import JSON, PREDICT, Request
from load.payloads import OCTETS as RAW

REPLY_S = 10.0  # no reply in this time is a failure
SHED = "shed"  # of too much at once, with Retry-After


class Ask(NamedTuple):
    """A request as bytes, the status it must get, and what to look for in a 200."""

    name: str
    content: bytes
    status: int = 200
    request: Request | None = None

    @property
    def closing(self) -> bytes:
        """The same, after which the server is to close the connection."""
        return self.content.replace(b"\r\n", b"\r\nConnection: close\r\n", 1)


def post(body: bytes, content_type: str, path: str = PREDICT, **fields: str) -> bytes:
    """Return a POST's bytes; ``content_encoding="br"`` adds a header."""
    more = {name.replace("_", "-"): value for name, value in fields.items()}
    return wire.request(path, body, {"Content-Type": content_type, **more})


def judge(ask: Ask, reply: Reply) -> tuple[str, str]:
    """Return ``right``, ``wrong``, ``unexpected`` (another status) or `SHED`, and why."""
    if reply.status != ask.status:
        text = (
            f"{ask.name}: found {reply.status} {reply.body[:80]!r}, expected {ask.status}"
        )
        return (SHED if reply.sheds else "unexpected"), text
    if ask.request is None:
        return "right", ""
    headers = {name.title(): value for name, value in reply.headers.items()}
    wrong = answers.problem(ask.request, reply.status, headers, reply.body)
    return ("wrong", f"{ask.name}: {wrong}") if wrong else ("right", "")


def exchange(port: int, content: bytes) -> Reply | None:
    """Send a request on a new connection; return the reply, None if it is not whole."""
    try:
        with Client(port, REPLY_S) as client:
            return client.ask(content)
    except (ConnectionError, ValueError):
        return None


def _of(*names: str, images: int = 1) -> list[Ask]:
    """Return requests of some payloads of the load test."""
    return [
        Ask(one.name, wire.request(one.path, one.body, one.headers), 200, one)
        for name in names
        for one in payloads.requests(name, images)
    ]


def single() -> list[Ask]:
    """Return each digit as raw bytes, and as JSON."""
    return [ask for pair in zip(_of("raw"), _of("json")) for ask in pair]


def batches(images: int) -> list[Ask]:
    """Return so many digits as raw bytes, beginning with each of them."""
    return _of("raw", images=images)


def mixed() -> list[Ask]:
    """Return every dialect and pictures, and small batches of what takes them."""
    return _of("mixed") + _of("mixed", images=2) + _of("raw", images=8)


def bad() -> list[Ask]:
    """Return requests that must be refused, each with its code."""
    _, frame = payloads.digits()[0]
    return [
        Ask("no JSON", post(b"{", JSON), 400),
        Ask("short", post(frame[1:], RAW), 400),
        Ask("no ink", post(bytes(784), RAW), 422),
        Ask("type", post(b"x", "text/plain"), 415),
        Ask("encoding", post(b"x", RAW, content_encoding="br"), 415),
        Ask("version", post(frame, RAW, "/predict?version=7"), 404),
        Ask("no picture", post(b"\x89PNG\r\n\x1a\nno", "image/png"), 400),
        Ask("path", wire.request("/nothing", method="GET"), 404),
        Ask("method", wire.request("/predict", method="GET"), 405),
        Ask("host", b"GET /livez HTTP/1.1\r\n\r\n", 400),
    ]
