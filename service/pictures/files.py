"""Walk the parts of a picture's file: what decoding it costs, and what it needs.

Nothing is decoded here, and every loop ends at a fixed number of parts. Pillow gets only
the parts of which pixels are made: its Python code for the others costs far more than
their bytes, as for EXIF whose 5,000 entries each refer to the same 60 kB.
"""

import re
import zlib

from service.errors import RequestError
from service.pictures import strips
from service.pictures.kinds import (
    GIF,
    JPEG,
    PNG,
    WORK_A_PART,
    WORK_A_PICTURE,
    Picture,
    damaged,
    orientation_of,
    too_many,
)

SCAN = b"\xff\xda"  # start-of-scan marker of JPEG
MAX_SCANS = 100  # a typical progressive JPEG has 10; each covers the whole picture
MAX_SCANS_OF_LARGEST = 16  # at max_pixels, so that scan bombs cost no more than photos
# Of a PNG: 80 MB in the 8 KiB chunks that libpng writes; of a WebP: frames of animation.
MAX_CHUNKS = 10_000
MAX_SEGMENTS = 1_000  # of a JPEG: 64 kB each; long profiles and depth maps take 100

# In samples, as `kinds.WORK_A_PICTURE`.
WORK_A_TABLE = 16  # a byte of a JPEG's quantization tables, in Pillow's: 0.1 µs
WORK_A_BYTE = 4  # of a JPEG, Huffman decoding: 27 ns
# Of a JPEG, an inverse DCT takes half as long as a sample of a PNG, a scan an eighth.
DCT, PASS = 2, 8

MAX_BLOCKS = 1_000  # of a GIF, before its first picture; a usual one has two
LZW, VP8 = 2, 4  # samples of work for each pixel
# Bytes that libwebp and Pillow keep of a WebP's pixel: two canvases, and two copies.
CANVASES = 16

_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # of a PNG's colour types
# After what fills, a scan's data, or anything. Without a repetition, for it would be tried
# again at each of a million fill bytes.
_MARKER = re.compile(rb"\xff([^\0\xff\xd0-\xd7])")


def walk(content: bytes, what: str) -> Picture:
    """Walk a file that `kinds.check` has let pass.

    Raises:
        RequestError: 400 damaged, 413 too many parts, 415 a JPEG of a rare coding.
    """
    if content.startswith(PNG):
        return _walk_png(content, what)
    if content.startswith(JPEG):
        return _walk_jpeg(content, what)
    if content.startswith(GIF):
        return _walk_gif(content, what)
    return _walk_webp(content, what)


def _walk_png(content: bytes, what: str) -> Picture:
    view = memoryview(content)
    at, count, work, size, orientation = len(PNG), 0, WORK_A_PICTURE, (0, 0), 1
    kept: list[bytes | memoryview] = []
    begin = 0  # of what is kept and not yet in the list
    kind, memory = b"", 0
    while kind != b"IEND":
        count += 1
        if count > MAX_CHUNKS:
            raise too_many(what, f"PNG of more than {MAX_CHUNKS} chunks", MAX_CHUNKS)
        length = int.from_bytes(view[at : at + 4], "big")
        kind, start, end = bytes(view[at + 4 : at + 8]), at, at + 12 + length
        if end > len(content):
            raise damaged(what)
        if zlib.crc32(view[at + 4 : end - 4]) != int.from_bytes(view[end - 4 : end], "big"):
            raise damaged(what)
        at = end
        if kind == b"IHDR" and (length != 13 or count > 1):
            raise damaged(what)
        if kind == b"IHDR":
            size, samples, memory = _png_header(view[start + 8 : end - 4])
            work += samples
        elif kind == b"tRNS":
            work += 2 * size[0] * size[1]  # becomes RGBA
        elif kind[:1].islower():  # not critical: texts, profiles, frames of an animation
            if kind == b"eXIf":
                orientation = orientation_of(view[start + 8 : end - 4])
            kept.append(view[begin:start])
            begin = end
    kept.append(view[begin:at])
    work += count * WORK_A_PART
    return Picture(size, work, b"".join(kept), orientation, memory=memory)


