"""Put ink on paper, in some light, and take the picture."""

from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from bench.pictures.hand import Ink

Grey = npt.NDArray[np.floating]
Random = np.random.Generator


def turned(ink: Ink, degrees: float) -> Ink:
    """Turn ink around its centre; the array grows."""
    picture = Image.fromarray(ink).rotate(degrees, Image.Resampling.BICUBIC, expand=True)
    return np.clip(np.asarray(picture, np.float32), 0, 1)


def put(ink: Ink, shape: tuple[int, int], centre: tuple[float, float] = (0.5, 0.5)) -> Ink:
    """Put ink on an empty sheet, its centre at a fraction of height and width.

    What lies outside is cut off.
    """
    sheet = np.zeros(shape, np.float32)
    height, width = ink.shape
    top, left = (round(c * n - s / 2) for c, n, s in zip(centre, shape, ink.shape))
    rows = slice(max(0, top), min(shape[0], top + height))
    columns = slice(max(0, left), min(shape[1], left + width))
    sheet[rows, columns] = ink[
        rows.start - top : rows.stop - top, columns.start - left : columns.stop - left
    ]
    return sheet


def grid(shape: tuple[int, int]) -> tuple[Grey, Grey]:
    """Return y and x, -1 to 1, broadcastable to the shape."""
    return np.linspace(-1, 1, shape[0])[:, None], np.linspace(-1, 1, shape[1])[None]


def light(rng: Random, shape: tuple[int, int], fall: float = 0.15) -> Grey:
    """Return uneven light, about 1: a slope and a bowl that take up to ``fall`` each."""
    y, x = grid(shape)
    angle = rng.uniform(0, 2 * np.pi)
    slope = np.cos(angle) * x + np.sin(angle) * y
    lit: Grey = (
        1 - fall * (0.5 + 0.5 * slope) - fall * rng.uniform(0, 1) * (x * x + y * y) / 2
    )
    return lit


def edge(rng: Random, shape: tuple[int, int], soft: float, away: float) -> Grey:
    """Return 0 to 1 across a straight edge, so far from the centre (1: the border)."""
    y, x = grid(shape)
    angle = rng.uniform(0, 2 * np.pi)
    across: Grey = np.cos(angle) * x + np.sin(angle) * y
    return np.asarray(1 / (1 + np.exp((away - across) / soft)))


def blob(shape: tuple[int, int], centre: tuple[float, float], radius: float) -> Grey:
    """Return a soft spot of light, 0 to 1; centre and radius in units of -1 to 1."""
    y, x = grid(shape)
    return np.exp(-(((y - centre[0]) ** 2 + (x - centre[1]) ** 2) / radius**2) / 2)


def fibres(rng: Random, shape: tuple[int, int], size: int, depth: float) -> Grey:
    """Return the texture of paper: smooth noise of a size in pixels, of a depth about 0."""
    coarse = [max(2, n // size) for n in shape]
    noise = rng.normal(0, depth, coarse).astype(np.float32)
    grown = Image.fromarray(noise).resize(shape[::-1], Image.Resampling.BICUBIC)
    return np.asarray(grown, np.float32)


def rules(
    shape: tuple[int, int], step: float, width: float, first: float, degrees: float = 0
) -> Ink:
    """Return ruled lines, 0 to 1, ``step`` pixels apart, the first at ``first``."""
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    angle = np.deg2rad(degrees)
    across = y * np.cos(angle) - x * np.sin(angle) - first
    away: Grey = np.abs((across + step / 2) % step - step / 2)
    return np.asarray(np.clip(width / 2 - away + 0.5, 0, 1))


def camera(rng: Random, grey: Grey, noise: float = 4, blur: float = 0.8) -> Any:
    """Take the picture: the lens's blur, the sensor's noise; uint8, of the same shape."""
    sharp = Image.fromarray(np.clip(grey, 0, 255).astype(np.uint8))
    soft = np.asarray(sharp.filter(ImageFilter.GaussianBlur(blur)), np.float32)
    return np.clip(soft + rng.normal(0, noise, soft.shape), 0, 255).astype(np.uint8)


def coloured(mask: Ink, pen: tuple[int, int, int], paper: tuple[int, int, int]) -> Any:
    """Paint a mask in colours; uint8 ``[height, width, 3]``."""
    pair = np.array(paper, float), np.array(pen, float)
    return np.rint(pair[0] + mask[..., None] * (pair[1] - pair[0])).astype(np.uint8)


def saved(picture: Any, kind: str = "PNG", **options: Any) -> bytes:
    """Return the file of a picture or an array of 8 or 16 bits."""
    if not isinstance(picture, Image.Image):
        picture = Image.fromarray(picture)
    file = BytesIO()
    if kind == "PNG":
        options.setdefault("compress_level", 1)  # the generator's time, no reader's
    picture.save(file, kind, **options)
    return file.getvalue()


def jpeg(picture: Any, quality: int = 85, **options: Any) -> bytes:
    """Return a JPEG as phones write it."""
    return saved(picture, "JPEG", quality=quality, **options)
