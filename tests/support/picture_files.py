"""Picture files: the legal ones that the service reads, and those that it must refuse."""

import base64
import json
import struct
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from service.model import digits
from service.pictures.decode import JPEG, PNG, SCAN
from service.pictures.frame import draw

CANVAS = 280
STROKES = json.loads(Path(digits.__file__).with_suffix(".json").read_bytes())["digits"]
TEN = [int(np.nonzero(digits.load().labels == label)[0][0]) for label in range(10)]


def saved(picture, kind="PNG", **options):
    file = BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def png(grey, **options):
    return saved(Image.fromarray(np.asarray(grey, np.uint8)), **options)


def chunk(kind, content, crc=None):
    crc = zlib.crc32(kind + content) if crc is None else crc
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", crc)


def png_of(*chunks):
    return PNG + b"".join(chunks) + chunk(b"IEND", b"")


def header(width, height, depth=8, colour=0, interlaced=0, crc=None):
    fields = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced)
    return chunk(b"IHDR", fields, crc)


def canvas(number, side=200, row=1, column=1, size=CANVAS):
    """A digit's ink, 0 to 1, in one of 3 × 3 places of a canvas."""
    ink = np.zeros((size, size), np.float32)
    drawn = draw(STROKES[number]["strokes"], side=side)
    top, left = row * (size - side) // 2, column * (size - side) // 2
    ink[top : top + side, left : left + side] = drawn
    return ink


def black_on_white(number, **place):
    return np.rint(255 * (1 - canvas(number, **place))).astype(np.uint8)


def interlaced(grey):
    """An Adam7 PNG, which Pillow reads and cannot write."""
    passes = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2)]
    passes += [(0, 1, 2, 2), (1, 0, 2, 1)]  # first row and column, then steps
    rows = b"".join(
        b"\0" + row.tobytes()
        for top, left, down, across in passes
        for row in grey[top::down, left::across]
    )
    height, width = grey.shape
    return png_of(header(width, height, interlaced=1), chunk(b"IDAT", zlib.compress(rows)))


def palette(grey, **options):
    """Greys in a palette in which the number says nothing about the grey."""
    picture = Image.fromarray((grey.astype(int) * 77 % 256).astype(np.uint8))
    picture = picture.convert("P")
    colours = np.zeros((256, 3), np.uint8)
    colours[np.arange(256) * 77 % 256] = np.arange(256)[:, None]
    picture.putpalette(colours.tobytes())
    return saved(picture, **options)


def clear_palette(grey):
    """Black ink in a palette whose paper is transparent, of a colour as black."""
    picture = Image.fromarray((grey < 128).astype(np.uint8)).convert("P")
    picture.putpalette(bytes(6))
    return saved(picture, transparency=0)


def clear_16_bit(grey):
    rows = np.where(grey < 128, 5 << 8, 6 << 8).astype(">u2")
    lines = b"".join(b"\0" + row.tobytes() for row in rows)
    return png_of(
        header(*grey.shape[::-1], depth=16),
        chunk(b"tRNS", struct.pack(">H", 6 << 8)),
        chunk(b"IDAT", zlib.compress(lines)),
    )


def rotated(grey):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned right by a quarter
    return saved(Image.fromarray(np.rot90(grey)), "JPEG", exif=exif)


def animated(grey):
    others = [Image.new("L", grey.shape[::-1], level) for level in (0, 255)]
    first = Image.fromarray(grey)
    return saved(first, save_all=True, append_images=others)


def animated_gif(grey):
    """With a text, which is left out, and two more frames."""
    others = [Image.new("L", grey.shape[::-1], level) for level in (0, 255)]
    first = Image.fromarray(grey)
    return saved(first, "GIF", save_all=True, append_images=others, comment=b"x" * 999)


def red_on_green(grey):
    """Of one luminance to within a grey level."""
    red, green = np.array([255, 0, 0]), np.array([0, 130, 0])
    return np.where(grey[..., None] < 128, red, green)


def uneven(grey):
    y, x = np.mgrid[-1:1:280j, -1:1:280j]
    noise = np.random.default_rng(3).normal(0, 8, grey.shape)
    paper = 150 + 50 * x - 20 * y
    return (paper - 100 * (1 - grey / 255) + noise).clip(0, 255).astype(np.uint8)


