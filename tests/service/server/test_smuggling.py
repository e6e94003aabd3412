"""Requests that two servers could read differently: one refusal, then the end."""

import json
import re

import pytest

RAW = "application/octet-stream"
NEXT = b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"


def request(*lines, body=b"", target=b"/predict", version=b"1.1"):
    head = b"POST %b HTTP/%b\r\nHost: x\r\n" % (target, version)
    return head + b"".join(line + b"\r\n" for line in lines) + b"\r\n" + body + NEXT


CHUNKED = b"Transfer-Encoding: chunked"
LENGTH = b"Content-Length: 5"
AMBIGUOUS = {
    "CL.TE": request(LENGTH, CHUNKED, body=b"0\r\n\r\n"),
    "TE.CL": request(CHUNKED, LENGTH, body=b"0\r\n\r\n"),
    "TE twice": request(CHUNKED, CHUNKED, body=b"0\r\n\r\n"),
    "TE.TE": request(CHUNKED, b"Transfer-Encoding: identity", body=b"0\r\n\r\n"),
    "TE xchunked": request(b"Transfer-Encoding: xchunked", body=b"0\r\n\r\n"),
    "TE chunked first": request(b"Transfer-Encoding: chunked, gzip", body=b"0\r\n\r\n"),
    "TE gzip": request(b"Transfer-Encoding: gzip", body=b"0\r\n\r\n"),
    "TE vertical tab": request(b"Transfer-Encoding: \x0bchunked", body=b"0\r\n\r\n"),
    "TE space before colon": request(b"Transfer-Encoding : chunked", body=b"0\r\n\r\n"),
    "TE in a folded line": request(
        b"A: b\r\n Transfer-Encoding: chunked", body=b"0\r\n\r\n"
    ),
    "TE in HTTP/1.0": request(CHUNKED, body=b"0\r\n\r\n", version=b"1.0"),
    "CL twice, the same": request(LENGTH, LENGTH, body=b"abcde"),
    "CL twice, different": request(LENGTH, b"Content-Length: 0", body=b"abcde"),
    "CL list": request(b"Content-Length: 5, 5", body=b"abcde"),
    "CL plus": request(b"Content-Length: +5", body=b"abcde"),
    "CL minus": request(b"Content-Length: -5", body=b"abcde"),
    "CL hexadecimal": request(b"Content-Length: 0x5", body=b"abcde"),
    "CL with a space": request(b"Content-Length: 5 5", body=b"abcde"),
    "CL empty": request(b"Content-Length:", body=b"abcde"),
    "CL beyond 64 bits": request(b"Content-Length: 99999999999999999999", body=b"abcde"),
    "CL space before colon": request(b"Content-Length : 5", body=b"abcde"),
    "bare LF": request(LENGTH, body=b"abcde").replace(b"\r\n", b"\n", 2),
    "bare LF after a header": request(b"A: b\n" + LENGTH, body=b"abcde"),
    "bare CR": request(b"A: b\r" + LENGTH, body=b"abcde"),
    "folded header": request(LENGTH, b" folded", body=b"abcde"),
    "NUL in a value": request(b"A: b\0c", LENGTH, body=b"abcde"),
    "control in a value": request(b"A: b\x01c", LENGTH, body=b"abcde"),
    "no colon": request(b"nonsense", LENGTH, body=b"abcde"),
    "two hosts": request(b"Host: y", LENGTH, body=b"abcde"),
    "two content types": request(b"Content-Type: a/b", b"Content-Type: c/d", LENGTH),
    "two spaces": request(LENGTH, target=b" /predict", body=b"abcde"),
    "space in the target": request(LENGTH, target=b"/pre dict", body=b"abcde"),
    "tab in the target": request(LENGTH, target=b"/pre\tdict", body=b"abcde"),
    "non-ASCII target": request(LENGTH, target=b"/pre\xffdict", body=b"abcde"),
    "authority as target": request(LENGTH, target=b"x:80", body=b"abcde"),
    "asterisk as target": request(LENGTH, target=b"*", body=b"abcde"),
    "HTTP/0.9": b"GET /livez\r\n\r\n" + NEXT,
    "HTTP/1.2": request(LENGTH, version=b"1.2", body=b"abcde"),
    "HTTP/2.0": request(LENGTH, version=b"2.0", body=b"abcde"),
    "lower-case method": b"get / HTTP/1.1\r\nHost: x\r\n\r\n" + NEXT,
    "two empty lines first": b"\r\n\r\n" + request(LENGTH, body=b"abcde"),
    "chunk 0x": request(CHUNKED, body=b"0x3\r\nabc\r\n0\r\n\r\n"),
    "chunk with a sign": request(CHUNKED, body=b"+3\r\nabc\r\n0\r\n\r\n"),
    "chunk with a space": request(CHUNKED, body=b" 3\r\nabc\r\n0\r\n\r\n"),
    "chunk with bare LF": request(CHUNKED, body=b"3\nabc\r\n0\r\n\r\n"),
    "chunk too short": request(CHUNKED, body=b"2\r\nabc\r\n0\r\n\r\n"),
    "chunk overflow": request(CHUNKED, body=b"f" * 17 + b"\r\nabc\r\n0\r\n\r\n"),
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n" + NEXT,
    "garbage": bytes(range(128, 256)) + b"\r\n\r\n" + NEXT,
}


@pytest.fixture(scope="module")
def worker(start):
    return start().wait_ready()


@pytest.mark.parametrize("name", AMBIGUOUS)
def test_an_ambiguous_request_gets_one_refusal(worker, name):
    head, _, body = worker.raw(AMBIGUOUS[name]).partition(b"\r\n\r\n")
    assert re.findall(rb"HTTP/1\.1 (\d+) ", head + body) == [b"400"], head
    assert b"\r\nConnection: close" in head
    assert list(json.loads(body)) == ["error"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"3;a=b\r\nabc\r\n0\r\n\r\n", b"415"),  # read, and of no type
        (b"0\r\nContent-Length: 5\r\n\r\n", b"400"),
        (b"0\r\nX: y\r\n\r\n", b"415"),
    ],
    ids=["extension", "forbidden trailer", "trailer"],
)
def test_nothing_is_answered_after_a_chunked_body(worker, body, status):
    head, _, rest = worker.raw(request(CHUNKED, body=body)).partition(b"\r\n\r\n")
    assert re.findall(rb"HTTP/1\.1 (\d+) ", head + rest) == [status]
    assert b"\r\nConnection: close" in head


def test_a_prediction_still_works_after_all_of_them(worker, frames):
    for content in AMBIGUOUS.values():
        worker.raw(content)
    answer = worker.post(frames[7].tobytes(), RAW)
    assert answer.json["predictions"][0]["digit"] == 7
    assert "Traceback" not in worker.log
