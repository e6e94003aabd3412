"""JSON bodies: decode one, or raise an error that names its fault."""

import contextlib
import json
import re
from collections.abc import Sequence
from itertools import chain
from typing import Any, TypeVar

import msgspec

from service.errors import RequestError
from service.protocols import Limits

COLON = re.compile(rb"\s*:")
NEXT_CONTAINER, NEXT_STRING = re.compile(rb",\s*[\[{]"), re.compile(rb',\s*"')
# 28 rows of 28, the list around them, and an object around each picture and each instance;
# other keys of a request, which some dialects ignore, may have some more.
CONTAINERS_AN_IMAGE = 29
CONTAINERS = 1000
STRINGS = 100_000  # keys among them, which are compared with each other: 50 ms

NUMBER = re.compile(r"got (?:int|float) - at ((.+\[)\d+\])$")

T = TypeVar("T")

_numbers = msgspec.json.Decoder(list[int | float])


def decode_json(
    decoder: msgspec.json.Decoder[T],
    body: bytes,
    expected: str,
    images: Sequence[str],
    max_images: int = Limits().images,
) -> T:
    """Decode a body.

    Args:
        decoder: decodes the body's type.
        body: the request's body.
        expected: the form of a request, for error messages.
        images: substrings of msgspec's path to a fault, if it is inside an image.
        max_images: most images in a request.

    Raises:
        RequestError: 400 not JSON, another object or a duplicate key; 413 far more lists,
            objects or strings than so many images have; 422 a fault inside an image.
    """
    _check_parts(body, max_images)
    try:
        value = decoder.decode(body)
        key = find_duplicate_key(body)
    except msgspec.ValidationError as error:
        raise _wrong_type(body, str(error).replace("`", ""), expected, images) from None
    except RecursionError:
        raise RequestError(400, f"body is nested too deeply, expected {expected}") from None
    except ValueError as error:  # from msgspec, json or UTF-8
        raise RequestError(
            400, f"body is not JSON ({error}), expected {expected}"
        ) from None
    if key is not None:
        raise RequestError(
            400, f"an object has the key {key!r:.100} twice; the request is {expected}"
        )
    return value


def _wrong_type(
    body: bytes, message: str, expected: str, images: Sequence[str]
) -> RequestError:
    """Return the error for a body of another form, from msgspec's message."""
    if body.lstrip()[:1] == b"[":
        found = "a list"
        with contextlib.suppress(ValueError):
            found = f"a list of {len(_numbers.decode(body))} numbers"
        return RequestError(400, f"found {found}, expected {expected}")
    if (number := NUMBER.search(message)) and number[2] in images:
        place = number[1]
        message = f"found a number at {place}, expected a list of 784 or 28 rows of 28"
    status = 422 if any(path in message for path in images) else 400
    return RequestError(status, f"{message}; the request is {expected}")


def _check_parts(body: bytes, max_images: int) -> None:
    """Refuse what is slow to build, before it is: each part costs more than its bytes."""
    most = CONTAINERS_AN_IMAGE * max_images + CONTAINERS
    # What only nests ends at the parser's depth, so those after others count.
    if (
        body.count(b"[") + body.count(b"{") > most
        and (count := len(NEXT_CONTAINER.findall(body))) > most
    ):
        kind = "lists and objects"
    elif body.count(b'"') > 2 * STRINGS and (count := len(NEXT_STRING.findall(body))) > (
        most := STRINGS
    ):
        kind = "strings"
    else:
        return
    raise RequestError(
        413, f"body has {count} {kind}, expected at most {most} for {max_images} images"
    )


def find_duplicate_key(body: bytes) -> str | None:
    """Return a key that occurs twice in one object: parsers keep either of the values.

    The body is split at the quotes into strings and the text between them, and no number is
    parsed: that takes 10 µs for a tensor of an image, a parser with a hook 50.

    Args:
        body: JSON that a parser has accepted.
    """
    if body.count(b":") < 2:
        return None
    if b"\\" in body:
        return _find_with_escapes(body)
    parts = body.split(b'"')
    keys: list[set[bytes]] = [set()]  # of each open object
    for string, between in zip(chain([b""], parts[1::2]), parts[::2]):
        if COLON.match(between):
            key = bytes(string)  # the body may be a bytearray
            if key in keys[-1]:
                return key.decode(errors="replace")
            keys[-1].add(key)
        if b"{" in between or b"}" in between:
            # An empty object opens and closes within this text.
            opened = between.rstrip().endswith(b"{")
            closed = between.count(b"}") - between.count(b"{") + opened
            del keys[len(keys) - closed :]
            if opened:
                keys.append(set())
    return None


def _find_with_escapes(body: bytes) -> str | None:
    """Do the same for strings with escapes, which allow two spellings of one key."""
    found: list[str] = []

    def look(pairs: list[tuple[str, Any]]) -> None:
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                found.append(key)
                return
            seen.add(key)

    # Numbers stay text: thousands of digits are slow to parse, and the values are unused.
    json.loads(body, object_pairs_hook=look, parse_int=str, parse_float=str)
    return found[0] if found else None
