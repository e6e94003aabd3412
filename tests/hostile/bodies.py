"""Bodies of bytes: raw images, tensors, NumPy files, what is compressed, and forms."""

import gzip
import io
import json
import zlib
from collections.abc import Callable
from functools import cache, partial

import numpy as np

from tests.hostile.dialects import (
    EXPLAIN,
    FORM_DATA,
    JSON,
    LENGTH,
    PREDICT,
    RAW,
    SEVEN,
    V1,
    V2,
    Row,
    form_data,
    request,
    tensor,
)
from tests.hostile.documents import WHOLE
from tests.support.picture_files import GOOD as PICTURE

FLOATS = SEVEN.astype(np.float32) / np.float32(255)
ROWS: dict[str, Row] = {}


def row(name: str, status: int, make: Callable[..., bytes], *arguments: object) -> None:
    ROWS[name] = Row(status, partial(make, *arguments))


# Raw bytes and tensors.

for path in (PREDICT, EXPLAIN):
    for size, status in ((0, 422), (1, 400), (783, 400), (785, 400)):
        row(f"raw-{size}-{path}", status, request, path, b"\1" * size, RAW)
row("raw-2-explain", 413, request, EXPLAIN, SEVEN.tobytes() * 2, RAW)
row("raw-1025", 413, request, PREDICT, SEVEN.tobytes() * 1025, RAW)
row("raw-no-ink", 422, request, PREDICT, bytes(784), RAW)

ONE = [1, 784]
for datatype in ("FP16", "FP32", "FP64", "UINT16", "INT64"):
    code = np.dtype(
        {"FP16": "f2", "FP32": "f4", "FP64": "f8"}.get(datatype, datatype.lower())
    )
    values = (FLOATS if datatype[0] == "F" else SEVEN).astype(code)
    little, big = (
        values.astype(code.newbyteorder("<")),
        values.astype(code.newbyteorder(">")),
    )
    black_and_white = np.rint(values / values.max()) * values.max()
    row(f"tensor-{datatype}", 200, tensor, little.tobytes(), datatype, ONE)
    row(f"tensor-{datatype}-big-endian", 422, tensor, big.tobytes(), datatype, ONE)
    content = black_and_white.astype(code.newbyteorder(">")).tobytes()
    row(f"tensor-{datatype}-big-endian-0-1", 422, tensor, content, datatype, ONE)
    row(f"tensor-{datatype}-cut", 400, tensor, little.tobytes()[:-1], datatype, ONE)
for name, pixel in (
    ("nan", np.nan),
    ("infinity", np.inf),
    ("above", 1.01),
    ("below", -1e-9),
):
    changed = FLOATS.copy()
    changed[5] = pixel
    row(f"tensor-{name}", 422, tensor, changed.tobytes(), "FP32", ONE)
    row(f"tensor-{name}-raw", 422, request, V2, changed.tobytes(), RAW, f"{LENGTH}: 0")
for name, shape in (
    ("flat", [784]),
    ("3-D", [1, 28, 28]),
    ("two", [2, 784]),
    ("none", [0, 784]),
    ("negative", [-1, -784]),
    ("huge", [2**62, 784]),
    ("empty", []),
):
    row(f"tensor-shape-{name}", 422, tensor, FLOATS.tobytes(), "FP32", shape)
row("tensor-shape-2-to-64", 422, tensor, FLOATS.tobytes(), "FP32", [2**64, 784])
row("tensor-nothing", 422, tensor, b"", "FP32", [0, 784])
row("tensor-1025", 413, tensor, SEVEN.tobytes() * 1025, "UINT8", [1025, 784])
row("tensor-other-type", 400, tensor, SEVEN.tobytes(), "BYTES", ONE)
for length in ("-1", "99999999", "9" * 5000, "x", "1.0", "0x10", "", "+5", "1 0"):
    name = f"tensor-header-length-{length[:9] or 'empty'}"
    row(name, 400, request, V2, FLOATS.tobytes(), RAW, f"{LENGTH}: {length}")
