"""The test images distorted on purpose."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

SIDE = 28  # pixels
FINE = 4  # samples a pixel and direction where strokes are made thicker or thinner
CHUNK = 500  # images at once: 25 MB of samples
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
    middle = (SIDE - 1) / 2
    y, x = np.divmod(np.arange(SIDE * SIDE), SIDE) - np.array(
        [[middle + down], [middle + right]]
    )
    cosine, sine = np.cos(np.radians(turn)) / scale, np.sin(np.radians(turn)) / scale
    # Where each pixel comes from: the inverse of the turn, y pointing down.
    rows = _hats(middle + sine * x + cosine * y)
    columns = _hats(middle + cosine * x - sine * y)
    weights = rows[:, :, None] * columns[:, None, :]
    return _levels(images.astype(np.float32) @ weights.reshape(len(weights), -1).T)


def thicken(images: Images, pixels: float) -> Images:
    """Move the edges of every stroke outwards by half of ``pixels``; inwards if negative.

    A grey dilation (erosion) by a disc at four times the resolution, as Morpho-MNIST has it
    (D. Castro, J. Tan, B. Kainz, E. Konukoglu, B. Glocker, JMLR 20, 2019).
    """
    starts = range(0, len(images), CHUNK)
    return np.concatenate([_thicken(images[i : i + CHUNK], pixels) for i in starts])


def add_noise(images: Images) -> Images:
    """Add normal noise of a standard deviation of ``NOISE``, cut off at black and white."""
    noise = np.random.default_rng(0).normal(0, 255 * NOISE, images.shape)
    return _levels(images + noise)


def halve_contrast(images: Images) -> Images:
    """Make ink half as bright."""
    return _levels(images / 2)


def _thicken(images: Images, pixels: float) -> Images:
    samples = (np.arange(SIDE * FINE) + 0.5) / FINE - 0.5
    spread = _hats(np.clip(samples, 0, SIDE - 1))
    fine = spread @ images.reshape(-1, SIDE, SIDE).astype(np.float32) @ spread.T
    reach = round(abs(pixels) / 2 * FINE)
    padded = np.pad(fine, [(0, 0), (reach, reach), (reach, reach)])
    extreme, result = np.maximum if pixels > 0 else np.minimum, fine.copy()
    for dy, dx in _disc(reach):
        window = padded[:, reach + dy :, reach + dx :][:, : fine.shape[1], : fine.shape[2]]
        extreme(result, window, out=result)
    cells = result.reshape(-1, SIDE, FINE, SIDE, FINE)
    return _levels(cells.mean(axis=(2, 4)).reshape(len(images), -1))


def _disc(radius: int) -> list[tuple[int, int]]:
    steps = range(-radius, radius + 1)
    return [(dy, dx) for dy in steps for dx in steps if dy * dy + dx * dx <= radius**2]


def _hats(positions: Floats) -> npt.NDArray[np.float32]:
    """Return the weights of 28 pixels at positions between: ``[len(positions), 28]``."""
    apart = np.abs(positions[:, None] - np.arange(SIDE))
    hats: npt.NDArray[np.float32] = np.clip(1 - apart, 0, None).astype(np.float32)
    return hats


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
