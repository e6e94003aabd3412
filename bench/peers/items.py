"""The work items: what is asked, and what must be answered."""

from typing import NamedTuple

import numpy as np

from bench.harness import wire
from bench.harness.digits import digits as every_digit
from bench.peers.formats import Pixels, Probabilities
from bench.peers.servers import Route

BODIES = 16  # different ones, in turn, so that no cache of one request can answer
TOLERANCE = 1e-4


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


def digits() -> Pixels:
    """Return the project's own digits, ``[n, 784]``, 0 to 255."""
    return np.stack([np.frombuffer(frame, np.uint8) for _, frame in every_digit()])


def pixels(item: Item) -> list[Pixels]:
    """Return the images of each of an item's requests; the n-th begins with digit n."""
    every = digits()
    rows = np.arange(item.images)
    return [every[(rows + first) % len(every)] for first in range(BODIES)]


def requests(item: Item, route: Route) -> list[bytes]:
    """Return an item's requests in the format of a route."""
    headers = {
        "Content-Type": route.format.content_type,
        **route.format.headers(item.images),
    }
    return [
        wire.request(route.path, route.format.encode(images), headers)
        for images in pixels(item)
    ]


def verify(item: Item, route: Route, port: int, expected: list[Probabilities]) -> None:
    """Send each of an item's requests once, and compare the answers.

    Args:
        item: what to ask.
        route: where and how.
        port: of the server, on 127.0.0.1.
        expected: the probabilities for each request.

    Raises:
        WrongAnswerError: what was found and what was expected.
    """
    for content, right in zip(requests(item, route), expected):
        with wire.Client(port, timeout=30) as client:
            reply = client.ask(content)
        if reply.status != 200:
            found = f"{reply.status} {reply.body[:200]!r}"
            raise WrongAnswerError(f"found {found}, expected 200")
        try:
            wrong = problem(route.format.decode(reply.headers, reply.body), right)
        except (ValueError, KeyError, TypeError) as error:
            wrong = f"not an answer ({error!r}): {reply.body[:100]!r}"
        if wrong:
            raise WrongAnswerError(wrong)


def problem(found: Probabilities, expected: Probabilities) -> str | None:
    """Return what is wrong with an answer, or None."""
    if found.shape != expected.shape:
        return f"found the shape {found.shape}, expected {expected.shape}"
    for row, (answer, right) in enumerate(zip(found, expected)):
        if answer.argmax() != right.argmax():
            return f"image {row}: read {answer.argmax()}, expected {right.argmax()}"
    worst = float(np.abs(found - expected).max())
    if not worst <= TOLERANCE:
        return f"probabilities differ by {worst:.2g}, expected at most {TOLERANCE:g}"
    return None
