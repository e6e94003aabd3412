"""Heads that are read as others were before: never otherwise than for the first time."""

import gc
import sys
from types import SimpleNamespace

import pytest
from gunicorn.config import Config
from hypothesis import given, settings
from hypothesis import strategies as st

from service import create_app
from service.errors import RequestError
from service.gateway import Gateway
from service.heads import MOST_HEADS, Heads
from service.http1 import Request
from service.settings import Settings
from service.short_way import ShortWay

END = ("127.0.0.1", 8000)
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
SOME = "POST /predict HTTP/1.1", "Host: x", "Content-Length: 9", "Content-Type: image/png"


@pytest.fixture(scope="module")
def app():
    return create_app(Settings())


@pytest.fixture(scope="module")
def short_way(app):
    return ShortWay(app, lambda *_: None)


@pytest.fixture(scope="module")
def make(short_way):
    """Make what reads heads, and a connection that they come from."""

    def make(**options):
        cfg = Config()
        for name, value in options.items():
            cfg.set(name, value)
        heads = Heads(cfg, 4 << 20, None, short_way)
        connection = SimpleNamespace(peer=("127.0.0.1", 1), known_heads=heads.at(END))
        return heads, connection, cfg

    return make


def head(*lines):
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def facts(request):
    """Return all that anyone asks a request for."""
    own = {"cfg", "body", "like", "_raw", "_headers", "_others"}
    seen = {"inquiry": None, **vars(request)}
    seen = {name: value for name, value in seen.items() if name not in own}
    if seen["inquiry"] is not None:
        route, asked, *others = seen["inquiry"]
        seen["inquiry"] = [route, *others, *map(str, asked)]  # errors are never equal
    return seen, request.headers


def read_first(content, cfg, connection, short_way):
    """Read a head without what was read before."""
    try:
        request = Request(content, cfg, connection.peer)
        if request.length is None:
            request.keep_alive = False
        elif request.method == "POST" and "content-length" in request.fields:
            request.inquiry = short_way.read(request.path, request.query, request.fields)
        return facts(request)
    except RequestError as error:
        return error.status, error.message


def read_again(content, heads, connection):
    try:
        return facts(heads.read(content, connection))
    except RequestError as error:
        return error.status, error.message


spaces = st.sampled_from(["", " ", "\t", "  \t"])
marks = st.sampled_from(
    ["X-Request-ID", "x-request-id", "traceparent", "Traceparent", "TRACESTATE"]
)
values = st.one_of(
    st.sampled_from([TRACE, TRACE.replace("4bf", "fff"), "a=b,c=d", "one", "two", "", "é"]),
    st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=40),
    # What could be taken for a line of its own, or end one.
    st.sampled_from(
        [
            "a b",
            "a\r\n b",
            "a\r\nContent-Length: 7",
            "a\r\ntraceparent: b",
            "a\nX-Request-ID: b",
            "a\rX-Request-ID: b",
            "a\r\n\ttraceparent: b",
            "a\0b",
            "chunked",
            "close",
            "x" * 512,
            "x" * 513,
        ]
    ),
)
others = st.sampled_from(
    [
        "Host: x",
        "Content-Length: 9",
        "Content-Length: 9",
        "Content-Type: application/octet-stream",
        "Connection: close",
        "Connection: traceparent",
        "Transfer-Encoding: chunked",
        "X-Request-ID : a",
        "X_Request_ID: a",
        "Traceparent",
        " traceparent: folded",
        "A: traceparent: b",
        "Expect: 100-continue",
    ]
)
# A header with a mark's name, usually the same one, and another value in each head.
slots = st.one_of(
    others,
    st.tuples(
        st.one_of(
            marks.map(lambda name: [name] * 3), st.lists(marks, min_size=3, max_size=3)
        ),
        spaces,
        st.lists(values, min_size=3, max_size=3),
        spaces,
    ),
)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(slots, min_size=1, max_size=6),
    st.sampled_from(["POST /predict HTTP/1.1", "POST /predict HTTP/1.0", "GET / HTTP/1.1"]),
    st.booleans(),
)
def test_a_head_is_read_as_it_is_for_the_first_time(short_way, make, run, line, usual):
    heads, connection, cfg = make()
    for turn in range(3):
        lines = [line, *(SOME[1:] if usual else [])]
        for slot in run:
            if isinstance(slot, str):
                lines.append(slot)
            else:
                names, before, texts, after = slot
                lines.append(f"{names[turn]}:{before}{texts[turn]}{after}")
        content = head(*lines)
        expected = read_first(content, cfg, connection, short_way)
        assert read_again(content, heads, connection) == expected
        assert read_again(content, heads, connection) == expected


def test_heads_that_differ_in_marks_are_read_once(make):
    heads, connection, _ = make()
    first = heads.read(head(*SOME, "X-Request-ID: 0", f"traceparent: {TRACE}"), connection)
    other = head(*SOME, "X-Request-ID: 1", f"traceparent: {TRACE.replace('4bf', 'abc')}")
    found = heads.find(other, connection)
    assert found.like is first
    assert (found.inquiry.request_id, found.inquiry.trace.trace_id[:3]) == ("1", "abc")
    assert first.inquiry.request_id == "0"


def test_heads_with_ever_new_marks_drive_no_other_out(make):
    heads, connection, _ = make()
    usual = head(*SOME)
    known = heads.read(usual, connection)
    for number in range(2 * MOST_HEADS):
        heads.read(head(*SOME, f"X-Request-ID: {number}"), connection)
    assert heads.read(usual, connection) is known


def test_what_is_flask_s_is_read_whole(make):
    heads, connection, _ = make()
    heads.read(head("GET /livez HTTP/1.1", "Host: x", "X-Request-ID: 0"), connection)
    other = head("GET /livez HTTP/1.1", "Host: x", "X-Request-ID: 1")
    assert heads.find(other, connection) is None


def test_a_limit_that_a_mark_could_exceed_is_kept(make):
    heads, connection, _ = make(limit_request_field_size=60)
    heads.read(head(*SOME, "X-Request-ID: 0"), connection)
    with pytest.raises(RequestError, match="a header of more than 60 bytes"):
        heads.read(head(*SOME, f"X-Request-ID: {'1' * 60}"), connection)


def test_the_same_values_under_other_names_are_another_head(make):
    heads, connection, _ = make()
    heads.read(head(*SOME, "X-Request-ID: one", f"traceparent: {TRACE}"), connection)
    other = head(*SOME, f"tracestate: {TRACE}", "X-Request-ID: two")
    found = heads.read(other, connection).inquiry
    assert (found.request_id, found.trace) == ("two", None)


def test_a_head_that_is_kept_does_not_keep_its_body(make, app):
    heads, connection, cfg = make()
    connection.server = END
    content = head("POST /nowhere HTTP/1.1", "Host: x", "Content-Length: 9")
    request, body = heads.read(content, connection), bytes(9)
    assert heads.read(content, connection) is request
    before = sys.getrefcount(body)
    reply, _ = Gateway(app, cfg, SimpleNamespace(access_log_enabled=False)).call(
        connection, request, body
    )
    assert reply.startswith(b"HTTP/1.1 404 ")
    gc.collect()
    assert sys.getrefcount(body) == before
