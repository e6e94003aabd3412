"""Paths, methods, headers and lengths, and what is no HTTP at all."""

from functools import partial

from tests.hostile.dialects import (
    EXPLAIN,
    JSON,
    PATHS,
    PREDICT,
    RAW,
    SEVEN,
    V1,
    V2,
    Row,
    request,
    tensor,
)
from tests.hostile.documents import WHOLE

ROWS: dict[str, Row] = {}


def get(path: str, *headers: str, method: str = "GET") -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: x", *headers]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"


# Paths and methods.

ELSEWHERE = ["/nope", "/predict/", "/predict%00", "/predict;x", "/Predict"]
ELSEWHERE += ["/debug", "/admin", "/.git/config", "/.env", "/%2e%2e/", "/%2e%2e/etc/passwd"]
ELSEWHERE += ["/static/../settings.py", "/static/%2e%2e/settings.py", "/static/%00"]
ELSEWHERE += ["/static/..%2fsettings.py", "/static//etc/passwd", "/static/" + "a" * 3000]
ELSEWHERE += ["/docs/../x", "/docs/%2e%2e/%2e%2e/x", "/static/\\..\\x", "/static/%ff"]
ELSEWHERE += ["/v1/models/..%2f..:predict", "/v1/models/mnist/versions/-1:predict"]
ELSEWHERE += ["/v2/models/mnist/versions/" + "9" * 3000]
ROWS |= {f"path-{path[:40]}": Row(404, partial(get, path)) for path in ELSEWHERE}
for path in ("/v1/models/nope:predict", "/v2/models/nope/infer", "/v2/models/%00/infer"):
    ROWS[f"model-{path}"] = Row(404, partial(request, path, b"{}"))
for version in ("0", "9", "9" * 30):
    for path in (f"/v1/models/mnist/versions/{version}:predict",
                 f"/v2/models/mnist/versions/{version}/infer"):  # fmt: skip
        ROWS[f"version-{path}"] = Row(404, partial(request, path, b"{}"))
for path in (PREDICT, EXPLAIN, V2):
    for method in ("GET", "PUT", "DELETE", "PATCH", "TRACE", "BREW"):
        ROWS[f"method-{method}-{path}"] = Row(405, partial(get, path, method=method))
for query, status in {
    "version=9": 404,
    "version=" + "9" * 11: 400,
    "version=-1": 400,
    "version=%FF": 400,
    "version=%D9%A1": 400,
    "version=1%00": 400,
    "echo=": 400,
    "echo=true": 400,
    "x=1": 400,
    "%00=1": 400,
    "&".join(["x=1"] * 800): 400,
}.items():
    for path in (PREDICT, EXPLAIN):
        target = f"{path}?{query}"
        ROWS[f"query-{query[:20]}-{path}"] = Row(
            status, partial(request, target, SEVEN.tobytes(), RAW)
        )
# No path at all: no redirect to where the client says that this is.
ROWS["no-path"] = Row(200, lambda: b"GET http://x?a HTTP/1.1\r\nHost: x\r\n\r\n")
ROWS["two-slashes"] = Row(200, partial(get, "//"))
ROWS["long-target"] = Row(414, partial(get, "/" + "x" * 5000))
ROWS["long-header"] = Row(431, partial(get, "/livez", "A: " + "x" * 9000))
ROWS["many-headers"] = Row(431, partial(get, "/livez", *["A: b"] * 200))
for path in PATHS:
    ROWS[f"long-target-{path}"] = Row(414, partial(request, f"{path}?{'x' * 5000}", b"{}"))
    ROWS[f"long-header-{path}"] = Row(
        431, partial(request, path, b"{}", JSON, "A: " + "x" * 9000)
    )

# Types.

for kind in ("", "text/plain", "application/xml", "application/x-www-form-urlencoded"):
    for path in (PREDICT, EXPLAIN):
        ROWS[f"type-{kind}-{path}"] = Row(415, partial(request, path, WHOLE[path], kind))
    for path in (V1, V2):  # whatever the type: clients send none, or curl's
        ROWS[f"type-{kind}-{path}"] = Row(200, partial(request, path, WHOLE[path], kind))
for charset in ("latin-1", "utf-16", "x"):
    kind = f"{JSON}; charset={charset}"
    for path in (PREDICT, EXPLAIN):
        ROWS[f"charset-{charset}-{path}"] = Row(
            415, partial(request, path, WHOLE[path], kind)
        )
for accept in ("text/html", "image/*", "*/*;q=0", "", "\xff"):
    for path in PATHS:  # an answer in JSON is better than none (RFC 9110, 12.4.1)
        ROWS[f"accept-{accept}-{path}"] = Row(
            200, partial(request, path, WHOLE[path], JSON, f"Accept: {accept}")
        )

# Lengths. The last of these is cut short: the sending side is closed.


UPGRADE = get("/livez", "Connection: Upgrade", "Upgrade: h2c")


def without_length(path: str) -> bytes:
    return f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: {RAW}\r\n\r\n".encode()


