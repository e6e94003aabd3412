"""Requests that are nearly right, each made from a seed and its number and nothing else.

Half of them are wrong as HTTP; of the others the framing is right, and the content is not.
"""

import gzip
import json
import random
import re
import zlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image

from tests.hostile.dialects import (
    EXPLAIN,
    FORM_DATA,
    JSON,
    LENGTH,
    PREDICT,
    RAW,
    SEVEN,
    V1,
    V2,
    form_data,
    in_base64,
)
from tests.hostile.documents import WHOLE
from tests.hostile.words import (
    BYTES,
    HEADERS,
    JSON_PARTS,
    LINES,
    METHODS,
    QUERIES,
    TARGETS,
    TYPES,
    VERSIONS,
)
from tests.support.picture_files import interlaced, palette, saved, with_checksums

MOST_BYTES = 100_000  # of a request, so that a run of many is short
FLOATS = (SEVEN.astype(np.float32) / np.float32(255)).tobytes()
GREY = SEVEN.reshape(28, 28)
PICTURES = [
    saved(Image.fromarray(GREY)),
    saved(Image.fromarray(GREY).convert("RGBA")),
    saved(Image.fromarray(GREY), "JPEG"),
    saved(Image.fromarray(GREY), "JPEG", progressive=True),
    palette(GREY, transparency=3),
    interlaced(GREY),
]


class Case(NamedTuple):
    """What is sent, and how it ends.

    Attributes:
        content: the bytes.
        framed: whether it is exactly one request; then the connection is used again.
        cuts: where it is cut into pieces, which are sent one by one.
        leaves: whether the client goes away without reading.
    """

    content: bytes
    framed: bool
    cuts: Sequence[int] = ()
    leaves: bool = False


def case(seed: int, number: int) -> Case:
    """Make one of the requests of a run."""
    chance = random.Random(f"{seed}:{number}")
    if chance.random() < 0.5:
        content = _framed(chance, number)
        return Case(content[:MOST_BYTES], len(content) <= MOST_BYTES)
    content = _broken(chance, number)[:MOST_BYTES]
    cuts = sorted(
        chance.randrange(len(content) + 1) for _ in range(chance.choice((0, 0, 1, 3)))
    )
    return Case(content, False, cuts, chance.random() < 0.15)


def changed(chance: random.Random, content: bytes, parts: Sequence[bytes]) -> bytes:
    """Do a few small things to bytes."""
    found = bytearray(content)
    for _ in range(chance.choice((1, 1, 2, 4))):
        at = chance.randrange(len(found) + 1)
        end = min(len(found), at + chance.choice((1, 2, 8, 100)))
        what = chance.randrange(6)
        if what == 0 and at < end:
            found[at] ^= 1 << chance.randrange(8)
        elif what == 1:
            del found[at:end]
        elif what == 2:
            found[at:at] = found[at:end] * chance.choice((1, 2, 20))
        elif what == 3:
            found[at:end] = chance.choice(parts)
        elif what == 4:
            del found[at if chance.random() < 0.2 else end :]
        else:  # a word for another
            word = re.compile(rb"[\w.+-]+").search(found, at)
            if word:
                found[word.start() : word.end()] = chance.choice(parts)
    return bytes(found)


# The content is wrong.


def _framed(chance: random.Random, number: int) -> bytes:
    path, body, content_type, *headers = _content(chance)
    if chance.random() < 0.2:
        body, coding = _compressed(chance, body)
        headers.append(f"Content-Encoding: {coding}")
    if chance.random() < 0.1:
        content_type = chance.choice(TYPES)
    if chance.random() < 0.1:
        headers.append(f"Accept: {RAW}")
    target = path + (chance.choice(QUERIES) if chance.random() < 0.2 else "")
    headers.append(f"X-Request-ID: fuzz-{number}")
    return _written(f"POST {target} HTTP/1.1", body, content_type, headers)


