"""The work items: what is asked, and what must be answered."""

import base64
import http.client
import json
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bench.peers.formats import Pixels, Probabilities
from bench.peers.servers import Route, Server

BODIES = 16  # different ones, in turn, so that no cache of one request can answer
TOLERANCE = 1e-4
DIGITS = Path(__file__).resolve().parents[2] / "load" / "digits.json"


class Item(NamedTuple):
    """A kind of request: its name, the number of images, and JSON or binary."""

    name: str
    images: int
    binary: bool
    title: str


ITEMS = (
    Item("json1", 1, False, "1 image, JSON"),
    Item("binary1", 1, True, "1 image, binary"),
    Item("json64", 64, False, "64 images, JSON"),
    Item("binary64", 64, True, "64 images, binary"),
)


class WrongAnswerError(Exception):
    """A server answered something else than ONNX Runtime does."""


def route(server: Server, item: Item) -> Route:
    """Return where a server takes an item."""
    return server.binary if item.binary else server.json


def digits() -> Pixels:
    """Return the project's own digits, ``[n, 784]``."""
    entries = json.loads(DIGITS.read_bytes())
    frames = [np.frombuffer(base64.b64decode(e["frame"]), np.uint8) for e in entries]
    return np.stack(frames)


def pixels(item: Item) -> list[Pixels]:
    """Return the images of each of an item's requests; the n-th begins with digit n."""
    every = digits()
    rows = np.arange(item.images)
    return [every[(rows + first) % len(every)] for first in range(BODIES)]


def headers(item: Item, way: Route) -> dict[str, str]:
    """Return the headers of an item's requests."""
    return {"Content-Type": way.format.content_type, **way.format.headers(item.images)}


def write(item: Item, way: Route, folder: Path) -> None:
    """Write an item's bodies as files 1 to 16."""
    for number, images in enumerate(pixels(item), 1):
        (folder / str(number)).write_bytes(way.format.encode(images))


def problem(found: Probabilities, expected: Probabilities) -> str | None:
    """Say what is wrong with an answer, or None."""
    if found.shape != expected.shape:
        return f"found the shape {found.shape}, expected {expected.shape}"
    for row, (answer, right) in enumerate(zip(found, expected)):
        if answer.argmax() != right.argmax():
            return f"image {row}: read {answer.argmax()}, expected {right.argmax()}"
    worst = float(np.abs(found - expected).max())
    if not worst <= TOLERANCE:
        return f"probabilities differ by {worst:.2g}, expected at most {TOLERANCE:g}"
    return None


def verify(item: Item, way: Route, port: int, expected: list[Probabilities]) -> None:
    """Ask each of an item's requests once, and compare.

    Args:
        item: what to ask.
        way: where and how.
        port: of the server, on 127.0.0.1.
        expected: the probabilities for each request.

    Raises:
        WrongAnswerError: what was found and what was expected.
    """
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        for images, right in zip(pixels(item), expected):
            body = way.format.encode(images)
            connection.request("POST", way.path, body, headers(item, way))
            reply = connection.getresponse()
            content = reply.read()
            if reply.status != 200:
                found = f"{reply.status} {content[:200]!r}"
                raise WrongAnswerError(f"found {found}, expected 200")
            names = {name.lower(): value for name, value in reply.getheaders()}
            try:
                wrong = problem(way.format.decode(names, content), right)
            except (ValueError, KeyError, TypeError) as error:
                wrong = f"not an answer ({error!r}): {content[:100]!r}"
            if wrong:
                raise WrongAnswerError(wrong)
    finally:
        connection.close()
