"""Deadlines: for how long a client waits for its answer, and what comes too late."""

import re

from service.errors import RequestError

HEADER = "request-timeout-ms"
# Milliseconds, without a sign or leading zeros. Up to 2.8 hours: nothing waits that long.
VALUE = "[1-9][0-9]{0,6}"
_value = re.compile(VALUE)


def read(value: str) -> float:
    """Return the header's value in seconds.

    Raises:
        RequestError: 400, it is not a number of milliseconds.
    """
    if not _value.fullmatch(value):
        raise RequestError(
            400,
            f"Request-Timeout-Ms is {value!r:.100}, expected a whole number of "
            "milliseconds, 1 to 9999999",
        )
    return int(value) / 1000


def too_late(waited_s: float, timeout_s: float) -> RequestError:
    """Return the error for a request whose client waits no more."""
    waited, most = 1000 * waited_s, 1000 * timeout_s
    return RequestError(
        504, f"found {waited:.3f} ms gone by, expected to answer within {most:.3f} ms"
    )