def _written(line: str, body: bytes, content_type: str, headers: Sequence[str]) -> bytes:
    fields = [f"Content-Type: {content_type}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([line, "Host: x", *fields]).encode("latin-1") + b"\r\n\r\n" + body


def _content(chance: random.Random) -> tuple[str, bytes, str] | tuple[str, bytes, str, str]:
    """Return path, body, type and maybe a header; one in ten is as it should be."""
    right = chance.random() < 0.1
    kind = chance.randrange(6)
    if kind == 0:
        body = SEVEN.tobytes() if right else changed(chance, SEVEN.tobytes(), BYTES)
        return chance.choice((PREDICT, EXPLAIN)), body, RAW
    if kind == 1:
        return _tensor(chance, right)
    if kind in (2, 3):
        path = chance.choice((PREDICT, EXPLAIN, V1, V2))
        return (
            path,
            WHOLE[path] if right else changed(chance, WHOLE[path], JSON_PARTS),
            JSON,
        )
    picture = chance.choice(PICTURES)
    if not right:
        picture = changed(chance, picture, BYTES)
        if chance.random() < 0.5:
            picture = with_checksums(picture)
    return _picture(chance, picture, right)


def _tensor(chance: random.Random, right: bool) -> tuple[str, bytes, str, str]:
    entry = {"name": "image", "datatype": "FP32", "shape": [1, 784]}
    parameters = {"parameters": {"binary_data_size": len(FLOATS)}}
    text = json.dumps({"inputs": [{**entry, **parameters}]}).encode()
    content = FLOATS
    if not right:
        if chance.random() < 0.5:
            text = changed(chance, text, JSON_PARTS)
        else:
            content = changed(chance, FLOATS, BYTES)
    length = chance.choice((0, -1, len(text) + 1)) if chance.random() < 0.05 else len(text)
    return V2, text + content, RAW, f"{LENGTH}: {length}"


def _picture(chance: random.Random, picture: bytes, right: bool) -> tuple[str, bytes, str]:
    way = chance.randrange(4)
    if way == 0:
        return chance.choice((PREDICT, EXPLAIN)), picture, "image/png"
    if way == 1:
        return chance.choice((PREDICT, V1)), in_base64(picture), JSON
    form = form_data(*[picture] * chance.choice((1, 1, 3)))
    if way == 2 and not right:
        form = changed(chance, form, BYTES)
    return PREDICT, form, FORM_DATA


def _compressed(chance: random.Random, body: bytes) -> tuple[bytes, str]:
    coding = chance.choice(("gzip", "deflate"))
    content = (
        gzip.compress(body, 1, mtime=0) if coding == "gzip" else zlib.compress(body, 1)
    )
    return content if chance.random() < 0.5 else changed(chance, content, BYTES), coding


# HTTP is wrong.


def _broken(chance: random.Random, number: int) -> bytes:
    found = b"".join(
        _request(chance, number) for _ in range(chance.choice((1, 1, 1, 2, 4)))
    )
    if chance.random() < 0.4:
        found = changed(chance, found, [h.encode("latin-1") + b"\r\n" for h in HEADERS])
    return found


def _request(chance: random.Random, number: int) -> bytes:
    if chance.random() < 0.4:
        target = chance.choice(TARGETS)
        head, body = f"{chance.choice(METHODS)} {target} HTTP/1.1\r\nHost: x", b""
    else:
        text, _, body = _framed(chance, number).partition(b"\r\n\r\n")
        head = text.decode("latin-1")
    lines = head.split("\r\n")
    for _ in range(chance.choice((0, 0, 1, 2))):
        what, at = chance.randrange(4), chance.randrange(1, len(lines) + 1)
        if what == 0:
            lines.insert(at, chance.choice(HEADERS))
        elif what == 1:
            lines.insert(at, lines[at - 1])
        elif what == 2 and len(lines) > 1:
            del lines[at - 1]
        else:
            lines[0] = lines[0].replace("HTTP/1.1", chance.choice(VERSIONS))
    if body and chance.random() < 0.3:
        lines = [line for line in lines if not line.startswith("Content-Length")]
        lines.append("Transfer-Encoding: chunked")
        body = _chunks(chance, body)
    end = chance.choice(LINES) if chance.random() < 0.1 else "\r\n"
    return (end.join(lines) + end * 2).encode("latin-1") + body


def _chunks(chance: random.Random, body: bytes) -> bytes:
    size = chance.choice((1, 7, 100, 10_000))
    parts = []
    for first in range(0, min(len(body), 200 * size), size):
        part = body[first : first + size]
        shown = b"%x" % len(part)
        if chance.random() < 0.02:
            shown = chance.choice(
                (b"0x1", b"-1", b"", b"f" * 17, b"1;a=b", b" 1", b"1\n", b"g")
            )
        parts.append(b"%b\r\n%b\r\n" % (shown, part))
    end = chance.choice(
        (b"0\r\n\r\n", b"0\r\n\r\n", b"0\r\n\r\n", b"0\r\nA: b\r\n\r\n", b"", b"0")
    )
    return b"".join(parts) + end