row("tensor-two-header-lengths", 400, tensor, b"", "FP32", ONE, f"{LENGTH}: 0")
for size in (-1, 2**62, 2**70, 1.5, True, "3136", None):
    entry = {"name": "image", "datatype": "FP32", "shape": ONE}
    text = json.dumps({"inputs": [{**entry, "parameters": {"binary_data_size": size}}]})
    head = f"{LENGTH}: {len(text)}"
    body = text.encode() + FLOATS.tobytes()
    row(f"tensor-binary-data-size-{size}", 400, request, V2, body, RAW, head)


# NumPy files. The object in the last would make a file, if anybody unpickled it.


class Touch:
    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return open, (self.path, "w")


UNPICKLED = "unpickled-by-the-service"


@cache
def npy(kind: str) -> bytes:
    file = io.BytesIO()
    if kind == "object":
        np.save(file, np.array([Touch(UNPICKLED)], object), allow_pickle=True)
        return file.getvalue()
    np.save(file, SEVEN.reshape(1, 784))
    content = file.getvalue()
    if kind == "long-header":  # of 100 MB, it says
        return content[:6] + b"\2\0" + (100_000_000).to_bytes(4, "little") + content[10:]
    return content


for kind in ("plain", "object", "long-header"):
    ROWS[f"npy-{kind}"] = Row(400, lambda kind=kind: request(PREDICT, npy(kind), RAW))
    ROWS[f"npy-{kind}-type"] = Row(
        415, lambda kind=kind: request(PREDICT, npy(kind), "application/x-npy")
    )
    ROWS[f"npy-{kind}-v2"] = Row(
        400, lambda kind=kind: request(V2, npy(kind), RAW, f"{LENGTH}: 0")
    )


# What is compressed.


@cache
def bomb() -> bytes:
    """A megabyte that is a gigabyte: one MiB of zeros, deflated, a thousand times over."""
    deflater = zlib.compressobj(wbits=31)
    begin = deflater.compress(bytes(1 << 20)) + deflater.flush(zlib.Z_FULL_FLUSH)
    again = deflater.compress(bytes(1 << 20)) + deflater.flush(zlib.Z_FULL_FLUSH)
    return begin + again * 1023 + deflater.flush()  # nobody gets as far as its checksum


def compressed(path: str, body: bytes, coding: str, content_type: str = JSON) -> bytes:
    return request(path, body, content_type, f"Content-Encoding: {coding}")


for path in (PREDICT, EXPLAIN, V1, V2):
    whole = gzip.compress(WHOLE[path])
    row(f"gzip-{path}", 200, compressed, path, whole, "gzip")
    row(f"gzip-cut-{path}", 400, compressed, path, whole[:-1], "gzip")
    row(f"gzip-twice-{path}", 400, compressed, path, whole * 2, "gzip")
    row(f"gzip-none-{path}", 400, compressed, path, WHOLE[path], "gzip")
    row(f"gzip-empty-{path}", 400, compressed, path, b"", "gzip")
    row(f"deflate-raw-{path}", 400, compressed, path, whole[10:-8], "deflate")
    row(f"deflate-{path}", 200, compressed, path, zlib.compress(WHOLE[path]), "deflate")
    for coding in ("br", "zstd", "compress", "gzip, gzip", "chunked", "g\xe9"):
        row(f"coding-{coding}-{path}", 415, compressed, path, whole, coding)
    ROWS[f"gzip-bomb-{path}"] = Row(413, lambda path=path: compressed(path, bomb(), "gzip"))
ROWS["gzip-bomb-form"] = Row(413, lambda: compressed(PREDICT, bomb(), "gzip", FORM_DATA))
ROWS["gzip-bomb-picture"] = Row(
    413, lambda: compressed(PREDICT, bomb(), "gzip", "image/png")
)


