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
    "version=" + "9" * 11: 404,
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
        ("chunks-too-long", (b"%x\r\n" % 20_000_000) + bytes(16_800_000), 413),
    ):
        ROWS[f"{name}-{path}"] = Row(status, lambda head=chunked, body=body: head + body)
    for name, length in (("1-GB", 10**9), ("2-to-62", 2**62), ("over-limit", 16_800_000)):
        ROWS[f"length-{name}-{path}"] = Row(
            413, partial(request, path, b"{}", JSON, length=length)
        )
    ROWS[f"length-of-17-MB-{path}"] = Row(413, partial(request, path, bytes(17_000_000)))
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
CROSS = ("Sec-Fetch-Site: cross-site", "Origin: http://evil")
for path in PATHS:
    for kind in (JSON, "text/plain", "application/x-www-form-urlencoded", RAW):
        ROWS[f"cross-site-{kind}-{path}"] = Row(
            403, partial(request, path, WHOLE[path], kind, *CROSS)
        )
    for script in ("/x", "x", "/predic"):
        ROWS[f"script-name-{script}-{path}"] = Row(
            404, partial(request, path, WHOLE[path], JSON, f"SCRIPT_NAME: {script}")
        )
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
    "connect": (405, b"CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n"),
    "websocket": (
        200,
        get("/livez", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Key: x"),
    ),
    # What h1spec and Http11Probe try, by the sections of RFC 9112.
    "2.2-bare-lf": (400, b"GET /livez HTTP/1.1\nHost: x\n\n"),
    "2.2-bare-lf-in-line": (400, b"GET /livez HTTP/1.1\nHost: x\r\n\r\n"),
    "2.2-bare-lf-in-header": (400, b"GET /livez HTTP/1.1\r\nHost: x\n\r\n"),
    "2.2-bare-cr": (400, b"GET /livez HTTP/1.1\rHost: x\r\r"),
    "2.2-bare-cr-in-header": (400, get("/livez", "A: b\rc")),
    "2.2-space-before-headers": (400, b"GET /livez HTTP/1.1\r\n Host: x\r\n\r\n"),
    "2.2-empty-line-first": (200, b"\r\n" + get("/livez")),
    "2.3-lower-case-version": (400, b"GET /livez http/1.1\r\nHost: x\r\n\r\n"),
    "2.3-two-digits": (400, b"GET /livez HTTP/1.10\r\nHost: x\r\n\r\n"),
    "2.3-one-digit": (400, b"GET /livez HTTP/1\r\nHost: x\r\n\r\n"),
    "2.3-letter": (400, b"GET /livez HTTP/1.x\r\nHost: x\r\n\r\n"),
    "2.3-minor-2": (400, b"GET /livez HTTP/1.2\r\nHost: x\r\n\r\n"),
    "2.3-space-inside": (400, b"GET /livez HTTP/ 1.1\r\nHost: x\r\n\r\n"),
    "3-two-spaces": (400, b"GET  /livez HTTP/1.1\r\nHost: x\r\n\r\n"),
    "3-tab": (400, b"GET\t/livez HTTP/1.1\r\nHost: x\r\n\r\n"),
    "3-space-at-the-end": (400, b"GET /livez HTTP/1.1 \r\nHost: x\r\n\r\n"),
    "3-space-first": (400, b" GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"),
    "3.1-lower-case-method": (400, get("/livez", method="get")),
    "3.1-method-of-specials": (400, get("/livez", method="G@T")),
    "3.1-no-method": (400, b" /livez HTTP/1.1\r\nHost: x\r\n\r\n"),
    "3.2-no-target": (400, b"GET HTTP/1.1\r\nHost: x\r\n\r\n"),
    "3.2-relative": (400, get("livez")),
    "3.2-host-twice": (400, get("/livez", "Host: x")),
    "3.2-host-empty": (400, b"GET /livez HTTP/1.1\r\nHost:\r\n\r\n"),
    "3.2-host-user": (400, b"GET /livez HTTP/1.1\r\nHost: a@b\r\n\r\n"),
    "3.2-host-path": (400, b"GET /livez HTTP/1.1\r\nHost: a/b\r\n\r\n"),
    "3.2-host-list": (400, b"GET /livez HTTP/1.1\r\nHost: a, b\r\n\r\n"),
    "3.2-host-port": (400, b"GET /livez HTTP/1.1\r\nHost: x:y\r\n\r\n"),
    "3.2.2-absolute": (200, get("http://x/livez")),
    "3.2.2-absolute-user": (400, get("http://a@x/livez")),
    "3.2.3-authority": (400, get("x:80")),
    "3.2.4-asterisk": (200, get("*", method="OPTIONS")),
    "3.2.4-asterisk-get": (400, get("*")),
    "5-no-colon": (400, get("/livez", "nonsense")),
    "5-no-name": (400, get("/livez", ": x")),
    "5-name-of-specials": (400, get("/livez", "A(b): c")),
    "5.1-space-before-colon": (400, get("/livez", "A : b")),
    "5.1-tab-before-colon": (400, get("/livez", "A\t: b")),
    "5.2-folded": (400, get("/livez", "A: b", " c")),
    "5.2-folded-with-tab": (400, get("/livez", "A: b", "\tc")),
    "5.5-nul": (400, get("/livez", "A: b\0")),
    "6.1-chunked-in-1.0": (
        400,
        b"POST /predict HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ),
    **{
        f"6-{name}": (400, get("/predict", *headers, method="POST") + b"0\r\n\r\n")
        for name, headers in {
            "both-lengths": ("Content-Length: 5", "Transfer-Encoding: chunked"),
            "lengths-differ": ("Content-Length: 5", "Content-Length: 6"),
            "lengths-twice": ("Content-Length: 5", "Content-Length: 5"),
            "length-list": ("Content-Length: 5, 5",),
            "length-plus": ("Content-Length: +5",),
            "length-minus": ("Content-Length: -5",),
            "length-hexadecimal": ("Content-Length: 0x5",),
            "length-letters": ("Content-Length: five",),
            "length-empty": ("Content-Length:",),
            "not-chunked": ("Transfer-Encoding: gzip",),
            "chunked-first": ("Transfer-Encoding: chunked, gzip",),
            "chunked-twice": ("Transfer-Encoding: chunked, chunked",),
            "chunked-quoted": ('Transfer-Encoding: "chunked"',),
        }.items()
    },
    **{
        f"7.1-{name}": (
            400,
            get("/predict", "Transfer-Encoding: chunked", method="POST") + chunks,
        )
        for name, chunks in {
            "size-letters": b"xyz\r\n0\r\n\r\n",
            "size-0x": b"0x1\r\na\r\n0\r\n\r\n",
            "size-minus": b"-1\r\na\r\n0\r\n\r\n",
            "size-space": b" 1\r\na\r\n0\r\n\r\n",
            "size-of-70-bits": b"fffffffffffffffff0\r\n",
            "size-none": b"\r\na\r\n0\r\n\r\n",
            "no-end": b"1\r\nab\r\n0\r\n\r\n",
            "bare-lf": b"1\na\n0\n\n",
            "extension-bare-cr": b"1;a\rb\r\na\r\n0\r\n\r\n",
        }.items()
    },
    "7.1.1-extension": (
        415,  # taken: the body is one byte of no known type
        get("/predict", "Transfer-Encoding: chunked", method="POST")
        + b'1;a=b;c="d"\r\na\r\n0\r\n\r\n',
    ),
}
ROWS |= {
    f"wire-{name}": Row(status, lambda content=content: content)
    for name, (status, content) in WIRE.items()
}