for path in PATHS:
    ROWS[f"no-length-{path}"] = Row(411, partial(without_length, path))
    chunked = get(
        path, f"Content-Type: {JSON}", "Transfer-Encoding: chunked", method="POST"
    )
    for name, body, status in (
        ("chunked", b"2\r\n{}\r\n0\r\n\r\n", 400),
        ("chunks-and-upgrade", b"0\r\n\r\n" + UPGRADE, 400),
        ("chunks-and-connect", b"0\r\n\r\nCONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        ("chunks-cut", b"2\r\n{", 400),
        ("chunks-malformed", b"x\r\n{}\r\n0\r\n\r\n", 400),
        ("chunks-too-long", (b"%x\r\n" % 9_000_000) + bytes(4_300_000), 413),
    ):
        ROWS[f"{name}-{path}"] = Row(status, lambda head=chunked, body=body: head + body)
    for name, length in (("1-GB", 10**9), ("2-to-62", 2**62), ("over-limit", 8_400_000)):
        ROWS[f"length-{name}-{path}"] = Row(
            413, partial(request, path, b"{}", JSON, length=length)
        )
    ROWS[f"length-of-5-MB-{path}"] = Row(413, partial(request, path, bytes(5_000_000)))
    ROWS[f"length-short-{path}"] = Row(
        400, partial(request, path, WHOLE[path], length=len(WHOLE[path]) + 1)
    )
ROWS["length-short-raw"] = Row(
    400, partial(request, PREDICT, SEVEN.tobytes(), RAW, length=1568)
)
ROWS["length-short-tensor"] = Row(
    400, lambda: tensor(SEVEN.tobytes(), "UINT8", [1, 784])[:-1]
)

# Headers that are logged, sent back or looked at by others.

IDS = {
    "8-KB": "a" * 8000,
    "unicode": "caf\xe9 \xff",
    "sql": "' OR 1=1; DROP TABLE x; --",
    "html": "<script>alert(1)</script>",
    "percent": "%0d%0aX-Evil: y",
    "format": "%s%n{0}${jndi:ldap://x}",
    "two": "a\r\nX-Request-ID: b",
}
for path in (PREDICT, V1, V2):
    for name, value in IDS.items():
        ROWS[f"id-{name}-{path}"] = Row(
            200, partial(request, path, WHOLE[path], JSON, f"X-Request-ID: {value}")
        )
    ROWS[f"id-10-KB-{path}"] = Row(
        431, partial(request, path, WHOLE[path], JSON, f"X-Request-ID: {'a' * 10_000}")
    )
    for name, value in (("cr", "a\rX-Evil: y"), ("lf", "a\nX-Evil: y"), ("nul", "a\0b")):
        ROWS[f"id-{name}-{path}"] = Row(
            400, partial(request, path, WHOLE[path], JSON, f"X-Request-ID: {value}")
        )
SPOOFS = ("X-Forwarded-For: 6.6.6.6", "Forwarded: for=6.6.6.6", "X-Real-IP: 6.6.6.6")
SPOOFS += (
    "X-Forwarded-Host: evil",
    "X-Original-URL: /metrics",
    "X-HTTP-Method-Override: GET",
)
for spoof in SPOOFS:
    ROWS[f"spoof-{spoof}"] = Row(
        200, partial(request, PREDICT, WHOLE[PREDICT], JSON, spoof)
    )
ORIGIN = ("Origin: http://evil", "Access-Control-Request-Method: POST")
for path in PATHS:
    ROWS[f"preflight-{path}"] = Row(200, partial(get, path, *ORIGIN, method="OPTIONS"))

# What is no HTTP/1.1. One of another version has its own code in RFC 9110 (505); a client
# that gets 400 learns the same.

WIRE: dict[str, tuple[int | None, bytes]] = {
    "nothing": (None, b""),
    "empty-line": (None, b"\r\n"),
    "half-a-line": (None, b"GET / HT"),
    "half-a-head": (None, b"GET / HTTP/1.1\r\nHost: x\r\n"),
    "http-2": (400, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    "http-0.9": (400, b"GET /livez\r\n\r\n"),
    "http-1.0": (200, b"GET /livez HTTP/1.0\r\n\r\n"),
    "http-3": (400, b"GET / HTTP/3.0\r\nHost: x\r\n\r\n"),
    "tls": (400, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(99) + b"\r\n\r\n"),
    "random": (400, bytes(range(255, 127, -1)) + b"\r\n\r\n"),
    "no-host": (400, b"GET /livez HTTP/1.1\r\n\r\n"),
    "smtp": (400, b"EHLO x\r\n\r\n"),
    "socks": (None, b"\x05\x01\x00"),
    "connect": (404, b"CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n"),
    "websocket": (
        400,
        get("/livez", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Key: x"),
    ),
}
ROWS |= {
    f"wire-{name}": Row(status, lambda content=content: content)
    for name, (status, content) in WIRE.items()
}
