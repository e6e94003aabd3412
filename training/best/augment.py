"""Distort images of digits at random, as other hands and pens would have drawn them."""

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from training.recipes import Distortion

SIDE = 28  # pixels; the side of an MNIST image
# Fainter grey levels do not count as ink where the digit's box is measured: they are the
# traces that sampling between pixels leaves around a stroke.
FAINTEST = 8
KNOTS = 5  # a side; the elastic field bends within 7 pixels, a third of a digit


def distort(images: tf.Tensor, seed: tf.Tensor, most: Distortion) -> tf.Tensor:
    """Distort each image in its own way.

    What MNIST's frame fixes stays fixed, so that the network spends no weights on what no
    frame shows: rotation, shear and stretch leave the longer side of the digit's box, its
    centre of mass and its strongest grey level as they were. Elastic displacements
    (Simard, Steinkraus and Platt, 2003) move them a little, scale and shift by intent.

    Args:
        images: uint8 ``[n, 784]``.
        seed: int32 ``[2]``; the same seed distorts the same images in the same way.
        most: the strengths; all 0 gives the images back.

    Returns:
        uint8 ``[n, 784]``.
    """
    count = tf.shape(images)[0]
    picture = tf.reshape(tf.cast(images, tf.float32), [count, SIDE, SIDE])
    chance = tf.unstack(tf.random.stateless_uniform([8, count], seed, -1.0, 1.0))
    rotation, shear, stretch, scale, down, across, elastic, stroke = chance
    inked = _change_stroke(picture, most.stroke * stroke * tf.abs(stroke))
    forward = _linear(most.rotation * rotation, most.shear * shear, most.stretch * stretch)
    shift = most.shift * tf.stack([down, across], axis=1)
    points = _sources(inked, forward, tf.exp(most.scale * scale), shift)
    if most.elastic:
        points += most.elastic * tf.abs(elastic)[:, None, None] * _field(count, seed)
    drawn = _sample(inked, points)
    strongest = tf.reduce_max(picture, [1, 2]) / tf.maximum(tf.reduce_max(drawn, 1), 1)
    return tf.cast(tf.round(drawn * strongest[:, None]), tf.uint8)


def _change_stroke(picture: tf.Tensor, amount: tf.Tensor) -> tf.Tensor:
    """Mix float32 ``[n, 28, 28]`` with its grey dilation (> 0) or erosion (< 0)."""
    wide = tf.pad(picture, [[0, 0], [1, 1], [1, 1]])
    cross = [
        wide[:, 1 + down : 1 + down + SIDE, 1 + across : 1 + across + SIDE]
        for down, across in ((0, 0), (-1, 0), (1, 0), (0, -1), (0, 1))
    ]
    thick, thin = cross[0], cross[0]
    for neighbour in cross[1:]:
        thick, thin = tf.maximum(thick, neighbour), tf.minimum(thin, neighbour)
    amount = amount[:, None, None]
    mixed = picture + tf.nn.relu(amount) * (thick - picture)
    return mixed - tf.nn.relu(-amount) * (picture - thin)


def _linear(degrees: tf.Tensor, shear: tf.Tensor, stretch: tf.Tensor) -> tf.Tensor:
    """Return matrices that stretch, shear, then turn (y, x), float32 ``[n, 2, 2]``."""
    angle = degrees * (np.pi / 180)
    cos, sin = tf.cos(angle), tf.sin(angle)
    tall, wide = tf.exp(stretch / 2), tf.exp(-stretch / 2)
    rows = [
        [(cos - sin * shear) * tall, -sin * wide],
        [(sin + cos * shear) * tall, cos * wide],
    ]
    return tf.transpose(tf.convert_to_tensor(rows), [2, 0, 1])


def _sources(
    picture: tf.Tensor, forward: tf.Tensor, scale: tf.Tensor, shift: tf.Tensor
) -> tf.Tensor:
    """Return where each pixel of the distorted image comes from.

    Args:
        picture: float32 ``[n, 28, 28]``.
        forward: float32 ``[n, 2, 2]``, applied about the centre of mass.
        scale: float32 ``[n]``, of the longer side of the ink's box.
        shift: float32 ``[n, 2]``, of the centre of mass.

    Returns:
        Coordinates (y, x) in the picture, float32 ``[n, 2, 784]``.
    """
    flat = tf.reshape(picture, [-1, SIDE * SIDE])
    grid = tf.constant(_grid())
    mass = tf.maximum(tf.reduce_sum(flat, 1, keepdims=True), 1)
    centre = tf.matmul(flat, grid, transpose_b=True) / mass
    ink = (flat > FAINTEST)[:, None]
    moved = tf.matmul(forward, tf.broadcast_to(grid, [tf.shape(flat)[0], *grid.shape]))
    factor = scale * _longer_side(grid[None], ink) / _longer_side(moved, ink)
    inverse = tf.linalg.inv(forward * factor[:, None, None])
    return tf.matmul(inverse, grid - (centre + shift)[:, :, None]) + centre[:, :, None]


def _grid() -> npt.NDArray[np.float32]:
    """Return (y, x) of every pixel, float32 ``[2, 784]``."""
    return np.indices((SIDE, SIDE), dtype=np.float32).reshape(2, -1)


def _longer_side(points: tf.Tensor, ink: tf.Tensor) -> tf.Tensor:
    """Return the longer side of the box around the inked ones of points, float32 [n]."""
    far = 1e3  # beyond any coordinate
    last = tf.reduce_max(tf.where(ink, points, -far), axis=2)
    first = tf.reduce_min(tf.where(ink, points, far), axis=2)
    return tf.maximum(tf.reduce_max(last - first, axis=1), 0) + 1  # a pixel is 1 wide


def _field(count: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Return smooth random displacements of unit variance, float32 ``[n, 2, 784]``."""
    other = tf.random.experimental.stateless_fold_in(seed, 1)
    weights = tf.random.stateless_normal([2 * count, KNOTS**2], other)
    return tf.reshape(tf.matmul(weights, _bumps()), [count, 2, SIDE * SIDE])


def _bumps() -> npt.NDArray[np.float32]:
    """Return a Gaussian around each knot, float32 ``[25, 784]``, squares adding up to 1."""
    knots = np.indices((KNOTS, KNOTS)).reshape(2, -1, 1) * (SIDE - 1) / (KNOTS - 1)
    width = 0.75 * (SIDE - 1) / (KNOTS - 1)  # wide enough to leave no dent between knots
    bumps = np.exp(-((_grid()[:, None] - knots) ** 2).sum(axis=0) / (2 * width**2))
    normal: npt.NDArray[np.float32] = (bumps / np.linalg.norm(bumps, axis=0)).astype("f")
    return normal


def _sample(picture: tf.Tensor, points: tf.Tensor) -> tf.Tensor:
    """Read float32 ``[n, 28, 28]`` between its pixels, bilinearly; 0 outside of it."""
    width = SIDE + 2  # one pixel of paper all around
    paper = tf.reshape(tf.pad(picture, [[0, 0], [1, 1], [1, 1]]), [-1, width * width])
    points = tf.clip_by_value(
        points, -1.0, SIDE - 1e-3
    )  # so that all four neighbours exist
    corner = tf.floor(points)
    part = points - corner
    at = tf.cast((corner[:, 0] + 1) * width + corner[:, 1] + 1, tf.int32)
    down, across = part[:, 0], part[:, 1]
    rows = [
        tf.gather(paper, at + row, batch_dims=1) * (1 - across)
        + tf.gather(paper, at + row + 1, batch_dims=1) * across
        for row in (0, width)
    ]
    return rows[0] * (1 - down) + rows[1] * down
