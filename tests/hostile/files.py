"""Pictures: bombs, other formats, damaged ones, and legal ones that few programs write."""

import io
import struct
import zipfile
import zlib
from functools import cache, partial

from PIL import Image

from service.pictures.decode import JPEG, PNG, SCAN
from tests.hostile.dialects import PICTURES, PREDICT, Row, request
from tests.support.picture_bombs import scan_bomb
from tests.support.picture_files import (
    GOOD,
    GOOD_JPEG,
    HOSTILE,
    LEGAL,
    ROW,
    TEN,
    black_on_white,
    chunk,
    header,
    png_of,
    saved,
)

THREE = TEN[3]
# Over the limit of pixels here, and slow to write.
LARGE = {"large", "jpeg-large", "scan-bomb", "13000x13000"}
LARGE |= {name for name in HOSTILE if name.startswith("blank-largest")}
HTML = b"<html><script>alert(1)</script></html>"


def after_header(*chunks: bytes) -> bytes:
    """A good PNG with chunks put in after its header."""
    end = len(PNG) + 25
    return GOOD[:end] + b"".join(chunks) + GOOD[end:]


def zipped() -> bytes:
    file = io.BytesIO(GOOD)
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("x.html", HTML)
    return file.getvalue()


def scans(count: int) -> bytes:
    content = saved(Image.new("L", (2000, 2000)), "JPEG", progressive=True)
    start = content.rindex(SCAN)
    return content[:start] + content[start:-2] * count + content[-2:]


def commented(count: int) -> bytes:
    return GOOD_JPEG[:2] + b"\xff\xfe\0\2" * count + GOOD_JPEG[2:]


COMPRESSED = zlib.compress(bytes(1 << 20))
MORE = {
    "13000x13000": (413, lambda: png_of(header(13_000, 13_000), chunk(b"IDAT", ROW))),
    "1x100000": (422, lambda: saved(Image.new("L", (1, 100_000)))),
    "100000x1": (422, lambda: saved(Image.new("L", (100_000, 1), 255))),
    "1x1": (422, lambda: saved(Image.new("L", (1, 1)))),
    "largest": (422, lambda: saved(Image.new("1", (8192, 6400)))),
    "too-large": (413, lambda: saved(Image.new("1", (8192, 6401)))),
    "scans": (413, lambda: scans(200)),
    "itxt-bomb": (200, lambda: after_header(chunk(b"iTXt", b"a\0\1\0\0\0" + COMPRESSED))),
    "ztxt-bomb": (200, lambda: after_header(chunk(b"zTXt", b"a\0\0" + COMPRESSED))),
    "60-texts": (200, lambda: after_header(*[chunk(b"tEXt", b"a\0b")] * 60)),
    "exif-bomb": (200, lambda: after_header(chunk(b"eXIf", b"MM\0*" + b"\xff" * 100_000))),
    "exif-of-itself": (200, lambda: after_header(chunk(b"eXIf", loop()))),
    "unknown-chunks": (413, lambda: after_header(*[chunk(b"abCd", b"")] * 10_001)),
    "unknown-critical-chunk": (200, lambda: after_header(chunk(b"ABCD", b""))),
    "long-chunk": (400, lambda: after_header(struct.pack(">I", 2**31) + b"tEXt")),
    "palette-too-short": (400, lambda: png_of(header(9, 9, colour=3), chunk(b"IDAT", ROW))),
    "png-as-jpeg-name": (200, lambda: GOOD),
    "cut": (400, lambda: GOOD[: len(GOOD) // 2]),
    "jpeg-cut": (400, lambda: GOOD_JPEG[: len(GOOD_JPEG) // 2]),
    "eps": (415, lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"),
    "bmp": (415, lambda: saved(Image.new("L", (9, 9)), "BMP")),
    "ico": (415, lambda: saved(Image.new("L", (16, 16)), "ICO")),
    "zip": (415, lambda: b"PK\3\4" + bytes(100)),
    "html": (415, lambda: HTML),
    "gif-and-png": (400, lambda: b"GIF89a" + GOOD),
    "png-and-html": (200, lambda: GOOD + HTML),
    "png-and-zip": (200, zipped),
    "html-in-png": (200, lambda: after_header(chunk(b"tEXt", b"a\0" + HTML))),
    "jpeg-and-scans": (200, lambda: GOOD_JPEG + SCAN * 200_000),
    "16-empty-scans": (422, scan_bomb),
    "17-empty-scans": (413, lambda: scan_bomb(17, 1, side=7200)),
    "jpeg-of-fill": (400, lambda: JPEG + b"\xff" * 3_000_000),
    "jpeg-and-fill": (200, lambda: GOOD_JPEG + b"\xff" * 400_000),
    "jpeg-of-1001-comments": (413, lambda: commented(1001)),
    "jpeg-of-900-comments": (200, lambda: commented(900)),
    "jpeg-arithmetic": (415, lambda: GOOD_JPEG.replace(b"\xff\xc0", b"\xff\xc9")),
    "jpeg-and-html": (200, lambda: GOOD_JPEG + HTML),
    "html-in-jpeg": (
        200,
        lambda: saved(Image.open(io.BytesIO(GOOD)), "JPEG", comment=HTML),
    ),
}


def loop() -> bytes:
    """EXIF whose directory of the camera is the directory itself."""
    entry = struct.pack(">HHII", 0x8769, 4, 1, 8)
    return b"MM\0*" + struct.pack(">IH", 8, 1) + entry + struct.pack(">I", 8)


@cache
def illegal(name: str) -> bytes:
    return {**HOSTILE, **MORE}[name][1]()


@cache
def legal(name: str) -> bytes:
    return LEGAL[name](black_on_white(THREE))


ROWS = {
    f"picture-{name}-{way}": Row(
        status, lambda name=name, write=write: write(illegal(name))
    )
    for name, (status, _) in {**HOSTILE, **MORE}.items()
    for way, write in PICTURES.items()
    if name not in LARGE or name in MORE
}
ROWS |= {
    f"legal-{name}-{way}": Row(200, lambda name=name, write=write: write(legal(name)))
    for name in LEGAL
    for way, write in PICTURES.items()
    if name not in LARGE and (way == "body" or name == "palette")
}
BASE64 = {
    "no-base64": b'{"instances": [{"b64": "?"}]}',
    "no-padding": b'{"instances": [{"b64": "aaaaa"}]}',
    "not-ascii": '{"instances": [{"b64": "é"}]}'.encode(),
    "empty-data-url": b'{"instances": [{"b64": "data:"}]}',
    "number": b'{"instances": [{"b64": 5}]}',
    "only-line-breaks": b'{"instances": [{"b64": "\\n\\n"}]}',
    "url": b'{"instances": [{"b64": "http://127.0.0.1/x.png"}]}',
    "file-url": b'{"instances": [{"b64": "file:///etc/passwd"}]}',
}
for name, body in BASE64.items():
    status = 400 if name in ("empty-data-url", "only-line-breaks") else 422
    ROWS[f"b64-{name}"] = Row(status, partial(request, PREDICT, body))
