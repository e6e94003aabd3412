"""What is asked: the payloads by name, encoded before the clock starts."""

import base64
import json
import re
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from load import bodies

DIGITS = Path(__file__).with_name("digits.json")
JSON, OCTETS = "application/json", "application/octet-stream"
PREDICT = "/predict"
V1, V2 = "/v1/models/mnist:predict", "/v2/models/mnist/infer"
TYPES = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg"}
OWN = ("png", "json")  # the payloads that take pictures
DRAWN = 10  # a pixel of the frame becomes 10 × 10, as large as the page's drawings


class Request(NamedTuple):
    """A request, and the digits that must be read in it.

    Attributes:
        name: of its payload; never ``mixed``.
        method: such as POST.
        path: where it goes.
        headers: all but those of the connection and the body's length.
        body: as it is sent.
        labels: of its images, in order; None of one whose digit is not known.
    """

    name: str
    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    labels: tuple[int | None, ...]


class Payload(NamedTuple):
    """A way to ask.

    Attributes:
        name: what it is called.
        path: where it goes.
        content_type: of the request.
        encode: frames to a body, as in `load.bodies`.
        headers: what the request says besides its type, from the number of images.
    """

    name: str
    path: str
    content_type: str
    encode: Callable[[bytes], bytes]
    headers: Callable[[int], dict[str, str]] = lambda images: {}


def requests(name: str, batch: int) -> list[Request]:
    """Return a payload's requests: one that begins with each of the project's own digits.

    Of ``mixed`` they are those of all payloads, in turn.

    Args:
        name: of :data:`NAMES`.
        batch: images a request.

    Raises:
        ValueError: there is no such payload, or not with this batch.
    """
    kinds, every = chosen(name, batch), digits()
    batches = [
        [every[(first + n) % len(every)] for n in range(batch)]
        for first in range(len(every))
    ]
    return [request(kind, some) for some in batches for kind in kinds]


def pictures(name: str, batch: int, folder: str) -> list[Request]:
    """Return requests for your own pictures, as they are: one that begins with each.

    Args:
        name: ``png`` for a picture as a body, ``json`` for pictures as base64, or ``mixed``
            for both.
        batch: pictures a request; in a body of its own there is one.
        folder: PNG and JPEG files, also in folders. The digit that must be read in them is
            the name of their folder, 0 to 9; of others only the form of the answer is
            checked.

    Raises:
        ValueError: there are none, or no such payload for them.
        OSError: one cannot be read.
    """
    kinds = [kind for kind in chosen(name, batch) if kind.name in OWN]
    if not kinds:
        raise ValueError(
            f"payload is {name!r}, expected one of {', '.join(OWN)} for images"
        )
    files = sorted(f for f in Path(folder).rglob("*") if f.suffix.lower() in TYPES)
    if not files:
        raise ValueError(f"found no {', '.join(TYPES)} in {folder}, expected one at least")
    every = [(_label(file.parent.name), file.read_bytes(), file) for file in files]
    made = []
    for first in range(len(every)):
        some = [every[(first + n) % len(every)] for n in range(batch)]
        labels = tuple(label for label, _, _ in some)
        for kind in kinds:
            if kind is PICTURE:
                (_, body, file), *_ = some
                content_type = TYPES[file.suffix.lower()]
            else:
                body, content_type = bodies.encoded([each for _, each, _ in some]), JSON
            headers = {"Content-Type": content_type}
            made.append(Request(kind.name, "POST", PREDICT, headers, body, labels))
    return made


def _label(folder: str) -> int | None:
    return int(folder) if re.fullmatch("[0-9]", folder) else None


def chosen(name: str, batch: int) -> list[Payload]:
    """Return the payloads that a name stands for; raises ValueError as in `requests`."""
    if batch < 1:
        raise ValueError(f"batch is {batch}, expected at least 1")
    if name == MIXED:
        return [p for p in PAYLOADS.values() if batch == 1 or p is not PICTURE]
    if name not in PAYLOADS:
        raise ValueError(f"payload is {name!r}, expected one of {', '.join(NAMES)}")
    if name == PICTURE.name and batch > 1:
        raise ValueError(f"batch is {batch}, expected 1: a {name} shows one digit")
    return [PAYLOADS[name]]


def request(payload: Payload, some: Sequence[tuple[int, bytes]]) -> Request:
    """Return the request for some digits, each its label and its frame."""
    labels, frames = zip(*some)
    headers = {"Content-Type": payload.content_type, **payload.headers(len(some))}
    body = payload.encode(b"".join(frames))
    return Request(payload.name, "POST", payload.path, headers, body, labels)


def digits() -> list[tuple[int, bytes]]:
    """Return the project's own digits: each its label and its frame."""
    entries = json.loads(DIGITS.read_bytes())
    return [(entry["label"], base64.b64decode(entry["frame"])) for entry in entries]


PICTURE = Payload("png", PREDICT, "image/png", partial(bodies.png, scale=DRAWN))
PAYLOADS = {
    payload.name: payload
    for payload in (
        Payload("json", PREDICT, JSON, bodies.instances),
        # Raw bytes both ways: the leanest that the service has.
        Payload("raw", PREDICT, OCTETS, bytes, lambda images: {"Accept": OCTETS}),
        PICTURE,
        Payload("v1", V1, JSON, bodies.instances),
        Payload("v2", V2, JSON, bodies.v2),
        Payload("v2-binary", V2, OCTETS, bodies.v2_binary, bodies.v2_length),
    )
}
MIXED = "mixed"
NAMES = (*PAYLOADS, MIXED)
