"""Histograms of oriented gradients: the hand-made features of before deep learning.

N. Dalal, B. Triggs: Histograms of Oriented Gradients for Human Detection, CVPR 2005. The
numbers are theirs, but for the cells: 4 × 4 pixels and not 8 × 8, as a digit's stroke is 2
to 4 pixels wide. Votes are shared between neighbouring orientations, not between cells.
"""

import numpy as np
import numpy.typing as npt

SIDE = 28  # pixels
CELL = 4  # pixels; 7 × 7 cells
BLOCK = 2  # cells; 6 × 6 blocks that overlap by a cell
ORIENTATIONS = 9  # over 180°: a light stroke's two edges count as one direction
CLIP = 0.2  # of a normalised block, so that no one strong edge decides ("L2-Hys")
# In units of a gradient in grey levels from 0 to 1; only keeps empty blocks at zero.
EPSILON = 1e-3
CHUNK = 4_000  # images at once: some 100 MB of intermediate values
Array = npt.NDArray[np.float32]


def hog(images: npt.NDArray[np.floating]) -> Array:
    """Describe images by their histograms of oriented gradients.

    Args:
        images: ``[n, 784]``, pixels 0 to 1.

    Returns:
        float32 ``[n, 1296]``: 6 × 6 blocks of 2 × 2 cells of 9 orientations.
    """
    starts = range(0, len(images), CHUNK)
    return np.concatenate(
        [_normalised_blocks(_histograms(images[i : i + CHUNK])) for i in starts]
    )


def _histograms(images: npt.NDArray[np.floating]) -> Array:
    """Return each cell's histogram: float32 ``[n, 7, 7, 9]``."""
    magnitude, orientation = _gradients(images)
    cells = SIDE // CELL
    found = np.empty((len(images), cells, cells, ORIENTATIONS), np.float32)
    for number in range(ORIENTATIONS):
        # Bins have their centres at 0°, 20°, ...; a vote is shared by the nearest two.
        apart = np.abs(orientation - number)
        apart = np.minimum(apart, ORIENTATIONS - apart)
        votes = magnitude * np.clip(1 - apart, 0, None)
        votes = votes.reshape(-1, cells, CELL, cells, CELL)
        found[..., number] = votes.sum(axis=(2, 4))
    return found


def _gradients(images: npt.NDArray[np.floating]) -> tuple[Array, Array]:
    """Return size and direction by the mask (-1, 0, 1): float32 ``[n, 28, 28]`` each.

    The direction is in bins, 0 to 9; beyond the border the image is as at the border.
    """
    square = np.asarray(images, np.float32).reshape(-1, SIDE, SIDE)
    padded = np.pad(square, [(0, 0), (1, 1), (1, 1)], mode="edge")
    right = padded[:, 1:-1, 2:] - padded[:, 1:-1, :-2]
    down = padded[:, 2:, 1:-1] - padded[:, :-2, 1:-1]
    turns = np.arctan2(down, right) / np.float32(np.pi)  # -1 to 1
    return np.hypot(right, down), turns % 1 * ORIENTATIONS


def _normalised_blocks(cells: Array) -> Array:
    """Join neighbouring cells to blocks, each of length 1 twice, and clipped between."""
    windows = np.lib.stride_tricks.sliding_window_view(cells, (BLOCK, BLOCK), axis=(1, 2))
    blocks = windows.reshape(*windows.shape[:3], -1)
    blocks = _unit(np.minimum(_unit(blocks), CLIP))
    return blocks.reshape(len(cells), -1)


def _unit(blocks: Array) -> Array:
    length2 = np.square(blocks).sum(axis=-1, keepdims=True)
    unit: Array = blocks / np.sqrt(length2 + np.float32(EPSILON**2))
    return unit
