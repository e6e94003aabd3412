"""Small pictures inside a page, as PNG in data addresses."""

import base64
from io import BytesIO

import numpy as np
import numpy.typing as npt
from PIL import Image

SIDE = 28  # pixels
# Colours of a weight: 7 shades of blue for negative ones, near-white, 7 of red. With 15, a
# pixel is half a byte; the eye tells no more at this size.
STEPS = 7
BLUE, WHITE, RED = np.array([5, 48, 97]), np.array([247, 247, 247]), np.array([103, 0, 31])


def digit(image: npt.NDArray[np.uint8]) -> str:
    """Return the address of an image (uint8 ``[784]``), white on black."""
    return _address(Image.fromarray(image.reshape(SIDE, SIDE)))


def weights(values: npt.NDArray[np.floating]) -> str:
    """Return the address of a unit's 784 weights; full colour is its largest weight."""
    steps = np.rint(values / np.abs(values).max() * STEPS) if values.any() else values * 0
    picture = Image.fromarray((steps + STEPS).astype(np.uint8).reshape(SIDE, SIDE))
    picture.putpalette(_palette())
    return _address(picture, bits=4)


def _palette() -> list[int]:
    part = np.abs(np.arange(-STEPS, STEPS + 1))[:, None] / STEPS
    ends = np.where(np.arange(-STEPS, STEPS + 1)[:, None] < 0, BLUE, RED)
    colours: list[int] = np.rint(WHITE + part * (ends - WHITE)).astype(int).ravel().tolist()
    return colours


def _address(picture: Image.Image, **options: int) -> str:
    file = BytesIO()
    picture.save(file, "PNG", optimize=True, **options)
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