def card(grey):
    """Black on a white card with clear corners."""
    y, x = np.mgrid[-1:1:280j, -1:1:280j]
    return np.dstack([grey, np.where(x**4 + y**4 < 1.2, 255, 0)]).astype(np.uint8)


LEGAL = {
    "rgb": lambda grey: saved(Image.fromarray(grey).convert("RGB")),
    "blue": lambda grey: png(np.dstack([grey, grey, np.full_like(grey, 255)])),
    "16-bit": lambda grey: saved(Image.fromarray(grey.astype(np.uint16) * 257)),
    "16-bit-clear": clear_16_bit,
    "1-bit": lambda grey: saved(Image.fromarray(grey).convert("1", dither=0)),
    "palette": palette,
    "palette-clear": clear_palette,
    "la": lambda grey: saved(Image.fromarray(np.dstack([0 * grey, 255 - grey]))),
    "card": lambda grey: saved(Image.fromarray(card(grey))),
    "all-opaque": lambda grey: saved(Image.fromarray(grey).convert("RGBA")),
    "interlaced": interlaced,
    "animated": animated,
    "mid-grey": lambda grey: png(grey // 2 + 128),
    "large": lambda grey: png(np.kron(grey, np.ones((8, 8), np.uint8))),
    "jpeg": lambda grey: saved(Image.fromarray(grey), "JPEG"),
    "jpeg-20": lambda grey: saved(Image.fromarray(grey), "JPEG", quality=20),
    "jpeg-large": lambda grey: saved(
        Image.fromarray(np.kron(grey, np.ones((8, 8), np.uint8))), "JPEG"
    ),
    "jpeg-progressive": lambda grey: saved(
        Image.fromarray(grey).convert("RGB"), "JPEG", progressive=True
    ),
    "jpeg-cmyk": lambda grey: saved(Image.fromarray(grey).convert("CMYK"), "JPEG"),
    "jpeg-rotated": rotated,
    "webp": lambda grey: saved(Image.fromarray(grey), "WEBP"),
    "gif": lambda grey: saved(Image.fromarray(grey), "GIF"),
    "gif-animated": animated_gif,
    "12-of-16-bit": lambda grey: saved(Image.fromarray(grey.astype(np.uint16) * 16)),
    "one-luminance": lambda grey: png(red_on_green(grey)),
    "uneven": lambda grey: png(uneven(grey)),
    "uneven-jpeg": lambda grey: saved(Image.fromarray(uneven(grey)), "JPEG"),
}


GOOD = png(black_on_white(TEN[3]))
GOOD_JPEG = saved(Image.fromarray(black_on_white(TEN[3])), "JPEG")
ROW = zlib.compress(bytes(2))


def other_kind(kind):
    return saved(Image.fromarray(black_on_white(TEN[3])), kind)


def wrong_crc(kind):
    at = GOOD.index(kind)
    length = struct.unpack(">I", GOOD[at - 4 : at])[0]
    end = at + 4 + length
    return GOOD[:end] + bytes([GOOD[end] ^ 1]) + GOOD[end + 1 :]


def with_checksums(content):
    """Put a PNG's checksums right, so that its other checks have their turn."""
    parts, at = [content[:8]], 8
    while at + 12 <= len(content):
        end = at + 8 + int.from_bytes(content[at : at + 4], "big")
        checksum = zlib.crc32(content[at + 4 : end]).to_bytes(4, "big")
        parts += [content[at:end], checksum if end + 4 <= len(content) else b""]
        at = end + 4
    return b"".join(parts) + content[at:]


def text_bomb():
    text = chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(1 << 20)))
    return png_of(header(1, 1), *[text] * 60, chunk(b"IDAT", ROW))


def text_of_many_parts():
    """Each below the limit of one chunk, together above that of all."""
    text = chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(60_000)))
    return png_of(header(1, 1), *[text] * 60, chunk(b"IDAT", ROW))


def profile_bomb():
    profile = chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(1 << 24)))
    return png_of(header(1, 1), profile, chunk(b"IDAT", ROW))


def scan_bomb():
    grey = np.zeros((4000, 4000), np.uint8)
    content = saved(Image.fromarray(grey), "JPEG", progressive=True)
    start = content.rindex(SCAN)
    return content[:start] + content[start:-2] * 500 + content[-2:]


