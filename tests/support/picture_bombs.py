"""Pictures that are small as sent and costly to decode, as far as the headers go."""

import struct
import zlib

from tests.support.picture_files import chunk, header, png_of

COLOURS = {1: 0, 2: 4, 3: 2, 4: 6}  # of a PNG, by the number of channels


def scan_bomb(scans=16, components=4, side=2048, end=b"\xff\xd9"):
    """A progressive JPEG whose scans have no data."""
    names = range(1, components + 1)
    parts = [b"\xff\xd8\xff\xdb", struct.pack(">HB", 67, 0), bytes([1] * 64)]
    head = struct.pack(">HBHHB", 8 + 3 * components, 8, side, side, components)
    parts += [b"\xff\xc2", head, *(bytes([name, 0x11, 0]) for name in names)]
    for kind in (0x00, 0x10):  # tables of two codes
        parts += [b"\xff\xc4\0\x15", bytes([kind, 1, 1, *[0] * 14, 0, 1])]
    first = b"".join(bytes([name, 0]) for name in names)
    parts += [
        b"\xff\xda",
        struct.pack(">HB", 6 + 2 * components, components),
        first,
        bytes(3),
    ]
    for scan in range(1, scans):
        parts.append(b"\xff\xda\0\x08\1" + bytes([1 + scan % components, 0, 1, 63, 0]))
    return b"".join(parts) + end


def filtered(rows, width, height, channels=1, depth=8, interlaced=0, *chunks):
    """A PNG of rows with their filters, as many as the height needs."""
    length = 1 + width * channels * depth // 8
    content = (rows * (1 + height * length // len(rows)))[: (height + 8) * length]
    return png_of(
        header(width, height, depth, COLOURS[channels], interlaced),
        *chunks,
        chunk(b"IDAT", zlib.compress(content, 9)),
    )
