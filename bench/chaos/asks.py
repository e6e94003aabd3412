"""Requests whose right answer is known, and the check of what came back."""

import base64
import json
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

DIGITS = Path(__file__).resolve().parents[2] / "load" / "digits.json"
RAW = "application/octet-stream"
JSON = "application/json"
HEAD_END = b"\r\n\r\n"


class Ask(NamedTuple):
    """A request as bytes, the status it must get, and the digits that must be read."""

    name: str
    content: bytes
    status: int
    digits: tuple[int, ...] = ()
    read: Callable[[Any], list[int]] | None = None

    @property
    def closing(self) -> bytes:
        """The same, after which the server is to close the connection."""
        return self.content.replace(b"\r\n", b"\r\nConnection: close\r\n", 1)


class Reply(NamedTuple):
    status: int
    head: bytes  # in lower case
    body: bytes

    @property
    def closes(self) -> bool:
        return b"\r\nconnection: close" in self.head

    @property
    def sheds(self) -> bool:
        """Whether it is the refusal of a server that has too much to do."""
        return self.status == 503 and b"\r\nretry-after: " in self.head


def parse(content: bytes) -> Reply | None:
    """Return the reply that the bytes are, or None while some of it is missing."""
    end = content.find(HEAD_END)
    if end < 0:
        return None
    head = content[:end].lower()
    length = int(head.partition(b"\r\ncontent-length: ")[2].partition(b"\r")[0])
    body = content[end + 4 :]
    return Reply(int(head[9:12]), head, body) if len(body) >= length else None


def problem(ask: Ask, reply: Reply) -> str | None:
    """Say what is wrong with a reply, or None; a wrong answer begins with ``read``."""
    if reply.status != ask.status:
        return (
            f"{ask.name}: found {reply.status} {reply.body[:80]!r}, expected {ask.status}"
        )
    if ask.read is None:
        return None
    try:
        found = ask.read(json.loads(reply.body))
    except (ValueError, KeyError, TypeError, IndexError):
        return f"read nothing: {ask.name}: {reply.body[:80]!r}"
    if found != list(ask.digits):
        return f"read {found}, expected {list(ask.digits)}: {ask.name}"
    return None


def post(body: bytes, content_type: str, path: str = "/predict", fields: str = "") -> bytes:
    """Return a POST's bytes."""
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: {content_type}\r\n{fields}"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def digits() -> list[tuple[int, bytes]]:
    """Return the project's own digits: label and frame, 784 bytes."""
    entries = json.loads(DIGITS.read_bytes())
    return [(entry["label"], base64.b64decode(entry["frame"])) for entry in entries]


def single() -> list[Ask]:
    """Return each digit as raw bytes, and as JSON."""
    asks = []
    for label, frame in digits():
        text = json.dumps({"instances": [list(frame)]}).encode()
        asks.append(Ask("raw", post(frame, RAW), 200, (label,), ours))
        asks.append(Ask("json", post(text, JSON), 200, (label,), ours))
    return asks


def batches(images: int) -> list[Ask]:
    """Return so many digits as raw bytes, beginning with each of them."""
    asks, every = [], digits()
    for number in range(len(every)):
        batch = [every[(number + n) % len(every)] for n in range(images)]
        labels, frames = zip(*batch)
        asks.append(Ask("batch", post(b"".join(frames), RAW), 200, labels, ours))
    return asks


def mixed() -> list[Ask]:
    """Return the other dialects, small batches and pictures."""
    asks, every = [], digits()
    for number, (label, frame) in enumerate(every):
        numbers = list(frame)
        one = json.dumps({"instances": [numbers]}).encode()
        path = "/v1/models/mnist:predict"
        asks.append(Ask("v1", post(one, JSON, path), 200, (label,), _first))
        tensor = {"name": "image", "datatype": "UINT8", "shape": [1, 784], "data": numbers}
        two = json.dumps({"inputs": [tensor]}).encode()
        path = "/v2/models/mnist/infer"
        asks.append(Ask("v2", post(two, JSON, path), 200, (label,), _outputs))
        batch = [every[(number + n) % len(every)] for n in range(2 + number % 7)]
        labels, frames = zip(*batch)
        body = b"".join(frames)
        asks.append(Ask("batch", post(body, RAW), 200, labels, ours))
        asks.append(Ask("picture", post(_png(frame), "image/png"), 200, (label,), ours))
    return asks


def bad() -> list[Ask]:
    """Return requests that must be refused, each with its code."""
    _, frame = digits()[0]
    unknown = "/predict?version=7"
    return [
        Ask("no JSON", post(b"{", JSON), 400),
        Ask("short", post(frame[1:], RAW), 400),
        Ask("no ink", post(bytes(784), RAW), 422),
        Ask("type", post(b"x", "text/plain"), 415),
        Ask("encoding", post(b"x", RAW, fields="Content-Encoding: br\r\n"), 415),
        Ask("version", post(frame, RAW, unknown), 404),
        Ask("no picture", post(b"\x89PNG\r\n\x1a\nno", "image/png"), 400),
        Ask("path", b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n", 404),
        Ask("method", b"GET /predict HTTP/1.1\r\nHost: x\r\n\r\n", 405),
        Ask("host", b"GET /livez HTTP/1.1\r\n\r\n", 400),
    ]


def ours(reply: Any) -> list[int]:
    """Read the digits in the service's own reply."""
    return [prediction["digit"] for prediction in reply["predictions"]]


def _largest(probabilities: list[float]) -> int:
    return probabilities.index(max(probabilities))


def _first(reply: Any) -> list[int]:
    return [_largest(each) for each in reply["predictions"]]


def _outputs(reply: Any) -> list[int]:
    return [_largest(reply["outputs"][0]["data"])]


def _png(frame: bytes) -> bytes:
    """Return the frame as a picture of 280 x 280: each pixel becomes a hundred."""
    lines = [
        bytes(p for p in frame[28 * y : 28 * y + 28] for _ in range(10)) for y in range(28)
    ]
    data = zlib.compress(b"".join(b"\0" + line for line in lines for _ in range(10)))
    header = struct.pack(">IIBBBBB", 280, 280, 8, 0, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", data), (b"IEND", b""))
    chunks = (
        struct.pack(">I", len(c)) + kind + c + struct.pack(">I", zlib.crc32(kind + c))
        for kind, c in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)
