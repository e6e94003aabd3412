"""Pictures that no camera took: drawings, screenshots, scans, odd files."""

from typing import Any

import numpy as np
from PIL import Image, ImageFilter

from bench.pictures.conditions import condition
from bench.pictures.hand import Hand, Ink
from bench.pictures.scene import (
    Random,
    coloured,
    fibres,
    grid,
    jpeg,
    put,
    rules,
    saved,
)

SHAPE = (300, 300)


def sheet(hand: Hand, rng: Random, shape: tuple[int, int] = SHAPE) -> Ink:
    """Put the digit somewhere about the middle, 45 to 75 % as high as the sheet."""
    side = round(min(shape) * rng.uniform(0.45, 0.75))
    centre = rng.uniform(0.45, 0.55), rng.uniform(0.45, 0.55)
    return put(hand.ink(side, rng.uniform(0.06, 0.14)), shape, centre)


def dark(mask: Ink, paper: float = 255, pen: float = 0) -> Any:
    """Paint in greys; uint8 ``[height, width]``."""
    return np.rint(paper + (pen - paper) * mask).astype(np.uint8)


@condition("drawing, dark on white")
def _plain(hand: Hand, rng: Random) -> bytes:
    return saved(dark(sheet(hand, rng)))


@condition("drawing, light on dark")
def _light_on_dark(hand: Hand, rng: Random) -> bytes:
    return saved(dark(sheet(hand, rng), 20, 240))


@condition("drawing, transparent")
def _transparent(hand: Hand, rng: Random) -> bytes:
    level = np.rint(255 * sheet(hand, rng)).astype(np.uint8)
    pen = np.full_like(level, rng.choice([0, 255, 90]))
    return saved(np.dstack([pen, pen, pen, level]))


@condition("file, 1 bit")
def _one_bit(hand: Hand, rng: Random) -> bytes:
    return saved(
        Image.fromarray(dark(sheet(hand, rng))).convert("1", dither=Image.Dither.NONE)
    )


@condition("file, 1 bit, dithered", least=0.9)
def _dithered(hand: Hand, rng: Random) -> bytes:
    grey = dark(sheet(hand, rng), rng.uniform(225, 250), rng.uniform(10, 60))
    return saved(Image.fromarray(grey).convert("1"))


@condition("file, 16 bits")
def _bits_16(hand: Hand, rng: Random) -> bytes:
    return saved((65535 * (1 - 0.9 * sheet(hand, rng))).astype(np.uint16))


@condition("file, 12 of 16 bits")
def _bits_12_in_16(hand: Hand, rng: Random) -> bytes:
    grey = 3600 - 2800 * sheet(hand, rng) + rng.normal(0, 30, SHAPE)
    return saved(grey.clip(0, 4095).astype(np.uint16))


@condition("file, palette")
def _few_colours(hand: Hand, rng: Random) -> bytes:
    picture = Image.fromarray(coloured(sheet(hand, rng), (20, 40, 160), (250, 248, 230)))
    return saved(picture.quantize(16))


@condition("file, CMYK")
def _cmyk(hand: Hand, rng: Random) -> bytes:
    return jpeg(Image.fromarray(dark(sheet(hand, rng))).convert("CMYK"))


@condition("file, turned by EXIF")
def _turned_by_exif(hand: Hand, rng: Random) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return jpeg(np.rot90(dark(sheet(hand, rng))), exif=exif)


@condition("file, poor JPEG")
def _poor_jpeg(hand: Hand, rng: Random) -> bytes:
    return jpeg(dark(sheet(hand, rng)), quality=15)


@condition("file, WebP")
def _webp(hand: Hand, rng: Random) -> bytes:
    return saved(dark(sheet(hand, rng)), "WEBP", quality=75)


@condition("file, GIF")
def _gif(hand: Hand, rng: Random) -> bytes:
    return saved(dark(sheet(hand, rng)), "GIF")


@condition("drawing, colours of one luminance")
def _one_luminance(hand: Hand, rng: Random) -> bytes:
    pairs = [((230, 0, 0), (0, 117, 0)), ((90, 90, 255), (0, 150, 60))]
    pair = pairs[rng.integers(2)]
    return saved(coloured(sheet(hand, rng), *(pair if rng.integers(2) else pair[::-1])))


@condition("drawing, yellow on white")
def _yellow_on_white(hand: Hand, rng: Random) -> bytes:
    return saved(coloured(sheet(hand, rng), (255, 235, 0), (255, 255, 255)))


@condition("tight crop, 20 to 60 px")
def _tight_small(hand: Hand, rng: Random) -> bytes:
    return saved(dark(hand.ink(int(rng.integers(20, 61)))))


@condition("tight crop, 100 to 400 px")
def _tight_large(hand: Hand, rng: Random) -> bytes:
    return saved(dark(hand.ink(int(rng.integers(100, 400)))))


