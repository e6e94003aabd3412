"""Heads that were parsed before are read exactly as when parsed for the first time."""

import gc
import sys
import tracemalloc
from types import SimpleNamespace

import pytest
from gunicorn.config import Config
from hypothesis import given, settings
from hypothesis import strategies as st

from service import create_app
from service.errors import RequestError
from service.http import Reply
from service.monitoring.access_log import format_json, format_text
from service.monitoring.outcome import Outcome
from service.monitoring.trace_context import read_trace
from service.server.gateway import Gateway, Request
from service.server.http1.known_heads import HEAD_COST, MOST_BYTES, KnownHeads
from service.server.http1.request import Ends, HeadLimits, RequestHead
from service.settings import Settings

ENDS = Ends(("127.0.0.1", 1), ("127.0.0.1", 8000))
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
USUAL = "POST /predict HTTP/1.1", "Host: x", "Content-Length: 9", "Content-Type: image/png"


@pytest.fixture(scope="module")
def app():
    return create_app(Settings())


@pytest.fixture(scope="module")
def inference(app):
    return app.extensions["inference"]


class Reader:
    """Reads heads that arrive at the address of clients."""

    def __init__(self, app, inference, **options):
        self.cfg = Config()
        for name, value in options.items():
            self.cfg.set(name, value)
        self.gateway = Gateway(app, self.cfg, SimpleNamespace(access_log_enabled=False))
        self.limits = HeadLimits.of(self.cfg)
        self.heads = KnownHeads(self.limits, self.gateway, inference, True)
        self.known = self.heads.at(ENDS)

    def read(self, content):
        return self.heads.read(content, self.known, ENDS)

    def find(self, content):
        return self.heads.find(content, self.known)


@pytest.fixture(scope="module")
def make(app, inference):
    return lambda **options: Reader(app, inference, **options)


def head(*lines):
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def facts(found, cfg):
    """Return everything that anyone reads of a head."""
    own = {"raw", "original", "changed", "environ_headers", "target", "_facts"}
    seen = {"expects_continue": found.expects_continue, **vars(found)}
    seen = {name: value for name, value in seen.items() if name not in own}
    target = found.target
    if target is not None:  # errors are never equal, so they are of different kinds
        refusal, options = str(target.refusal), str(target.options)
        target = target._replace(kind=0, refusal=refusal, options=options)
    return seen, target, Request(found, cfg, ENDS.peer).headers


def read_first(content, reader, inference):
    """Read a head as if none had been read before."""
    try:
        found = RequestHead(content, reader.limits)
        if found.special:
            reader.gateway.apply(found, ENDS)
        if found.length is None:
            found.keep_alive = False
        bounded = found.length is None or "content-length" in found.fields
        if found.method == "POST" and bounded:
            endpoint = inference.endpoint(found.path)
            found.target = inference.target(endpoint, found.query, found.fields)
        return facts(found, reader.cfg)
    except RequestError as error:
        return error.status, error.message


def read_again(content, reader):
    try:
        return facts(reader.read(content), reader.cfg)
    except RequestError as error:
        return error.status, error.message


spaces = st.sampled_from(["", " ", "\t", "  \t"])
changing = st.sampled_from(
    [
        *("X-Request-ID", "x-request-id", "traceparent", "Traceparent", "TRACESTATE"),
        *("Cookie", "Authorization", "X-Forwarded-For"),
        *("Request-Timeout-Ms", "request-timeout-ms"),
    ]
)
values = st.one_of(
    st.sampled_from(["50", "2000", "007"]),
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
            "a  b; c=d",
            "Bearer a",
            "Bearer b",
            "Basic YTpi",
            "x" * 2048,
            "x" * 2049,
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
        "X-Forwarded-Proto: https",
        "X-Forwarded-Proto: http",
        "X-Forwarded-Ssl: on",
    ]
)
# A header that changes, usually under the same name, with another value in each head.
slots = st.one_of(
    others,
    st.tuples(
        st.one_of(
            changing.map(lambda name: [name] * 3),
            st.lists(changing, min_size=3, max_size=3),
        ),
        spaces,
        st.lists(values, min_size=3, max_size=3),
        spaces,
    ),
)


