"""The test images distorted on purpose."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import ndimage  # type: ignore[import-untyped]

SIDE = 28  # pixels
FINE = 4  # samples a pixel and direction where strokes are made thicker or thinner
# Of the full range; the strongest of CIFAR-10-C's five (D. Hendrycks, T. Dietterich:
# Benchmarking Neural Network Robustness to Common Corruptions and Perturbations, 2019).
NOISE = 0.1

Images = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.floating]


class Condition(NamedTuple):
    """One way to distort: images uint8 ``[n, 784]`` to images uint8 ``[n, 784]``."""

    name: str
    definition: str
    apply: Callable[[Images], Images]


def affine(
    images: Images, *, turn: float = 0, scale: float = 1, right: float = 0, down: float = 0
) -> Images:
    """Turn, scale and shift about the middle of the frame; bilinear, black outside.

    Args:
        images: uint8 ``[n, 784]``.
        turn: degrees, anticlockwise.
        scale: 2 makes the digit twice as high and wide.
        right: pixels.
        down: pixels.
    """
    cosine, sine = np.cos(np.radians(turn)) / scale, np.sin(np.radians(turn)) / scale
    # Where each pixel comes from: the inverse of the turn, y pointing down.
    source = np.array([[cosine, sine], [-sine, cosine]])
    middle = np.full(2, (SIDE - 1) / 2)
    offset = middle - source @ (middle + [down, right])
    return _each(
        images,
        lambda image: ndimage.affine_transform(
            image, source, offset, order=1, mode="grid-constant"
        ),
    )


def thicken(images: Images, pixels: float) -> Images:
    """Move the edges of every stroke outwards by half of ``pixels``; inwards if negative.

    A grey dilation (erosion) by a disc at four times the resolution, as Morpho-MNIST has it
    (D. Castro, J. Tan, B. Kainz, E. Konukoglu, B. Glocker, JMLR 20, 2019).
    """
    reach = round(abs(pixels) / 2 * FINE)
    y, x = np.ogrid[-reach : reach + 1, -reach : reach + 1]
    disc = y**2 + x**2 <= reach**2
    spread = ndimage.grey_dilation if pixels > 0 else ndimage.grey_erosion

    def change(image: Floats) -> Floats:
        fine = ndimage.zoom(image, FINE, order=1, mode="nearest", grid_mode=True)
        thick = spread(fine, footprint=disc, mode="constant")
        cells: Floats = thick.reshape(SIDE, FINE, SIDE, FINE).mean(axis=(1, 3))
        return cells

    return _each(images, change)


def add_noise(images: Images) -> Images:
    """Add normal noise of a standard deviation of ``NOISE``, cut off at black and white."""
    noise = np.random.default_rng(0).normal(0, 255 * NOISE, images.shape)
    return _levels(images + noise)


def halve_contrast(images: Images) -> Images:
    """Make ink half as bright."""
    return _levels(images / 2)


def _each(images: Images, change: Callable[[Floats], Floats]) -> Images:
    square = images.reshape(-1, SIDE, SIDE).astype(np.float32)
    return _levels(np.stack([change(image) for image in square])).reshape(images.shape)


def _levels(values: Floats) -> Images:
    return np.rint(np.clip(values, 0, 255)).astype(np.uint8)


UNTOUCHED = Condition("untouched", "the test images as they are", lambda images: images)

CONDITIONS = (
    Condition("3 px left", "shifted", lambda images: affine(images, right=-3)),
    Condition("3 px right", "shifted", lambda images: affine(images, right=3)),
    Condition("3 px up", "shifted", lambda images: affine(images, down=-3)),
    Condition("3 px down", "shifted", lambda images: affine(images, down=3)),
    Condition(
        "scale 0.75",
        "about the middle of the frame",
        lambda images: affine(images, scale=0.75),
    ),
    Condition(
        "scale 1.25",
        "about the middle of the frame; what leaves the frame is lost",
        lambda images: affine(images, scale=1.25),
    ),
    Condition("20° left", "turned anticlockwise", lambda images: affine(images, turn=20)),
    Condition("20° right", "turned clockwise", lambda images: affine(images, turn=-20)),
    Condition(
        "1 px thicker",
        "every edge of a stroke half a pixel outwards: grey dilation by a disc, at four "
        "times the resolution",
        lambda images: thicken(images, 1),
    ),
    Condition(
        "1 px thinner",
        "every edge half a pixel inwards: grey erosion",
        lambda images: thicken(images, -1),
    ),
    Condition(
        "noise",
        f"normal, standard deviation {100 * NOISE:.0f} % of the range from black to white, "
        "cut off at both ends",
        add_noise,
    ),
    Condition("half contrast", "ink half as bright", halve_contrast),
)
