import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import RequestError
from service.protocols.compression import inflate

LIMIT = 1000
GZIPPED = gzip.compress(b"x", mtime=0)  # else the names of the tests would have the time


@given(st.binary(max_size=LIMIT))
def test_what_was_deflated_comes_back(content):
    assert inflate(gzip.compress(content), "gzip", LIMIT) == content
    assert inflate(zlib.compress(content), "Deflate", LIMIT) == content
    assert inflate(content, "identity", LIMIT) == content


@pytest.mark.parametrize(
    ("body", "encoding", "status", "message"),
    [
        (b"x", "br", 415, "Content-Encoding is 'br', expected gzip, deflate or none"),
        (b"x", "gzip, gzip", 415, "Content-Encoding is 'gzip, gzip'"),
        (b"no gzip at all", "gzip", 400, "body is not gzip"),
        (b"", "gzip", 400, "is cut short"),
        (GZIPPED[:-1], "gzip", 400, "is cut short"),
        (GZIPPED + b"y", "gzip", 400, "has more bytes after its end"),
        (zlib.compress(b"x"), "gzip", 400, "body is not gzip"),
        (
            gzip.compress(bytes(LIMIT + 1), mtime=0),
            "gzip",
            413,
            "more than 1000 bytes inflated",
        ),
        (gzip.compress(bytes(10**8), mtime=0), "gzip", 413, "expected at most 1000"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_what_cannot_be_inflated_is_refused(body, encoding, status, message):
    with pytest.raises(RequestError) as caught:
        inflate(body, encoding, LIMIT)
    assert (caught.value.status, message in caught.value.message) == (status, True)
