"""What browsers are told: to let no other site in, and to guess at nothing."""

import pytest

RAW = "application/octet-stream"
NOSNIFF = "X-Content-Type-Options"
EVERY_KIND = [
    *(
        ("GET", "/"),
        ("GET", "/static/style.css"),
        ("GET", "/openapi.json"),
        ("GET", "/docs"),
    ),
    *(("GET", "/livez"), ("GET", "/metrics"), ("GET", "/v2"), ("GET", "/weights")),
    *(("POST", "/predict"), ("POST", "/v2/models/mnist/infer"), ("GET", "/nope")),
    *(("GET", "/predict"), ("OPTIONS", "/predict"), ("HEAD", "/"), ("POST", "/explain")),
]


@pytest.mark.parametrize(("method", "path"), EVERY_KIND)
def test_no_reply_may_be_taken_for_another_type(server, frames, method, path):
    body = frames[3].tobytes() if method == "POST" else None
    answer = server.request(method, path, body, {"Content-Type": RAW} if body else {})
    assert answer.headers.get_all(NOSNIFF) == ["nosniff"]


@pytest.mark.parametrize("server", ["fast path"], indirect=True)
@pytest.mark.parametrize(
    "content",
    [
        b"x\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET /" + b"x" * 5000 + b" HTTP/1.1\r\n\r\n",
    ],
    ids=["400", "no host", "414"],
)
def test_nor_may_what_the_worker_itself_refuses(server, content):
    reply = server.raw(content)
    assert reply.startswith(b"HTTP/1.1 4")
    assert b"\r\nX-Content-Type-Options: nosniff\r\n" in reply


@pytest.mark.parametrize("path", ["/", "/learn", "/static/draw.js", "/weights"])
def test_other_sites_can_embed_nothing(server, path):
    headers = server.request("GET", path).headers
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"


@pytest.mark.parametrize("path", ["/", "/learn", "/docs"])
def test_pages_are_apart_from_other_sites_and_use_nothing_of_the_machine(server, path):
    headers = server.request("GET", path).headers
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    denied = headers["Permissions-Policy"].split(", ")
    assert {f"{name}=()" for name in ("camera", "microphone", "geolocation")} <= {*denied}
    assert {"payment=()", "usb=()"} <= {*denied}


@pytest.mark.parametrize("path", ["/predict", "/v2/models/mnist/infer", "/weights", "/"])
def test_no_other_site_s_page_is_let_in(server, path):
    headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    headers["Access-Control-Request-Headers"] = "content-type, authorization"
    for method in ("OPTIONS", "GET", "POST"):
        answer = server.request(method, path, headers=headers)
        assert not [name for name in answer.headers if "access-control" in name.lower()]
