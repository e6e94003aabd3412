"""The drawings that the page offers: the project's own digits, and ones that are hard."""

import json
from functools import cache
from pathlib import Path
from typing import Any

# What the page shows of a hard drawing; the rest of its entry is for the test that holds
# what it says of the shipped versions against their answers.
SHOWN = ("name", "label", "about", "strokes", "pen")


@cache
def document() -> bytes:
    """Return both as JSON, UTF-8.

    It is ``{"digits": [...], "hard": [...]}``; a digit has ``label`` and ``strokes``, a
    hard drawing also ``name``, ``about`` and ``pen``, and a label of null where it is no
    digit. Strokes and pen are what ``images.draw`` takes.
    """
    digits = _read("digits.json")["digits"]
    hard = [
        {name: drawing[name] for name in SHOWN}
        for drawing in _read("gallery.json")["drawings"]
    ]
    found = {"digits": digits, "hard": hard}
    return json.dumps(found, ensure_ascii=False, separators=(",", ":")).encode()


def _read(name: str) -> Any:
    return json.loads(Path(__file__).with_name(name).read_bytes())
