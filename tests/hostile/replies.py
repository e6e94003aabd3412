"""Replies taken apart and judged, as strictly as a client could wish."""

import json
import re
from typing import NamedTuple

STATUS = re.compile(rb"HTTP/1\.[01] (\d{3}) [A-Za-z \-']+")
FIELD = re.compile(rb"[!#-'*+.0-9A-Z^-z|~-]+: [\t -~\x80-\xff]*")
KNOWN = {
    200,
    206,
    304,
    400,
    403,
    404,
    405,
    408,
    411,
    413,
    414,
    415,
    416,
    417,
    422,
    429,
    431,
}
# What would tell a client of the inside: objects, files, modules and exceptions.
INSIDE = re.compile(
    rb" at 0x[0-9a-f]{6}|Traceback|File \"|site-packages|msgspec|werkzeug|PIL\b|numpy|"
    rb"onnxruntime|\b[A-Z][a-z]+Error\b|<class"
)


class Broken(Exception):
    """What the service sent is no reply, or not one that it may give."""


class Reply(NamedTuple):
    """A reply: its code, its headers by names in lower case, and its body."""

    status: int
    headers: dict[bytes, bytes]
    body: bytes

    @property
    def keeps(self) -> bool:
        """Whether the connection can be used again."""
        return self.headers.get(b"connection", b"").lower() != b"close"


def take(received: bytes, headless: bool = False) -> tuple[Reply | None, bytes]:
    """Take the first reply, or None if it is not all there, and what follows it.

    Args:
        received: what came.
        headless: whether it may be the reply to a HEAD, which has a length and no body.
    """
    head, end, rest = received.partition(b"\r\n\r\n")
    if not end:
        return None, received
    first, *lines = head.split(b"\r\n")
    status = STATUS.fullmatch(first)
    if not status or not all(FIELD.fullmatch(line) for line in lines):
        raise Broken(f"found {head[:300]!r}, expected the head of a reply")
    code = int(status[1])
    headers = {k.lower(): v for k, v in (line.split(b": ", 1) for line in lines)}
    if code == 100:
        return take(rest, headless)
    if len(headers) < len(lines):
        raise Broken(f"found a header twice in {head[:300]!r}")
    length = 0 if code == 304 else int(headers[b"content-length"])
    if headless and (not rest or rest.startswith(b"HTTP/1.")):
        length = 0
    if len(rest) < length:
        return None, received
    return Reply(code, headers, rest[:length]), rest[length:]


def take_all(received: bytes, headless: bool) -> list[Reply]:
    """Take apart everything that came on a connection."""
    found = []
    while received:
        reply, received = take(received, headless)
        if reply is None:
            raise Broken(f"found {received[:300]!r}, expected a whole reply")
        found.append(reply)
    return found


def check(reply: Reply) -> None:
    """Raise Broken for a reply that the service must never give."""
    if reply.status not in KNOWN:
        raise Broken(f"found status {reply.status}: {reply.body[:300]!r}")
    if reply.status < 400 or not reply.body:
        return
    if list(json.loads(reply.body)) != ["error"] or INSIDE.search(reply.body):
        raise Broken(f"found {reply.body[:300]!r}, expected what was found and expected")


def check_answer(reply: Reply) -> None:
    """Raise Broken for a prediction that is none."""
    if reply.status != 200 or reply.headers[b"content-type"] != b"application/json":
        return
    found = json.loads(reply.body)
    if "outputs" in found and "model_name" in found:
        (output,) = found["outputs"]
        rows = [output["data"][i : i + 10] for i in range(0, len(output["data"]), 10)]
    elif "model" in found:
        rows = [prediction["probabilities"] for prediction in found["predictions"]]
    else:
        rows = found.get("predictions", found.get("outputs"))
    if not rows or any(len(row) != 10 or abs(sum(row) - 1) > 1e-4 for row in rows):
        raise Broken(f"found {reply.body[:300]!r}, expected ten probabilities an image")
