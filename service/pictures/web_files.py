"""Walk the parts of a GIF or a WebP: the first picture of those that may be in it."""

from service.pictures.kinds import (
    WORK_A_PART,
    WORK_A_PICTURE,
    Picture,
    damaged,
    orientation_of,
    too_many,
)

MAX_BLOCKS = 1_000  # of a GIF, before its first picture; a usual one has two
MAX_CHUNKS = 10_000  # of a WebP; an animation has one for each picture
LZW, VP8 = 2, 4  # samples of work for each pixel
# Bytes that libwebp and Pillow keep of a WebP's pixel: two canvases, and two copies.
CANVASES = 16


def walk_gif(content: bytes, what: str) -> Picture:
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


def walk_webp(content: bytes, what: str) -> Picture:
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
