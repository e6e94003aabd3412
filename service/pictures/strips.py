"""Decode a large PNG a strip at a time, so that it is never whole in memory.

Rows of a PNG are filtered, each by the one above. A strip is its filtered rows below the
last row of the strip before, which together are a small PNG that Pillow decodes.
"""

import struct
import zlib
from collections.abc import Callable, Iterator
from io import BytesIO

from PIL import Image

from service.pictures.kinds import PNG

LARGE = 4 * 1024 * 1024  # pixels; a smaller picture is decoded at once, in 16 MB at most
STRIP = 1024 * 1024  # bytes of its rows
PIECE = 64 * 1024  # bytes, compressed, that are inflated at once
_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # of a pixel, by colour type


def able(header: bytes | memoryview) -> bool:
    """Whether a PNG with this header is large, and can be decoded so.

    Not one of 16 bits, of which Pillow drops eight, of less than eight, or interlaced.
    """
    width, height = (int.from_bytes(header[at : at + 4], "big") for at in (0, 4))
    plain = header[8] == 8 and header[9] in _SAMPLES and not any(header[10:13])
    return plain and width * height > LARGE


def header_of(content: bytes) -> bytes:
    """Return the 13 bytes of a PNG's header."""
    return content[16:29]


def decode(
    content: bytes, factor: int, averageable: Callable[[Image.Image], Image.Image]
) -> Image.Image:
    """Decode a PNG, and average its pixels.

    Args:
        content: the file, whose header is first, and of which `able` is true.
        factor: how many pixels become one along each side.
        averageable: converts a picture to a mode whose pixels can be averaged.

    Raises:
        ValueError: there are fewer rows than announced.
    """
    header = header_of(content)
    width, height = struct.unpack(">II", header[:8])
    row = 1 + width * _SAMPLES[header[9]]
    rows = factor * max(1, STRIP // (row * factor))
    colours, data = _chunks(content)
    above, top, found = bytes(row), 0, None
    for lines in _inflated(data, rows * row):
        count = min(len(lines) // row, height - top)
        size = struct.pack(">II", width, count + 1) + header[8:]
        body = zlib.compress(above + lines[: count * row], 0)
        strip = PNG + _chunk(b"IHDR", size) + colours + _chunk(b"IDAT", body)
        with Image.open(BytesIO(strip + _chunk(b"IEND", b"")), formats=("PNG",)) as picture:
            picture.load()
            above = b"\0" + picture.crop((0, count, width, count + 1)).tobytes()
            part = averageable(picture.crop((0, 1, width, count + 1))).reduce(factor)
        if found is None:
            found = Image.new(part.mode, (part.width, -(-height // factor)))
        found.paste(part, (0, top // factor))
        top += count
        if top == height:
            return found
    raise ValueError(f"{top} rows, expected {height}")


def _chunks(content: bytes) -> tuple[bytes, list[memoryview]]:
    """Return the chunks for the colours, and the data of the pixels."""
    view, at = memoryview(content), len(PNG)
    colours, data = b"", []
    while at < len(content):
        end = at + 12 + int.from_bytes(view[at : at + 4], "big")
        kind = bytes(view[at + 4 : at + 8])
        if kind in (b"PLTE", b"tRNS"):
            colours += view[at:end]
        elif kind == b"IDAT":
            data.append(view[at + 8 : end - 4])
        at = end
    return colours, data


def _inflated(data: list[memoryview], size: int) -> Iterator[bytes]:
    """Yield what is inflated, so many bytes at a time, and the rest."""
    inflater, block = zlib.decompressobj(), bytearray()
    pieces = (part[at : at + PIECE] for part in data for at in range(0, len(part), PIECE))
    for piece in pieces:
        pending: bytes | memoryview = piece
        while True:
            more = inflater.decompress(pending, size - len(block))
            block += more
            pending = inflater.unconsumed_tail
            if len(block) == size:
                yield bytes(block)
                block.clear()
            elif not pending:
                break
    yield bytes(block)


def _chunk(kind: bytes, body: bytes) -> bytes:
    checksum = zlib.crc32(body, zlib.crc32(kind))
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", checksum)
