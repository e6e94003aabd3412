"""Turn a decoded picture into grey levels in which ink and paper differ; measure levels."""

import numpy as np
from PIL import Image, ImageFilter

from service.pictures.frame import GLYPH, SIDE, Array
from service.pictures.shapes import Floats, Levels, shrink

LONGEST = SIDE * GLYPH  # 560; a digit 1/28 of the side still fills 20 pixels
OWN_PAPER = 32  # grey levels (standard deviation); ink alone is nearly uniform
DEPTHS = 8, 10, 12, 14, 16  # bits of cameras and scanners, whose files have 16
COLOURS = 64  # pixels, the longer side on which channels are compared
# How many times as far as the luminance's a channel's levels must spread to be used: where
# the luminance separates ink from paper half as well, it is what people see.
CLEARER = 2
TINT = 16  # levels between two channels; less is hardly a colour
LUMINANCE = np.array([0.299, 0.587, 0.114])  # of red, green and blue: ITU-R BT.601

# Sides of squares that are averaged where there are dots for grey, and how often: as wide
# as the patterns of files of 1 bit; twice, where those of printers are askew. Of fewer
# squares than a frame has pixels, noise would look like strokes.
DOTS, DITHERED = ((4, 1), (4, 2), (8, 1), (8, 2)), 28
LEAST_DOTS = 32  # grey levels (standard deviation); the noise of cameras is less
FEW = 2048  # pixels are enough to see dots everywhere
LEAST_GRAIN = 4  # grey levels; where there are dots, hardly a pixel is like those around

SAMPLE = 16 * 1024  # pixels, in some of the rows, are plenty to estimate noise
NOISE = 1.4826  # standard deviations in the median of the distances, if noise is normal
BEND = 1.118  # standard deviation of white noise, minus the mean of its four neighbours


def averageable(picture: Image.Image) -> Image.Image:
    """Convert a picture to a mode whose pixels can be averaged: L, LA, RGB(A), CMYK."""
    if picture.mode.startswith("I"):  # 16 bits
        return _from_16_bits(picture)
    if picture.has_transparency_data:
        return picture if picture.mode in ("LA", "RGBA") else picture.convert("RGBA")
    if picture.mode in ("L", "RGB", "YCbCr", "CMYK"):
        return picture
    return picture.convert("L" if picture.mode == "1" else "RGB")


def shrunk(picture: Image.Image, factor: int) -> Image.Image:
    """Average blocks of pixels."""
    return picture.reduce(factor) if factor > 1 else picture


