"""A body of JSON: decoded, or refused with what is wrong in it."""

import json
import re
from collections.abc import Sequence
from itertools import chain
from typing import Any, TypeVar

import msgspec

from service.errors import RequestError

COLON = re.compile(rb"\s*:")

T = TypeVar("T")


def read(
    decoder: msgspec.json.Decoder[T], body: bytes, form: str, images: Sequence[str]
) -> T:
    """Decode a body, or say what is wrong with it.

    Args:
        decoder: of the body's type.
        body: the request's body.
        form: what a request looks like, for the message.
        images: what the path to a fault inside an image has in it.

    Raises:
        RequestError: 400 for no JSON, another object, or a key that stands twice in one;
            422 for what is wrong inside an image: that is a matter of the image, not of
            the request.
    """
    try:
        found = decoder.decode(body)
        key = find_twice(body)
    except msgspec.ValidationError as error:
        message = str(error).replace("`", "")
        status = 422 if any(path in message for path in images) else 400
        raise RequestError(status, f"{message}; the request is {form}") from None
    except RecursionError:
        raise RequestError(400, f"body is nested too deeply, expected {form}") from None
    except ValueError as error:  # of msgspec, json and UTF-8
        raise RequestError(400, f"body is not JSON ({error}), expected {form}") from None
    if key is not None:
        raise RequestError(
            400, f"an object has the key {key!r:.100} twice; the request is {form}"
        )
    return found


def find_twice(body: bytes) -> str | None:
    """Return a key that one object has twice: of the two values, parsers keep either.

    Strings are told apart from what is between them at the quotes, and no number is looked
    at: that takes 10 µs for a tensor of an image, and a parser with a hook for it 50.

    Args:
        body: JSON that a parser has accepted.
    """
    if body.count(b":") < 2:
        return None
    if b"\\" in body:
        return _find_in_escaped(body)
    parts = body.split(b'"')
    keys: list[set[bytes]] = [set()]  # of the objects that are open
    for string, between in zip(chain([b""], parts[1::2]), parts[::2]):
        if COLON.match(between):
            key = bytes(string)  # a body that came in pieces is a bytearray
            if key in keys[-1]:
                return key.decode(errors="replace")
            keys[-1].add(key)
        if b"{" in between or b"}" in between:
            # An object that is opened here and has no key is closed here too.
            opened = between.rstrip().endswith(b"{")
            closed = between.count(b"}") - between.count(b"{") + opened
            del keys[len(keys) - closed :]
            if opened:
                keys.append(set())
    return None


def _find_in_escaped(body: bytes) -> str | None:
    """Do the same where a string has escapes, as which a key can be written in two ways."""
    found: list[str] = []

    def look(pairs: list[tuple[str, Any]]) -> None:
        keys = [key for key, _ in pairs]
        if len(set(keys)) < len(keys):
            found.append(next(key for key in keys if keys.count(key) > 1))

    # Numbers stay text: thousands of digits are slow to read, and nobody asks for them.
    json.loads(body, object_pairs_hook=look, parse_int=str, parse_float=str)
    return found[0] if found else None
