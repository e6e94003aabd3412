"""The project's own digits, of which all requests are made."""

import base64
import json

from bench.harness.cores import ROOT

FILE = ROOT / "load" / "digits.json"


def digits() -> list[tuple[int, bytes]]:
    """Return the label and the frame of each: 784 bytes, white ink on black."""
    entries = json.loads(FILE.read_bytes())
    return [(entry["label"], base64.b64decode(entry["frame"])) for entry in entries]