def factor_of(size: tuple[int, int]) -> int:
    """Return how many pixels become one along each side."""
    return -(-max(size) // LONGEST)


def grey(picture: Image.Image) -> Levels:
    """Flatten onto paper: grey levels, uint8 ``[height, width]``.

    The channel is the luminance, unless another separates ink from paper far better, as in
    yellow on white, or in two colours of one luminance.
    """
    if picture.mode == "CMYK":
        picture = picture.convert("RGB")
    channel = _channel(picture)
    if channel is not None:
        name, plain = channel, picture
        if picture.mode == "YCbCr":
            plain = picture.convert("RGB")
        one = plain.getchannel(name)
    else:
        one = picture.getchannel(0) if picture.mode == "YCbCr" else picture
        one = one if one.mode == "L" else one.convert("L")
    levels = np.asarray(one)
    if not picture.has_transparency_data:
        return levels
    alpha = np.asarray(picture.getchannel("A"), np.float32) / 255
    flat = levels * alpha + _paper_beneath(levels, alpha) * (1 - alpha)
    return np.rint(flat).astype(np.uint8)


def _channel(picture: Image.Image) -> str | None:
    """Return the channel of a colour picture that is far clearer than its luminance."""
    if picture.mode not in ("RGB", "RGBA", "YCbCr"):
        return None
    step = -(-max(picture.size) // COLOURS)
    small = picture.resize([-(-n // step) for n in picture.size], Image.Resampling.NEAREST)
    colours = np.asarray(small.convert("RGB")).reshape(-1, 3)
    if small.mode == "RGBA":
        colours = colours[np.asarray(small.getchannel("A")).ravel() > 0]
    red, green, blue = colours.T.astype(np.int16)
    if (
        not len(colours)
        or max(np.abs(red - green).max(), np.abs(blue - green).max()) < TINT
    ):
        return None  # grey
    spreads = colours.std(axis=0)
    best = int(spreads.argmax())
    return "RGB"[best] if spreads[best] > CLEARER * (colours @ LUMINANCE).std() else None


def _from_16_bits(picture: Image.Image) -> Image.Image:
    """Return 8 bits of as many as the levels use."""
    levels = np.asarray(picture).astype(np.uint16)
    used = int(levels.max(initial=0)).bit_length()
    bits = next(depth for depth in DEPTHS if used <= depth)
    found = Image.fromarray((levels >> (bits - 8)).astype(np.uint8))
    if "transparency" in picture.info:
        inked = (levels != picture.info["transparency"]).astype(np.uint8)
        found.putalpha(Image.fromarray(inked * np.uint8(255)))
    return found


def _paper_beneath(levels: Levels, alpha: Array) -> float:
    """Return the paper's grey level that makes opaque pixels stand out as ink."""
    weight = float(alpha.sum())
    if not weight:
        return 0
    mean = float((levels * alpha).sum()) / weight
    spread = (float((np.square(levels - mean) * alpha).sum()) / weight) ** 0.5
    opaque = alpha > 0.5
    if spread > OWN_PAPER and weight > alpha.size / 2:
        # The picture has its own paper, transparent only at corners or edges: extend it.
        return float(np.median(levels[opaque]))
    rim = levels[opaque & ~shrink(opaque)]
    edge = float(np.median(rim)) if rim.size else 0.0
    if spread > OWN_PAPER and rim.size and np.median(np.abs(rim - edge)) < OWN_PAPER / 2:
        return edge  # what fades to paper that was made transparent, as in a GIF
    return 255 if mean < 128 else 0


def undithered(levels: Levels) -> Levels:
    """Average the dots of a dithered picture, over squares of 4 or 8 pixels."""
    found, least = levels, float(LEAST_DOTS)
    if min(levels.shape) < DITHERED * DOTS[0][0] or grain(levels, FEW) < LEAST_GRAIN:
        return levels  # specks are no dots
    for side, times in DOTS:
        if min(levels.shape) < DITHERED * side or _unevenness(found) <= least:
            break
        picture = Image.fromarray(levels)
        for _ in range(times):
            picture = picture.filter(ImageFilter.BoxBlur((side - 1) / 2))
        found, least = np.asarray(picture), 0.6 * LEAST_DOTS
    return found


def _unevenness(levels: Levels) -> float:
    """Return the standard deviation within squares of 8 pixels, in most of the picture."""
    down, across = (n // 8 for n in levels.shape)
    squares = levels[: 8 * down, : 8 * across].reshape(down, 8, across, 8)
    return float(np.median(squares.std(axis=(1, 3), dtype=np.float32)))


def grain(levels: Levels | Floats, sample: int = SAMPLE) -> float:
    """Return the standard deviation of white noise, by second differences.

    Args:
        levels: ``[height, width]``.
        sample: pixels that are enough.
    """
    if min(levels.shape) < 3:
        return 0.0
    step = max(1, levels.size // sample)
    above, here, below = (
        levels[n : len(levels) - 2 + n : step].astype(np.float32) for n in range(3)
    )
    around = above[:, 1:-1] + below[:, 1:-1] + here[:, :-2] + here[:, 2:]
    bend = np.abs(here[:, 1:-1] - around / 4)
    if 2 * np.count_nonzero(bend) < bend.size:
        return 0.0  # the median, without looking for it
    return NOISE / BEND * float(np.median(bend))


def close(levels: Floats, window: int) -> Floats:
    """Fill what is darker than its surroundings and narrower than a window.

    Args:
        levels: ``[height, width]``.
        window: side of a square, an odd number of pixels.
    """
    return -_highest(-_highest(levels, window), window)


def smooth(levels: Floats) -> Floats:
    """Remove what is brighter than its surroundings and narrower than three pixels."""
    return _highest(-_highest(-levels, 3), 3)


def span(levels: Floats) -> Floats:
    """Return the range of levels in the 3 × 3 window around each pixel."""
    return _highest(levels, 3) + _highest(-levels, 3)


def _highest(levels: Floats, window: int) -> Floats:
    """Return the maximum in the window around each pixel, in log2 (window) passes."""
    for _ in range(2):  # rows, then columns
        reach = min(window // 2, len(levels) - 1)
        beyond = np.full((reach, levels.shape[1]), -np.inf, np.float32)
        found, size = np.concatenate([beyond, levels, beyond]), 1
        while size < 2 * reach + 1:
            step = min(size, 2 * reach + 1 - size)
            found = np.maximum(found[:-step], found[step:])
            size += step
        levels = np.ascontiguousarray(found.T)
    return levels
