"""The log in JSON: one object a line, in ASCII, so that no client can forge a line.

What a client sends may hold a line's end that no eye sees (U+0085, U+2028) or a terminal's
commands; in JSON all of it is escaped.
"""

import json
import logging
import os
import time
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import orjson

# What the service's messages may know besides.
CONTEXT = ("request_id", "trace_id", "parent_id")


def is_wanted() -> bool:
    """Tell whether the setting asks for JSON; the settings refuse what it may not be."""
    return os.environ.get("MNIST_LOG_FORMAT") == "json"


def write(entry: Mapping[str, Any]) -> bytes:
    """Return a line, with its end."""
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
    """Return what every line begins with; created is in seconds of Unix time."""
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


def say(message: str) -> str:
    """Return a message from before there is a log, or from where none is at hand."""
    if not is_wanted():
        return message
    return write(begin("error", "service", message, time.time())).decode().rstrip()


class Formatter(logging.Formatter):
    """Writes records in JSON, a traceback in a field of its own."""

    def format(self, record: logging.LogRecord) -> str:
        """Return a line without its end."""
        level = record.levelname.lower()
        entry = begin(level, record.name, record.getMessage(), record.created)
        entry["pid"] = record.process
        for name in CONTEXT:
            if value := getattr(record, name, ""):
                entry[name] = value
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return write(entry).decode().rstrip()
