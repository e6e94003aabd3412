"""The closed loop of one client: how long a request takes that is alone.

    python -m bench.harness.closedloop --port 8000 --requests FOLDER --seconds 5

Prints JSON: the seconds of each request, those of the client's own core, and the mean bytes
of a reply.
"""

import argparse
import json
import socket
import time
from itertools import cycle
from pathlib import Path

from bench.harness.openloop import reply_length


def ask(client: socket.socket, request: bytes) -> bytes:
    """Send a request, and return the reply.

    Raises:
        ConnectionError: the server hung up, or the reply is no 200.
    """
    client.sendall(request)
    reply = b""
    while (length := reply_length(reply)) < 0 or len(reply) < length:
        content = client.recv(1 << 18)
        if not content:
            raise ConnectionError(f"found the end after {reply[:100]!r}, expected a reply")
        reply += content
    if reply[9:12] != b"200":
        raise ConnectionError(f"found {reply[:100]!r}, expected a 200")
    return reply


def run(port: int, requests: list[bytes], seconds: float) -> dict[str, object]:
    """Ask for some seconds; return what the module prints."""
    found, size = [], 0
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for request in requests:  # each once, not counted: the first ones are slow
            ask(client, request)
        core, start = time.process_time(), time.perf_counter()
        for request in cycle(requests):
            before = time.perf_counter()
            size += len(ask(client, request))
            after = time.perf_counter()
            found.append(after - before)
            if after - start > seconds:
                break
    core = time.process_time() - core
    return {"seconds": found, "core_s": core, "reply_bytes": size / len(found)}


def main() -> None:
    """Ask, and print what was found."""
    parser = argparse.ArgumentParser(prog="python -m bench.harness.closedloop")
    parser.add_argument("--port", type=int, required=True, help="on 127.0.0.1")
    parser.add_argument("--requests", type=Path, required=True, help="folder of requests")
    parser.add_argument("--seconds", type=float, required=True)
    options = parser.parse_args()
    requests = [path.read_bytes() for path in sorted(options.requests.iterdir())]
    print(json.dumps(run(options.port, requests, options.seconds)))


if __name__ == "__main__":
    main()