# Forms.


def part(disposition: str, content: bytes = PICTURE) -> bytes:
    head = f"--B\r\nContent-Disposition: {disposition}\r\n\r\n".encode("latin-1")
    return head + content + b"\r\n--B--\r\n"


FILE = 'form-data; name="image"; filename='
FORMS: dict[str, tuple[int, bytes, str]] = {
    "two-files": (200, form_data(PICTURE, PICTURE), FORM_DATA),
    "capitals": (200, form_data(PICTURE), "Multipart/FORM-Data; Boundary=B"),
    "path-as-file-name": (200, part(f'{FILE}"../../../etc/passwd"'), FORM_DATA),
    "nul-in-file-name": (200, part(f'{FILE}"a\0.png"'), FORM_DATA),
    "percent-in-file-name": (200, part(f'{FILE}"%0d%0aX: y"'), FORM_DATA),
    "crlf-in-file-name": (400, part(f'{FILE}"a\r\nX-Evil: y"'), FORM_DATA),
    "long-file-name": (200, part(f'{FILE}"{"a" * 5000}"'), FORM_DATA),
    "1025-files": (413, form_data(*[b"x"] * 1025), FORM_DATA),
    "1001-fields": (400, form_data(*[b"x"] * 1001, name="x"), FORM_DATA),
    "10000-parts": (413, form_data(*[b""] * 10_000), FORM_DATA),
    "long-field": (400, part('form-data; name="image"', bytes(4_000_000)), FORM_DATA),
    # More than twice the limit, and the connection ends before all of it is read.
    "field-of-17-MB": (413, part('form-data; name="image"', bytes(17_000_000)), FORM_DATA),
    "field-instead-of-file": (400, part('form-data; name="image"'), FORM_DATA),
    "other-field": (400, form_data(PICTURE, name="file"), FORM_DATA),
    "no-name": (400, part("form-data"), FORM_DATA),
    "no-name-and-a-name": (
        400,
        form_data(b"x", name="x").replace(b"--B--\r\n", part("form-data")),
        FORM_DATA,
    ),
    "no-boundary": (400, form_data(PICTURE), "multipart/form-data"),
    "other-boundary": (400, form_data(PICTURE), "multipart/form-data; boundary=C"),
    "long-boundary": (
        400,
        form_data(PICTURE),
        "multipart/form-data; boundary=" + "B" * 4000,
    ),
    "no-end": (400, form_data(PICTURE)[:-6], FORM_DATA),
    "long-head": (200, part(f'{FILE}"x"\r\nA: {"a" * 8_000}'), FORM_DATA),
    "too-long-head": (413, part(f'{FILE}"x"\r\nA: {"a" * 100_000}'), FORM_DATA),
    "head-of-4-MB": (413, part(f"{FILE}{'a; ' * 1_300_000}"), FORM_DATA),
    "head-without-end": (413, b"--B\r\n" + b"a" * 1_000_000, FORM_DATA),
    "nothing": (400, b"", FORM_DATA),
    "only-the-end": (400, b"--B--\r\n", FORM_DATA),
    "nested": (400, form_data(b"x", name="x").replace(b"form-data", b"mixed"), FORM_DATA),
    "not-a-picture": (415, form_data(b"x"), FORM_DATA),
    "empty-file": (400, form_data(b""), FORM_DATA),
    "mixed": (415, form_data(PICTURE), "multipart/mixed; boundary=B"),
}
for name, (status, body, content_type) in FORMS.items():
    row(f"form-{name}", status, request, PREDICT, body, content_type)
row("form-explain", 200, request, EXPLAIN, form_data(PICTURE), FORM_DATA)
row("form-two-files-explain", 413, request, EXPLAIN, form_data(PICTURE, PICTURE), FORM_DATA)
for path in (V1, V2):
    row(f"form-{path}", 400, request, path, form_data(PICTURE), FORM_DATA)