@condition("tight crop, white on a colour, JPEG")
def _tight_on_colour(hand: Hand, rng: Random) -> bytes:
    paper = tuple(int(v) for v in rng.integers(20, 150, 3))
    mask = hand.ink(int(rng.integers(60, 200)))
    return jpeg(coloured(mask, (255, 255, 255), (paper[0], paper[1], paper[2])))


@condition("tight crop, enlarged")
def _tight_enlarged(hand: Hand, rng: Random) -> bytes:
    """A tight crop of 10 to 16 pixels, enlarged without care."""
    small = Image.fromarray(dark(hand.ink(120))).resize(
        [max(4, n // int(rng.integers(8, 12))) for n in hand.ink(120).shape[::-1]],
        Image.Resampling.BOX,
    )
    size = small.width * 8, small.height * 8
    return saved(small.resize(size, Image.Resampling.BICUBIC))


@condition("drawing, thick pen")
def _thick_pen(hand: Hand, rng: Random) -> bytes:
    mask = sheet(hand, rng)
    widened = Image.fromarray(np.rint(255 * mask).astype(np.uint8))
    wide = widened.resize((100, 100)).filter(ImageFilter.MaxFilter(5)).resize(SHAPE[::-1])
    return saved(255 - np.asarray(wide))


@condition("drawing, line of two pixels")
def _thin_pen(hand: Hand, rng: Random) -> bytes:
    side = int(rng.integers(120, 220))
    return saved(dark(put(hand.drawn(side, 2 / side), SHAPE)))


@condition("drawing, hollow digit", least=0.9)
def _outline(hand: Hand, rng: Random) -> bytes:
    """A hollow digit: the line around its strokes."""
    mask = put(hand.ink(400), (512, 512)) > 0.5
    inner = mask
    for _ in range(int(rng.integers(4, 8))):
        inner = _eroded(inner)
    return saved(dark((mask & ~inner).astype(np.float32)))


@condition("drawing, in pieces")
def _in_pieces(hand: Hand, rng: Random) -> bytes:
    """A gap across the digit, as of a pen that lifted."""
    mask = sheet(hand, rng)
    rows = np.flatnonzero(mask.any(axis=1))
    at = int(rows[0] + np.ptp(rows) * rng.uniform(0.3, 0.7))
    mask[at - 3 : at + 3] = 0
    return saved(dark(mask))


@condition("part of a neighbour, clean")
def _neighbour_clean(hand: Hand, rng: Random) -> bytes:
    return saved(dark(beside(hand, rng, sheet(hand, rng))))


def beside(hand: Hand, rng: Random, mask: Ink) -> Ink:
    """Add part of another digit, cut by the left or the right border."""
    other = hand.ink(round(rng.uniform(0.4, 0.6) * mask.shape[0]))
    half = other.shape[1] / 2 / mask.shape[1]
    inside = rng.uniform(0.03, 0.1)
    left = np.flatnonzero(mask.any(axis=0))[[0, -1]] / mask.shape[1]
    if left[0] > 1 - left[1]:  # where there is more room
        centre = min(inside, left[0] - 0.04) - half
    else:
        centre = 1 - min(inside, 1 - left[1] - 0.04) + half
    return np.maximum(mask, put(other, mask.shape[:2], (rng.uniform(0.4, 0.6), centre)))


def framed(mask: Ink, width: int, inset: int = 0) -> Ink:
    """Add a frame of lines."""
    box = np.zeros_like(mask)
    box[inset : box.shape[0] - inset, inset : box.shape[1] - inset] = 1
    inner = inset + width
    box[inner : box.shape[0] - inner, inner : box.shape[1] - inner] = 0
    return np.maximum(mask, box)


@condition("frame of 1 px at the border")
def _frame_1(hand: Hand, rng: Random) -> bytes:
    level = rng.uniform(0.3, 1)
    return saved(dark(np.maximum(sheet(hand, rng), level * framed(np.zeros(SHAPE), 1))))


@condition("frame of 2 to 6 px at the border", least=0.9)
def _frame_3(hand: Hand, rng: Random) -> bytes:
    width = int(rng.integers(2, 7))
    return saved(dark(np.maximum(sheet(hand, rng), 0.7 * framed(np.zeros(SHAPE), width))))


@condition("cell of a form")
def _cell(hand: Hand, rng: Random) -> bytes:
    """A whole cell of a form, with some paper around."""
    return saved(dark(framed(sheet(hand, rng), int(rng.integers(2, 5)), 14)))


@condition("cell, lines cut by the border")
def _cell_cut(hand: Hand, rng: Random) -> bytes:
    """A cell whose lines run out of the picture."""
    mask = sheet(hand, rng)
    for axis in (0, 1):
        for at in (rng.integers(4, 16), mask.shape[axis] - rng.integers(4, 16)):
            line = slice(int(at) - 2, int(at) + 1)
            mask[(line, slice(None)) if axis == 0 else (slice(None), line)] = 1
    return saved(dark(mask))


@condition("one of a row of cells")
def _row_of_cells(hand: Hand, rng: Random) -> bytes:
    """One of a row: the lines between, above and below, and what the neighbours wrote."""
    mask = sheet(hand, rng, (300, 330))
    mask[8:11] = mask[-12:-9] = 1
    for at in (18, 308):
        mask[:, at : at + 3] = 1
    other = hand.ink(150)
    for centre in (-0.02, 1.02):
        part = put(other, (300, 330), (0.5, centre))
        part[:, 15:316] = 0
        mask = np.maximum(mask, part)
    return saved(dark(mask))


@condition("scan, dust and a hair")
def _dust(hand: Hand, rng: Random) -> bytes:
    """A scan with specks and a hair."""
    mask = sheet(hand, rng)
    for _ in range(25):
        y, x = rng.integers(2, 296, 2)
        size = int(rng.integers(1, 4))
        mask[y : y + size, x : x + size] = rng.uniform(0.3, 1)
    hair = rules(SHAPE, 10_000, 1.2, rng.uniform(10, 40), rng.uniform(-8, 8))
    hair[:, : rng.integers(20, 200)] = 0
    hair[:, rng.integers(220, 290) :] = 0
    noise = rng.normal(0, 2, SHAPE)
    return jpeg((dark(np.maximum(mask, 0.8 * hair), 245) + noise).clip(0, 255).astype("u1"))


@condition("salt and pepper")
def _salt_and_pepper(hand: Hand, rng: Random) -> bytes:
    grey, chance = dark(sheet(hand, rng)), rng.random(SHAPE)
    grey[chance < 0.04], grey[chance > 0.96] = 0, 255
    return saved(grey)


@condition("scan, dark edge")
def _scanner_edge(hand: Hand, rng: Random) -> bytes:
    """The lid's shadow along one or two sides."""
    grey = 245 - 215 * sheet(hand, rng) + rng.normal(0, 3, SHAPE)
    y, x = grid(SHAPE)
    width = rng.uniform(0.05, 0.15)
    grey = np.where(x > 1 - width, 30 + 0 * x, grey)
    if rng.integers(2):
        grey = np.where(y < width - 1, 45 + 0 * y, grey)
    return saved(grey.clip(0, 255).astype(np.uint8))


@condition("scan, writing shows through")
def _show_through(hand: Hand, rng: Random) -> bytes:
    """The back of the sheet is written on, too."""
    back = put(
        hand.ink(200)[:, ::-1], SHAPE, (rng.uniform(0.3, 0.7), rng.uniform(0.2, 0.8))
    )
    mask = np.maximum(sheet(hand, rng), rng.uniform(0.15, 0.28) * back)
    return jpeg((235 - 190 * mask + rng.normal(0, 3, SHAPE)).clip(0, 255).astype(np.uint8))


@condition("scan, recycled paper")
def _recycled(hand: Hand, rng: Random) -> bytes:
    grey = 170 - 120 * sheet(hand, rng) + fibres(rng, SHAPE, 3, 7)
    return jpeg(grey.clip(0, 255).astype(np.uint8))


@condition("screenshot of 12 megapixels")
def _screenshot_12_megapixels(hand: Hand, rng: Random) -> bytes:
    return saved(coloured(sheet(hand, rng, (3000, 4000)), (30, 30, 30), (255, 255, 255)))


@condition("drawing, canvas of 56 to 100 px")
def _small_canvas(hand: Hand, rng: Random) -> bytes:
    """A canvas of 56 to 100 pixels, as in many a demo."""
    side = int(rng.integers(56, 101))
    return saved(dark(sheet(hand, rng, (side, side)), 0, 255))


@condition("drawing, white card on a dark page")
def _card(hand: Hand, rng: Random) -> bytes:
    """A white card on a dark page."""
    page = np.full((300, 420), rng.integers(0, 90), np.uint8)
    page[30:270, 60:360] = dark(sheet(hand, rng, (240, 300)))
    return saved(page)


@condition("drawing, circled")
def _circled(hand: Hand, rng: Random) -> bytes:
    y, x = grid(SHAPE)
    ring = np.abs(np.hypot(y, x * rng.uniform(0.95, 1.1)) - 0.8) < 0.02
    mask = put(hand.ink(130, 0.1), SHAPE)
    return saved(dark(np.maximum(mask, ring)))


@condition("drawing, underlined")
def _underlined(hand: Hand, rng: Random) -> bytes:
    mask = put(hand.ink(170), SHAPE, (0.42, 0.5))
    line = rules(SHAPE, 10_000, 3, rng.uniform(232, 260), rng.uniform(-4, 4))
    line[:, : rng.integers(40, 80)] = 0
    line[:, rng.integers(220, 260) :] = 0
    return saved(dark(np.maximum(mask, line)))


def _eroded(mask: Any) -> Any:
    wide = np.pad(mask, 1)
    return mask & wide[:-2, 1:-1] & wide[2:, 1:-1] & wide[1:-1, :-2] & wide[1:-1, 2:]
