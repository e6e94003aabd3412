"""Requests as bytes, and connections whose every byte a test decides."""

import contextlib
import http.client
import re
import socket
from pathlib import Path

from bench.harness.server import START_S

RAW = "application/octet-stream"
CHUNKED = (
    b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/octet-stream\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n"
)


def post(body, *headers, path="/predict", content_type=RAW):
    lines = [
        f"POST {path} HTTP/1.1",
        "Host: x",
        f"Content-Type: {content_type}",
        f"Content-Length: {len(body)}",
        *headers,
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def connect(server, content=b""):
    client = socket.create_connection(("127.0.0.1", server.port), timeout=START_S)
    client.sendall(content)
    return client


def read_all(client):
    """Return what arrives until the other side closes; a reset ends it too."""
    received = b""
    with contextlib.suppress(ConnectionResetError):
        while chunk := client.recv(65536):
            received += chunk
    return received


def read_reply(client):
    response = http.client.HTTPResponse(client)
    response.begin()
    return response.status, response.headers, response.read()


def digit(server, frames, expected=3):
    answer = server.post(frames[expected].tobytes(), RAW)
    return answer.json["predictions"][0]["digit"] == expected


def chunks(*parts):
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts)


def memory(server):
    (pid,) = server.worker_pids()
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1])
