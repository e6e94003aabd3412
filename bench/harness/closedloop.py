"""The closed loop: Debian's wrk, whose connections ask again once they are answered."""

import json
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.harness.cores import on

CONNECTIONS = 16
WARM_UP_SECONDS = 2

SCRIPT = """\
local requests, last = {}, 0

function init()
  for number = 0, %(count)d - 1 do
    local file = assert(io.open("%(folder)s/" .. number, "rb"))
    requests[number] = file:read("*a")
    file:close()
  end
end

function request()
  last = (last + 1) %% %(count)d
  return %(request)s
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\\nRESULT {"requests": %%d, "microseconds": %%d, "p50_us": %%d, "p99_us": %%d, ' ..
    '"errors": {"status": %%d, "connect": %%d, "read": %%d, "write": %%d, ' ..
    '"timeout": %%d}}\\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    errors.status, errors.connect, errors.read, errors.write, errors.timeout))
end
"""

# The request with header lines that are never the same, each %016x a random number.
FRESH = """(requests[last]:gsub("\\r\\n", string.format(
    "\\r\\n%s\\r\\n", %s), 1))"""
TRACEPARENT = "traceparent: 00-%016x%016x-%016x-01"


def measure(
    port: int,
    requests: Sequence[bytes],
    seconds: int,
    cores: str,
    *,
    connections: int = CONNECTIONS,
    fresh: Sequence[str] = (),
) -> dict[str, Any]:
    """Load a server as fast as it answers, and return what wrk counted.

    Args:
        port: of the server, on 127.0.0.1.
        requests: what is sent, in turn.
        seconds: how long; wrk takes whole ones.
        cores: of wrk.
        connections: how many at a time.
        fresh: header lines to add to each request; each ``%016x`` in them becomes a new
            random number of 53 bits.

    Returns:
        requests, microseconds, p50_us and p99_us, errors by kind, and requests_per_s
        without those answered by an error.

    Raises:
        RuntimeError: wrk did not end as it should.
    """
    with tempfile.TemporaryDirectory() as folder:
        for number, content in enumerate(requests):
            (Path(folder) / f"{number}").write_bytes(content)
        script = Path(folder) / "requests.lua"
        request = _fresh("\\r\\n".join(fresh)) if fresh else "requests[last]"
        fields = {"count": len(requests), "folder": folder, "request": request}
        script.write_text(SCRIPT % fields)
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(script)]
        command.append(f"http://127.0.0.1:{port}")
        done = subprocess.run(on(cores, command), capture_output=True, text=True)
    return parse(done.stdout, done.stderr)


def _fresh(lines: str) -> str:
    """Return Lua for the request with header lines of its own."""
    numbers = ", ".join(["math.random(2^53)"] * lines.count("%016x"))
    return FRESH % (lines, numbers)


def warm_up(port: int, requests: Sequence[bytes], cores: str) -> None:
    """Load a server for a while, and count nothing."""
    measure(port, requests, WARM_UP_SECONDS, cores)


def parse(output: str, errors: str = "") -> dict[str, Any]:
    """Read the line that the script's ``done`` printed."""
    lines = [line for line in output.splitlines() if line.startswith("RESULT ")]
    if len(lines) != 1:
        raise RuntimeError(f"wrk printed {(output + errors)[-300:]!r}, expected a result")
    result: dict[str, Any] = json.loads(lines[0].removeprefix("RESULT "))
    good = result["requests"] - result["errors"]["status"]  # a refusal is no answer
    result["requests_per_s"] = good / (result["microseconds"] / 1e6)
    return result