def many_frames():
    control = struct.pack(">IIIIHHBB", 1, 1, 0, 0, 1, 1, 0, 0)
    frames = [chunk(b"acTL", struct.pack(">II", 10_000, 0))]
    for number in range(10_000):
        frames.append(chunk(b"fcTL", struct.pack(">I", 2 * number) + control))
        part = struct.pack(">I", 2 * number + 1) + ROW
        frames.append(chunk(b"fdAT", part) if number else chunk(b"IDAT", ROW))
    return png_of(header(1, 1), *frames)


def jpeg_with_size(width, height):
    at = GOOD_JPEG.index(b"\xff\xc0") + 5
    return GOOD_JPEG[:at] + struct.pack(">HH", height, width) + GOOD_JPEG[at + 4 :]


def gif_of(width, height):
    picture = struct.pack("<cHHHHB", b",", 0, 0, 1, 1, 0) + b"\2\2\x44\1\0;"
    return b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + bytes(6) + picture


def webp_of(width, height):
    sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    chunks = b"VP8X" + struct.pack("<I", 10) + bytes(4) + sides
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WEBP" + chunks


HOSTILE = {
    "65535x65535": (413, lambda: png_of(header(65535, 65535), chunk(b"IDAT", ROW))),
    "2e9x2e9": (413, lambda: png_of(header(2**31 - 1, 2**31 - 1), chunk(b"IDAT", ROW))),
    "13000x13000": (413, lambda: saved(Image.new("L", (13_000, 13_000)))),
    "jpeg-65500x65500": (413, lambda: jpeg_with_size(65500, 65500)),
    "scan-bomb": (413, scan_bomb),
    "zero-wide": (400, lambda: png_of(header(0, 5), chunk(b"IDAT", ROW))),
    "zero-high": (400, lambda: png_of(header(5, 0), chunk(b"IDAT", ROW))),
    "jpeg-zero": (400, lambda: jpeg_with_size(0, 0)),
    "empty": (400, lambda: b""),
    "png-signature": (400, lambda: PNG),
    "jpeg-signature": (400, lambda: JPEG),
    "no-pixels": (400, lambda: png_of(header(5, 5))),
    "few-pixels": (400, lambda: png_of(header(500, 500), chunk(b"IDAT", ROW))),
    "wrong-crc-ihdr": (400, lambda: wrong_crc(b"IHDR")),
    "wrong-crc-idat": (400, lambda: wrong_crc(b"IDAT")),
    "text-bomb": (422, text_bomb),
    "text-of-many-parts": (422, text_of_many_parts),
    "profile-bomb": (422, profile_bomb),
    "gif-signature": (400, lambda: b"GIF89a"),
    "gif-cut": (400, lambda: other_kind("GIF")[:500]),
    "gif-65535x65535": (413, lambda: gif_of(65535, 65535)),
    "webp-cut": (400, lambda: other_kind("WEBP")[:200]),
    "webp-16384x16384": (413, lambda: webp_of(16384, 16384)),
    "bmp": (415, lambda: other_kind("BMP")),
    "heic": (415, lambda: b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"),
    "avif": (415, lambda: b"\0\0\0\x20ftypavif\0\0\0\0avifmif1"),
    "base64": (415, lambda: base64.b64encode(GOOD)),
    "data-url": (415, lambda: b"data:image/png;base64," + base64.b64encode(GOOD)),
    "tiff": (415, lambda: other_kind("TIFF")),
    "webp-empty": (400, lambda: b"RIFF\x24\0\0\0WEBPVP8 " + bytes(24)),
    "svg": (415, lambda: b'<svg xmlns="http://www.w3.org/2000/svg"/>'),
    "pdf": (415, lambda: b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\n"),
    "random": (415, lambda: np.random.default_rng(1).bytes(10_000)),
    "10000-frames": (413, many_frames),
    "blank": (422, lambda: png(np.full((300, 300), 255))),
    "blank-largest": (422, lambda: png(np.zeros((4096, 4096)))),
    "blank-largest-rgba": (422, lambda: saved(Image.new("RGBA", (4096, 4096), "red"))),
    "blank-largest-jpeg": (422, lambda: saved(Image.new("RGB", (4096, 4096)), "JPEG")),
    "transparent": (422, lambda: png(np.zeros((300, 300, 4)))),
    "faint": (422, lambda: png(240 + black_on_white(3) // 17)),
    "dot": (422, lambda: png(np.pad([[255]], 100))),
    "noise": (422, lambda: png(np.random.default_rng(1).integers(0, 256, (999, 999)))),
}