def _png_header(header: memoryview) -> tuple[tuple[int, int], int, int]:
    """Return the size, the samples, at least one for each pixel, and the memory."""
    width, height = (int.from_bytes(header[at : at + 4], "big") for at in (0, 4))
    depth, colour = header[8], header[9]
    pixel = max(1, _CHANNELS.get(colour, 4) * depth // 8)
    # Pillow keeps one byte of a grey pixel or an index, two of one with 16 bits, four of
    # any other; what `strips` reads is never whole.
    kept = (depth + 7) // 8 if colour in (0, 3) else 4
    memory = 0 if strips.able(header) else kept * width * height
    # Each row of each pass of an interlaced file costs some, however short.
    return (width, height), width * height * pixel + 16 * height, memory


def _walk_jpeg(content: bytes, what: str) -> Picture:
    view = memoryview(content)
    at, size, work, orientation, scans = 2, (0, 0), WORK_A_PICTURE, 1, 0
    samples: dict[int, int] = {}  # of each component
    progressive = False
    kept: list[bytes | memoryview] = [view[:2]]
    for _ in range(MAX_SEGMENTS):
        found = _MARKER.search(content, at)
        if not found or found[1] == b"\xd9":  # the picture's end, whatever follows it
            break
        marker, start, at = found[1][0], found.end() - 2, found.end()
        if marker in (0x01, 0xD8):  # without a length
            continue
        end = at + int.from_bytes(view[at : at + 2], "big")
        if end < at + 2 or end > len(content):
            break  # Pillow says what is wrong, if it minds
        body = view[at + 2 : end]
        at = end
        if 0xE1 <= marker <= 0xED or marker in (0xEF, 0xFE):  # all but JFIF's and Adobe's
            if marker == 0xE1 and bytes(body[:6]) == b"Exif\0\0":
                orientation = orientation_of(body[6:])
            continue
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            if marker > 0xC2:
                raise _rare(what)
            progressive = marker == 0xC2
            size, samples = _jpeg_header(body)
            work += sum(samples.values()) // DCT
        elif marker == 0xDB:
            work += WORK_A_TABLE * len(body)
        elif marker == 0xDA:
            scans += 1
            work += _pass(body, samples) // PASS if progressive else 0
            following = _MARKER.search(content, end)
            at = following.start() if following else len(content)
        kept.append(view[start:at])
        work += WORK_A_PART
    else:
        raise too_many(what, f"JPEG of more than {MAX_SEGMENTS} segments", MAX_SEGMENTS)
    # What is no segment is left out: Pillow reads fill one byte at a time, 0.3 µs each.
    kept.append(view[found.start() : found.end()] if found else b"")
    pixels = b"".join(kept)
    work += WORK_A_BYTE * len(pixels)
    # A progressive one is a whole of coefficients, two bytes each, before it is a picture.
    memory = 2 * sum(samples.values()) if progressive else 0
    return Picture(size, work, pixels, orientation, scans, memory)


def _rare(what: str) -> RequestError:
    return RequestError(
        415,
        f"{what} is a JPEG of a coding that is neither baseline nor progressive, expected "
        "one of the two",
    )


def _jpeg_header(body: memoryview) -> tuple[tuple[int, int], dict[int, int]]:
    """Return the size, and the samples of each component, in whole blocks."""
    height, width = (int.from_bytes(body[at : at + 2], "big") for at in (1, 3))
    factors = {}
    for at in range(6, len(body) - 2, 3):
        factors[body[at]] = max(1, body[at + 1] >> 4), max(1, body[at + 1] & 15)
    across = max([f[0] for f in factors.values()], default=1)
    down = max([f[1] for f in factors.values()], default=1)
    columns, rows = -(-width // (8 * across)), -(-height // (8 * down))
    return (width, height), {
        name: 64 * columns * rows * f[0] * f[1] for name, f in factors.items()
    }


def _pass(body: memoryview, samples: dict[int, int]) -> int:
    """Return the samples of the components of a scan."""
    names = {body[at] for at in range(1, len(body) - 3, 2)}
    return sum([samples.get(name, 0) for name in names])


def _walk_gif(content: bytes, what: str) -> Picture:
    """Walk a GIF to the end of its first picture; texts and all that follows are left out.

    Raises:
        RequestError: 400 damaged, 413 too many parts.
    """
    try:
        width, height = _little(content, 6, 2), _little(content, 8, 2)
        at = 13 + _table(content[10])
        kept = [content[:at]]
        for _ in range(MAX_BLOCKS):
            start = at
            if content[at] == 0x2C:  # the picture
                left, top, across, down = (
                    _little(content, at + n, 2) for n in (1, 3, 5, 7)
                )
                at = _blocks(content, at + 11 + _table(content[at + 9]))
                kept += [content[start:at], b";"]
                size = max(width, left + across), max(height, top + down)
                pixels = size[0] * size[1]
                work = WORK_A_PICTURE + LZW * across * down + pixels
                return Picture(size, work, b"".join(kept), memory=pixels)
            if content[at] != 0x21:
                break
            at = _blocks(content, at + 2)
            if content[start + 1] == 0xF9:  # which colour is transparent
                kept.append(content[start:at])
        else:
            raise too_many(what, f"GIF of more than {MAX_BLOCKS} blocks", MAX_BLOCKS)
    except IndexError:
        pass
    raise damaged(what)


def _walk_webp(content: bytes, what: str) -> Picture:
    """Walk a WebP.

    Raises:
        RequestError: 400 damaged, 413 too many parts.
    """
    at, size, orientation = 12, (0, 0), 1
    for count in range(MAX_CHUNKS + 1):
        head, length = content[at : at + 4], _little(content, at + 4, 4)
        body = memoryview(content)[at + 8 : at + 8 + length]
        if len(body) < length or count == MAX_CHUNKS:
            break
        if head == b"EXIF":
            orientation = orientation_of(body[6 if bytes(body[:6]) == b"Exif\0\0" else 0 :])
        elif size == (0, 0):
            size = _webp_size(head, bytes(body[:10]))
        at += 8 + length + length % 2
        if at >= len(content):
            break
    if count == MAX_CHUNKS:
        raise too_many(what, f"WebP of more than {MAX_CHUNKS} chunks", MAX_CHUNKS)
    pixels = size[0] * size[1]
    work = WORK_A_PICTURE + count * WORK_A_PART + VP8 * (pixels + len(content))
    return Picture(size, work, content, orientation, memory=CANVASES * pixels)


def _webp_size(head: bytes, body: bytes) -> tuple[int, int]:
    """Return the size by a chunk that may be the first; zeros by any other."""
    if head == b"VP8X":
        return 1 + _little(body, 4, 3), 1 + _little(body, 7, 3)
    if head == b"VP8 ":
        return _little(body, 6, 2) & 0x3FFF, _little(body, 8, 2) & 0x3FFF
    if head == b"VP8L":
        sides = _little(body, 1, 4)
        return 1 + (sides & 0x3FFF), 1 + (sides >> 14 & 0x3FFF)
    return 0, 0


def _little(content: bytes, at: int, size: int) -> int:
    return int.from_bytes(content[at : at + size], "little")


def _table(flags: int) -> int:
    """Return the bytes of a GIF's table of colours."""
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _blocks(content: bytes, at: int) -> int:
    """Return the place behind a GIF's blocks of data, the last of which is empty."""
    while content[at]:
        at += 1 + content[at]
    return at + 1
