"""Every family of costly requests; the known ones stopped a worker once."""

import base64
import json
import struct
import zlib
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from bench.fuzz.bodies import (
    INFLATED,
    SENT,
    Random,
    Request,
    compressed,
    forms,
    heads,
    integers,
    json_depth,
    json_items,
    json_keys,
    tensors,
    to_form,
    to_predict,
    to_v1,
)
from tests.support.picture_bombs import COLOURS, filtered, scan_bomb
from tests.support.picture_files import GOOD, GOOD_JPEG, chunk, header, png, png_of

# However small, a picture on uneven paper takes 3 ms: as a larger one of so many bytes.
LEAST_PICTURE = 2000


def _pictures(random: Random, files: Sequence[bytes], announced: float) -> Request:
    """Send pictures as one body, as a form or in base64, compressed, as many as fit."""
    whole = {"instances": [{"b64": base64.b64encode(file).decode()} for file in files]}
    if random.random() < 0.5:
        request = compressed(to_predict, json.dumps(whole).encode())
    else:
        head = b'--B\r\nContent-Disposition: form-data; name="image"; filename="x"\r\n\r\n'
        parts = b"".join(head + file + b"\r\n" for file in files)
        request = compressed(to_form, parts + b"--B--\r\n")
    content = len(files) * max(announced, LEAST_PICTURE)
    return request._replace(kb=request.kb + content / 1e3)


def _times(random: Random, file: bytes, announced: float) -> Request:
    most = min(1024, INFLATED * 3 // 4 // (len(file) + 100))
    number = max(1, min(most, int(10 ** random.uniform(0, 3.1))))
    return _pictures(random, [file] * number, announced)


def jpegs(random: Random) -> Request:
    """JPEGs of a few hundred bytes that announce much, and real ones of many segments."""
    side = int(2 ** random.uniform(3, 11))
    components = (1, 3, 4)[random.integers(3)]
    if random.random() < 0.5:
        file = scan_bomb(int(random.integers(1, 18)), components, side)
        return _times(random, file, side * side * components)
    segments = [b"\xff\xfe\0\2", b"\xff", b"\xff\xdb\0\x43\0" + bytes([1] * 64), b"\xff\1"]
    segments += [b"\xff\xe1\0\x08Exif\0\0", b"\xff\xed\0\x10Photoshop 3.0\0", b"\0"]
    segment = segments[random.integers(len(segments))]
    filling = (segment * int(10 ** random.uniform(0, 6)))[: INFLATED // 2]
    place = (2, len(GOOD_JPEG) // 2, len(GOOD_JPEG) - 2)[random.integers(3)]
    file = GOOD_JPEG[:place] + filling + GOOD_JPEG[place : place + random.integers(9999)]
    return _times(random, file, 280 * 280)


def png_rows(random: Random) -> Request:
    """PNGs with any filter, depth, channels and passes, of rows that repeat."""
    channels, depth = list(COLOURS)[random.integers(4)], (8, 16)[random.integers(2)]
    width, height = (int(2 ** random.uniform(3, 11)) for _ in range(2))
    length = width * channels * depth // 8
    row = bytes([random.integers(5)]) + bytes(
        random.integers(0, (1, 256)[random.integers(2)], length, np.uint8)
    )
    clear = chunk(b"tRNS", bytes(6 if channels == 3 else 2))
    chunks = [clear] if channels in (1, 3) and random.random() < 0.3 else []
    interlaced = int(random.integers(2))
    file = filtered(row, width, height, channels, depth, interlaced, *chunks)
    if len(file) > SENT // 2:
        file = filtered(row[:1] + bytes(length), width, height, channels, depth)
    return _times(random, file, width * height * channels * depth / 8)


def png_palettes(random: Random) -> Request:
    """PNGs of one bit or byte a pixel, in a palette, with clear colours."""
    width, height = (int(2 ** random.uniform(3, 11)) for _ in range(2))
    depth = (1, 8)[random.integers(2)]
    rows = (bytes([random.integers(5)]) + bytes(-(-width * depth // 8))) * height
    chunks = [chunk(b"PLTE", bytes(range(6)))]
    if random.random() < 0.7:
        chunks.append(chunk(b"tRNS", b"\0"))
    file = png_of(
        header(width, height, depth, 3), *chunks, chunk(b"IDAT", zlib.compress(rows, 9))
    )
    return _times(random, file, width * height)


def png_chunks(random: Random) -> Request:
    """PNGs of many chunks, some of them compressed text and EXIF."""
    kinds = [
        chunk(b"tEXt", b"a\0b"),
        chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(60_000))),
    ]
    kinds += [chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(60_000))), chunk(b"abCd", b"")]
    kinds += [chunk(b"iTXt", b"a\0\1\0\0\0" + zlib.compress(bytes(60_000)))]
    entries = b"".join(struct.pack(">HHII", n, 7, 60_000, 10) for n in range(5000))
    kinds += [chunk(b"eXIf", b"MM\0*" + struct.pack(">IH", 8, 5000) + entries)]
    kind = kinds[random.integers(len(kinds))]
    times = max(1, min(int(10 ** random.uniform(0, 4)), SENT // 2 // len(kind)))
    return _times(random, GOOD[:33] + kind * times + GOOD[33:], 280 * 280)


def uneven_paper(random: Random) -> Request:
    """PNGs whose border has no one grey level."""
    side = int(2 ** random.uniform(2, 9.2))
    period = int(random.integers(2, 64))
    pattern: npt.NDArray[np.uint8] = random.integers(0, 256, (period, period), np.uint8)
    grey = np.tile(pattern, (-(-side // period),) * 2)[:side, :side]
    return _times(random, png(grey), side * side)


def known(
    whole: bytes, decode: Callable[[bytes], object] = to_predict
) -> Callable[[Random], Request]:
    """Return the family of one request that once stopped a worker."""
    return lambda random: compressed(decode, whole)


BOMBS = [{"b64": base64.b64encode(scan_bomb()).decode()}] * 1024
KEYS = b",".join([b'"%d":0' % number for number in (*range(9000), 8999)])
FAMILIES: dict[str, Callable[[Random], Request]] = {
    "known: 381,296 pictures": known(
        b'{"instances":[%b]}' % b",".join([b'{"b64":""}'] * 381_296)
    ),
    "known: a key twice": known(b'{"x":{%b},"\\u0061":1}' % KEYS, to_v1),
    "known: a head of 4 MB": known(
        b'--B\r\nContent-Disposition: form-data; name="image"; %b' % (b"a; " * 1_350_000),
        to_form,
    ),
    "known: JPEGs of 16 scans": known(json.dumps({"instances": BOMBS}).encode()),
    "JSON: items": json_items,
    "JSON: keys": json_keys,
    "JSON: depth": json_depth,
    "JSON: integers": integers,
    "V2: binary tensors": tensors,
    "forms": forms,
    "heads": heads,
    "JPEG": jpegs,
    "PNG: rows": png_rows,
    "PNG: palettes": png_palettes,
    "PNG: chunks": png_chunks,
    "pictures: uneven paper": uneven_paper,
}
