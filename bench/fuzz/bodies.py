"""Random requests that are to be costly, without pictures.

A family draws a request of at most 64 kB as sent, compressed or not.
"""

import gzip
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np

from service.protocols import Limits, oip, predict, tfserving
from service.protocols.compression import inflate
from tests.support.picture_files import GOOD

SENT = 64 * 1024
INFLATED = 4 * 1024 * 1024  # MNIST_MAX_BODY_BYTES
LIMITS = Limits()
JSON = predict.read_head({"content-type": "application/json"}, {})
FORM = predict.read_head({"content-type": "multipart/form-data; boundary=B"}, {})
Random = np.random.Generator


class Request(NamedTuple):
    """A request.

    Attributes:
        body: as sent.
        kb: thousands of bytes that it inflates to or announces.
        decode: does the work, and returns the number of images.
    """

    body: bytes
    kb: float
    decode: Callable[[], int]


def compressed(decode: Callable[[bytes], object], whole: bytes) -> Request:
    """Compress a body, and as little of it as fits."""
    whole = whole[:INFLATED]
    body = gzip.compress(whole, 6, mtime=0)
    while len(body) > SENT:
        whole = whole[: len(whole) * SENT // len(body) - 1000]
        body = gzip.compress(whole, 6, mtime=0)
    return Request(body, len(whole) / 1e3, partial(_inflated, decode, body))


def _inflated(decode: Callable[[bytes], object], body: bytes) -> int:
    return _count(decode(inflate(body, "gzip", INFLATED)))


def _count(batch: object) -> int:
    for error in batch.refused.values():  # type: ignore[attr-defined]
        raise error
    return sum(batch.counts)  # type: ignore[attr-defined]


def to_predict(body: bytes) -> object:
    return predict.decode(JSON, [body], LIMITS)


def to_form(body: bytes) -> object:
    return predict.decode(FORM, [body], LIMITS)


def to_v1(body: bytes) -> object:
    return tfserving.decode(None, [body], LIMITS)


def to_v2(body: bytes) -> object:
    return oip.decode("", [body], LIMITS)


DECODERS = (to_predict, to_v1, to_v2)
# What JSON may be repeated from, and what may be around it.
ITEMS = [b"[]", b"{}", b'{"b64":""}', b'""', b"0", b"[0]", b'"a"', b"1e9", b"0.1", b"null"]
ITEMS += [b'{"a":0}', b'{"image":[]}', b"[[]]", b"-1", b"1" * 400, b"[" * 300 + b"]" * 300]
ITEMS += [b'"\\u0041"', b'{"b64":"\\n"}', b" ", b"[1,2]", b"123456789012345678901"]
AROUND = [(b'{"instances":[', b"]}"), (b'{"inputs":[', b"]}"), (b'{"x":[', b"]}")]
AROUND += [(b'{"inputs":{"image":[', b"]}}"), (b'{"instances":[[', b"]]}"), (b"[", b"]")]
AROUND += [
    (b'{"inputs":[{"name":"image","datatype":"%b","shape":[1,784],"data":[' % kind, b"]}]}")
    for kind in (b"UINT8", b"FP32", b"FP64", b"BYTES")
]


def json_items(random: Random) -> Request:
    """Few or many items of a few kinds, in any dialect."""
    before, after = AROUND[random.integers(len(AROUND))]
    kinds = [
        ITEMS[place] for place in random.integers(len(ITEMS), size=random.integers(1, 4))
    ]
    separator = [b",", b", ", b" ,", b", \n" + b" " * 40][random.integers(4)]
    item = separator.join(kinds)
    size = int(10 ** random.uniform(3, 6.6))
    inner = separator.join([item] * max(1, size // (len(item) + len(separator))))
    decode = DECODERS[random.integers(len(DECODERS))]
    inner = inner[: INFLATED - 200].rpartition(b",")[0] if len(inner) > SENT else inner
    return compressed(decode, before + inner + after)


def json_keys(random: Random) -> Request:
    """Objects of many keys, the last one twice, with an escape or without."""
    size = int(10 ** random.uniform(1, 5.2))
    stride = int(random.integers(1, 1000))
    keys = [b'"%d":0' % (stride * number) for number in range(size)]
    if random.random() < 0.5:
        keys.append(keys[-1])
    if random.random() < 0.5:
        keys.append(rb'"\u0061":1')
    text = b'{"x":{%b},"instances":[]}' % b",".join(keys)
    return compressed(DECODERS[random.integers(len(DECODERS))], text)


def json_depth(random: Random) -> Request:
    """Lists and objects in each other, and long whitespace and strings."""
    depth = int(10 ** random.uniform(1, 6))
    opening = [b"[", b'{"a":', b'{"instances":[', b" ", b'"', b"\\", b'"\\'][
        random.integers(7)
    ]
    before, after = AROUND[random.integers(len(AROUND))]
    text = before + opening * min(depth, INFLATED // len(opening)) + after
    return compressed(DECODERS[random.integers(len(DECODERS))], text)


def integers(random: Random) -> Request:
    """Images of integers with a fault somewhere."""
    count = int(random.integers(1, 1030))
    image = random.integers(0, 256, 784) if random.random() < 0.2 else np.zeros(784, int)
    row = b"[" + b",".join(b"%d" % x for x in image) + b"]"
    body = bytearray(b'{"instances":[' + b",".join([row] * count) + b"]}")
    for _ in range(random.integers(0, 3)):
        body[random.integers(len(body))] = b'0.,-e" []'[random.integers(9)]
    return compressed(DECODERS[random.integers(2)], bytes(body))


def tensors(random: Random) -> Request:
    """Binary tensors, with any values."""
    datatypes = ("UINT8", "FP16", "FP32", "FP64", "INT64")
    datatype = datatypes[random.integers(len(datatypes))]
    content = bytes(random.integers(0, 256, 784, np.uint8) * (random.random() < 0.5))
    content *= int(random.integers(1, 4000))
    text = (
        b'{"inputs":[{"name":"image","datatype":"%b","shape":[%d,784],"parameters":'
        b'{"binary_data_size":%d}}]}'
    )
    text %= (datatype.encode(), random.integers(1, 1024), len(content))
    return compressed(
        lambda body: oip.decode(str(len(text)), [body], LIMITS), text + content
    )


def forms(random: Random) -> Request:
    """Parts with odd headers, none or all of them an image."""
    field = b'Content-Disposition: form-data; name="image"; filename="x"'
    odd = [
        b"; a=b",
        b"\r\nA: b",
        b"\r\n ",
        b"; a*=utf-8''%e2",
        b'; a="\\',
        b"; a*0=b",
        b"a",
    ]
    odd += [b"\n", b"\r", b" ", b'"', b";", b"=", b"\0"]
    pieces = [odd[place] for place in random.integers(len(odd), size=random.integers(1, 3))]
    head = field + b"".join(pieces) * int(10 ** random.uniform(0, 6.3))
    contents = (b"", b"x", GOOD, b"\r\n--", b"\r\n--B ", b"--B" * 1000, b"\r" * 3000)
    content = contents[random.integers(len(contents))] * int(10 ** random.uniform(0, 3))
    part = (b"--B\r\n%b\r\n\r\n%b\r\n" % (head, content))[:INFLATED]
    times = int(10 ** random.uniform(0, 3.2))
    return compressed(
        to_form, part * max(1, min(times, INFLATED // len(part))) + b"--B--\r\n"
    )


def heads(random: Random) -> Request:
    """Content-Type and Accept of 8 kB."""
    odd = [
        "; a=b",
        "; a*=utf-8''%e2",
        '; a="\\',
        "; a*0=b",
        "a",
        ",",
        '"',
        ";",
        "=",
        "q=0,",
    ]
    pieces = [odd[place] for place in random.integers(len(odd), size=random.integers(1, 3))]
    text = ("".join(pieces) * 8192)[:8192]
    name = ("content-type", "accept")[random.integers(2)]
    types = ("application/octet-stream", "multipart/form-data", "image/png", "")
    value = types[random.integers(len(types))] + text
    known = {"content-type": "application/octet-stream", name: value}

    def decode() -> int:
        predict.read_head(known, {})
        return 0

    return Request(value.encode(), len(value) / 1e3, decode)
