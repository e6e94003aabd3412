"""The closed loop: Debian's wrk, 16 connections that ask again once they are answered."""

import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from bench.peers import items
from bench.peers.items import BODIES, Item
from bench.peers.servers import Route

CONNECTIONS = 16

SCRIPT = """\
local requests, last = {}, 0

function init()
  for number = 1, %(bodies)d do
    local file = assert(io.open("%(folder)s/" .. number, "rb"))
    requests[number] = wrk.format("POST", "%(path)s", {%(headers)s}, file:read("*a"))
    file:close()
  end
end

function request()
  last = last %% %(bodies)d + 1
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


# A request with a header that is never the same: two random numbers, as traceparent is.
FRESH = """(requests[last]:gsub("\\r\\n", string.format(
    "\\r\\n%(fresh)s: 00-%%016x%%016x-%%016x-01\\r\\n",
    math.random(2^53), math.random(2^53), math.random(2^53)), 1))"""


def run(
    item: Item,
    way: Route,
    port: int,
    seconds: int,
    cores: str,
    connections: int = CONNECTIONS,
    fresh: str = "",
) -> dict[str, Any]:
    """Load a server with an item, and return what wrk counted.

    Args:
        item: what to ask.
        way: where and how.
        port: of the server, on 127.0.0.1.
        seconds: how long.
        cores: of wrk.
        connections: how many at a time.
        fresh: a header to add to each request with a value of its own, such as
            ``traceparent``.

    Returns:
        requests, microseconds, requests_per_s, p50_us and p99_us, and errors by kind.
    """
    with tempfile.TemporaryDirectory() as folder:
        items.write(item, way, Path(folder))
        script = Path(folder) / "requests.lua"
        named = items.headers(item, way).items()
        script.write_text(
            SCRIPT
            % {
                "bodies": BODIES,
                "folder": folder,
                "path": way.path,
                "request": FRESH % {"fresh": fresh} if fresh else "requests[last]",
                "headers": ", ".join(f'["{name}"] = "{value}"' for name, value in named),
            }
        )
        command = ["taskset", "--cpu-list", cores, "wrk", "-t1", f"-c{connections}"]
        command += [f"-d{seconds}s", "-s", str(script), f"http://127.0.0.1:{port}"]
        done = subprocess.run(command, capture_output=True, text=True)
    return parse(done.stdout, done.stderr)


def parse(output: str, errors: str = "") -> dict[str, Any]:
    """Read the line that the script's ``done`` printed."""
    lines = [line for line in output.splitlines() if line.startswith("RESULT ")]
    if len(lines) != 1:
        raise RuntimeError(f"wrk printed {(output + errors)[-300:]!r}, expected a result")
    result: dict[str, Any] = json.loads(lines[0].removeprefix("RESULT "))
    result["requests_per_s"] = result["requests"] / (result["microseconds"] / 1e6)
    return result
