"""What requests are changed with: parts of JSON, of files, and of HTTP."""

from tests.hostile.dialects import FORM_DATA, JSON, LENGTH, RAW

JSON_PARTS = [b"null", b"true", b"-1", b"256", b"1e400", b"NaN", b"-0.0", b"5e-324", b"0.5"]
JSON_PARTS += [
    b"[",
    b"]",
    b"{",
    b"}",
    b'"',
    b",",
    b":",
    b"\\",
    b"\0",
    b"\xff",
    b"\xef\xbb\xbf",
]
JSON_PARTS += [b"9" * 400, b"[" * 2000, b'{"a":' * 2000, b'"x": 1, ', b'{"b64": ""}', b"[]"]
JSON_PARTS += [
    b'"image"',
    b'"instances": [], ',
    b'"\\ud800"',
    b"18446744073709551616",
    b"784",
]
JSON_PARTS += [b'"FP32"', b'"UINT8"', b'"INT64"', b'"BYTES"', b'"binary_data_size": 784, ']
BYTES = [b"", b"\0", b"\xff", b"IHDR", b"IDAT", b"IEND", b"tRNS", b"PLTE", b"acTL", b"eXIf"]
BYTES += [
    b"\xff\xd8",
    b"\xff\xda",
    b"\xff\xc0",
    b"\xff\xe1\xff\xff",
    b"--B",
    b"--B--",
    b"\r\n",
]
BYTES += [
    b"\x7f\xff\xff\xff",
    b"\0" * 784,
    b"\xff" * 784,
    b"Content-Disposition: ",
    b"\x1f\x8b",
]
HEADERS = ["Transfer-Encoding: chunked", "Transfer-Encoding: gzip, chunked", "Expect: x"]
HEADERS += [
    "Content-Length: 5",
    "Content-Length: 0",
    "Content-Length: -1",
    "Host: y",
    "Host:",
]
HEADERS += ["Content-Length: 99999999999", "Content-Length: 784", "Expect: 100-continue"]
HEADERS += ["Connection: close", "Connection: keep-alive", "Connection: x, upgrade", "A: b"]
HEADERS += ["Upgrade: websocket", "Upgrade: h2c", "Content-Encoding: br", "TE: trailers"]
HEADERS += ["Content-Encoding: gzip", "Content-Encoding: deflate", "Accept: text/html"]
HEADERS += [f"Accept: {RAW}", f"{LENGTH}: 9", f"{LENGTH}: -1", "X-Request-ID: caf\xe9"]
HEADERS += [
    "Cookie: a=b",
    "Range: bytes=0-9, 5-",
    "If-None-Match: *",
    " folded",
    "no colon",
]
HEADERS += [
    "A: " + "b" * 9000,
    "X-Forwarded-For: 6.6.6.6",
    "X_Y: z",
    "Content-Type: a/b",
    "A:\0",
]
HEADERS += [
    "Sec-Fetch-Site: cross-site",
    "SCRIPT_NAME: /x",
    "Script-Name: /x",
    "PATH_INFO: /x",
]
HEADERS += ["Host: a@b", "Host: [::1]:80", "Upgrade: WebSocket"]
TYPES = [JSON, RAW, FORM_DATA, "image/png", "image/jpeg", "text/plain", ""]
QUERIES = ["", "?echo=frame", "?version=1", "?version=9", "?x", "?version=%FF&echo=", "?%"]
TARGETS = ["/livez", "/readyz", "/", "/learn", "/v2", "/v1/models/mnist", "/static/pad.js"]
TARGETS += [
    "/v2/models/mnist/stats",
    "/weights",
    "/nope",
    "*",
    "http://x/livez",
    "http://a@b/livez",
    "x:443",
    "/v2/repository/models/mnist/load",
    "/%2e%2e/x",
]
METHODS = ["GET", "GET", "GET", "HEAD", "OPTIONS", "PUT", "BREW", "get", "CONNECT"]
LINES = ["\r\n", "\r\n", "\r\n", "\n", "\r", "\r\n\r\n", "\0"]
VERSIONS = ["HTTP/1.1"] * 6 + [
    "HTTP/1.0",
    "HTTP/2.0",
    "HTTP/0.9",
    "HTTP/1.2",
    "http/1.1",
    "",
]