@settings(max_examples=200)
@given(
    st.lists(slots, min_size=1, max_size=6),
    st.sampled_from(["POST /predict HTTP/1.1", "POST /predict HTTP/1.0", "GET / HTTP/1.1"]),
    st.booleans(),
)
def test_a_head_is_read_as_for_the_first_time(inference, make, run, line, usual):
    reader = make()
    for turn in range(3):
        lines = [line, *(USUAL[1:] if usual else [])]
        for slot in run:
            if isinstance(slot, str):
                lines.append(slot)
            else:
                names, before, texts, after = slot
                lines.append(f"{names[turn]}:{before}{texts[turn]}{after}")
        content = head(*lines)
        expected = read_first(content, reader, inference)
        assert read_again(content, reader) == expected
        assert read_again(content, reader) == expected


def test_heads_that_differ_in_changing_values_are_parsed_once(make):
    reader = make()
    first = reader.read(head(*USUAL, "X-Request-ID: 0", f"traceparent: {TRACE}"))
    other = head(*USUAL, "X-Request-ID: 1", f"traceparent: {TRACE.replace('4bf', 'abc')}")
    found = reader.find(other)
    assert found.original is first
    assert (found.request_id, read_trace(found.fields).trace_id[:3]) == ("1", "abc")
    assert first.request_id == "0"


def test_heads_with_ever_new_timeouts_are_parsed_once(make):
    reader = make()
    first = reader.read(head(*USUAL, "Request-Timeout-Ms: 50"))
    found = reader.find(head(*USUAL, "request-timeout-ms: 9999999"))
    assert found is None  # a name as it is spelt, as any other
    found = reader.find(head(*USUAL, "Request-Timeout-Ms: 9999999"))
    assert found.original is first
    assert (found.target.timeout_s, first.target.timeout_s) == (9999.999, 0.05)
    assert found.target.kind == first.target.kind


def test_what_a_signed_in_user_sends_through_a_proxy_is_parsed_once(make):
    reader = make()

    def content(number):
        return head(
            *USUAL,
            "X-Forwarded-Proto: https",
            f"X-Real-IP: ::{number}",
            f"Cookie: theme=dark; session={number}",
            f"Authorization: Bearer {number}",
            f"Date: Mon, 30 Nov 2026 12:00:{number:02} GMT",
        )

    first = reader.read(content(1))
    found = reader.find(content(2))
    assert found.original is first
    assert found.fields["cookie"] == "theme=dark; session=2"
    assert found.fields["authorization"] == "Bearer 2"


def test_a_name_with_a_password_is_parsed_for_the_log(make):
    reader = make()
    reader.read(head(*USUAL, "Authorization: Basic YTpi"))
    assert reader.find(head(*USUAL, "Authorization: Basic Yjpi")) is None


def test_each_key_is_looked_at_where_one_is_needed(app, tmp_path):
    keys = tmp_path / "keys"
    keys.write_text("a-key-of-one-client-000\n")
    locked = create_app(Settings(api_keys=keys)).extensions["inference"]
    reader = Reader(app, locked)
    good = reader.read(head(*USUAL, "Authorization: Bearer a-key-of-one-client-000"))
    assert good.target.refusal is None
    wrong = head(*USUAL, "Authorization: Bearer a-key-of-nobody-0000000")
    assert reader.find(wrong) is None
    assert reader.read(wrong).target.refusal.status == 401


