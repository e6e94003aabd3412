"""The log in JSON: one ASCII object per line, so that no client can forge a line.

A client may send line ends that are invisible (U+0085, U+2028) or terminal commands; JSON
escapes them all.
"""

import json
import logging
import os
import time
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import orjson

from service.settings import wants_json

# Optional attributes of the service's own log records.
CONTEXT = ("request_id", "trace_id", "parent_id")


def write(entry: Mapping[str, Any]) -> bytes:
    """Return an entry as a line, with its line feed."""
    try:
        line = orjson.dumps(entry, option=orjson.OPT_APPEND_NEWLINE)
        if line.isascii():
            return line
    except orjson.JSONEncodeError:  # half a surrogate pair, as in names of files
        entry = {
            name: value.encode(errors="backslashreplace").decode()
            if isinstance(value, str)
            else value
            for name, value in entry.items()
        }
    return json.dumps(entry, separators=(",", ":")).encode() + b"\n"


def begin(level: str, logger: str, message: str, created: float) -> dict[str, Any]:
    """Return the fields that every line starts with; created is Unix time in seconds."""
    milliseconds = int(1000 * created)
    return {
        "time": f"{_second(milliseconds // 1000)}.{milliseconds % 1000:03}Z",
        "level": level,
        "logger": logger,
        "message": message,
        "pid": os.getpid(),
    }


@lru_cache(maxsize=1)
def _second(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))


def early(message: str, level: str = "error") -> str:
    """Format a message that is printed before logging is configured."""
    if not wants_json():
        return message
    return write(begin(level, "service", message, time.time())).decode().rstrip()


class Formatter(logging.Formatter):
    """Formats records as JSON, with a traceback in a field of its own."""

    def format(self, record: logging.LogRecord) -> str:
        """Return a line without its line feed."""
        level = record.levelname.lower()
        entry = begin(level, record.name, record.getMessage(), record.created)
        entry["pid"] = record.process
        for name in CONTEXT:
            if value := getattr(record, name, ""):
                entry[name] = value
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return write(entry).decode().rstrip()