def test_what_a_proxy_says_is_known_for_proxies_alone(make):
    reader = make(forwarded_allow_ips="10.0.0.1")
    proxy, client = (Ends((host, 1), ENDS.server) for host in ("10.0.0.1", "10.0.0.2"))
    two_schemes = head(*USUAL, "X-Forwarded-Proto: https", "X-Forwarded-Ssl: off")
    heads = reader.heads
    for ends in (client, client, proxy, proxy):
        known = heads.at(ends)
        if ends is client:
            assert heads.read(two_schemes, known, ends).target is not None
        else:
            with pytest.raises(RequestError):
                heads.read(two_schemes, known, ends)


def test_heads_with_ever_new_values_drive_no_other_out(make):
    reader = make()
    usual = head(*USUAL)
    known = reader.read(usual)
    for number in range(2000):
        reader.read(head(*USUAL, f"X-Request-ID: {number}"))
    assert reader.read(usual) is known


def test_a_head_for_flask_is_parsed_whole(make):
    reader = make()
    reader.read(head("GET /livez HTTP/1.1", "Host: x", "X-Request-ID: 0"))
    other = head("GET /livez HTTP/1.1", "Host: x", "X-Request-ID: 1")
    assert reader.find(other) is None


def test_a_limit_that_a_changing_value_could_exceed_is_kept(make):
    reader = make(limit_request_field_size=60)
    reader.read(head(*USUAL, "X-Request-ID: 0"))
    with pytest.raises(
        RequestError, match="'X-Request-ID' of 76 bytes, expected at most 60"
    ):
        reader.read(head(*USUAL, f"X-Request-ID: {'1' * 60}"))


def test_the_same_values_under_other_names_are_another_head(make):
    reader = make()
    reader.read(head(*USUAL, "X-Request-ID: one", f"traceparent: {TRACE}"))
    found = reader.read(head(*USUAL, f"tracestate: {TRACE}", "X-Request-ID: two"))
    assert (found.request_id, read_trace(found.fields)) == ("two", None)


def test_a_head_that_is_kept_does_not_keep_its_body(make):
    reader = make()
    content = head("POST /nowhere HTTP/1.1", "Host: x", "Content-Length: 9")
    found, body = reader.read(content), bytes(9)
    assert reader.read(content) is found
    before = sys.getrefcount(body)
    reply, _ = reader.gateway.call(ENDS, found, body)
    assert reply.startswith(b"HTTP/1.1 404 ")
    gc.collect()
    assert sys.getrefcount(body) == before


class Used:
    """Reads heads, and uses each as a request that is logged does."""

    def __init__(self, reader):
        self.reader = reader

    def read(self, content):
        found = self.reader.read(content)
        Request(found, self.reader.cfg, ENDS.peer)
        facts = found.facts
        outcome = Outcome("POST", "/predict", None, "x", Reply(200, b""))
        outcome.head = facts
        format_json([outcome])
        format_text([outcome], "now", lambda _: None)


@pytest.mark.parametrize("changing", [[], ["X-Request-ID: a"]])
@pytest.mark.parametrize(
    ("fields", "length"), [(0, 0), (6, 30), (20, 20), (85, 1), (4, 200)]
)
def test_heads_take_no_more_memory_than_is_counted(make, fields, length, changing):
    reader = make()
    used = Used(reader)

    def content(number):
        lines = [f"x{at}: {'v' * length}" for at in range(fields)]
        return head(USUAL[0], f"Host: h{number}", *USUAL[2:], *changing, *lines)

    used.read(content(-1))
    gc.collect()
    counted = reader.heads.size
    tracemalloc.start()
    for number in range(300):
        used.read(content(number))
    gc.collect()
    taken = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert taken <= reader.heads.size - counted


def test_all_heads_together_are_bounded(make):
    reader = make()
    most = 0
    for number in range(20_000):
        reader.read(head(USUAL[0], f"Host: h{number}", *USUAL[2:]))
        most = max(most, reader.heads.size)
    assert MOST_BYTES * 0.9 < most <= MOST_BYTES
    assert len(reader.known) * HEAD_COST < MOST_BYTES
