"""Labelled images of 28 × 28 pixels, and the IDX format of MNIST's files."""

import gzip
import struct
import zlib
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from training.errors import DataError

DIGITS = tuple("0123456789")
PIXELS = 28 * 28


class File(NamedTuple):
    """One IDX file: its shape, and the SHA-256 of its decompressed bytes."""

    name: str
    shape: tuple[int, ...]
    sha256: str


# MNIST's. The digests are of the decompressed bytes, because the .gz files of the mirrors
# differ. Their MD5 equal those published for the files of 1998.
FILES = (
    File(
        "train-images-idx3-ubyte",
        (60_000, 28, 28),
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    ),
    File(
        "train-labels-idx1-ubyte",
        (60_000,),
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    ),
    File(
        "t10k-images-idx3-ubyte",
        (10_000, 28, 28),
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    ),
    File(
        "t10k-labels-idx1-ubyte",
        (10_000,),
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ),
)


class Mnist(NamedTuple):
    """The data set: images uint8 ``[n, 784]`` (0 to 255), labels uint8 ``[n]``."""

    x_train: npt.NDArray[np.uint8]
    y_train: npt.NDArray[np.uint8]
    x_test: npt.NDArray[np.uint8]
    y_test: npt.NDArray[np.uint8]


class Dataset(NamedTuple):
    """Images with labels, and where they come from.

    Attributes:
        name: "MNIST", "Fashion-MNIST", "IDX files" or "pictures".
        labels: the names of labels 0 to 9.
        files: SHA-256 of each source.
        arrays: the images and their labels.
    """

    name: str
    labels: tuple[str, ...]
    files: Mapping[str, str]
    arrays: Mnist


def scale(images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Return pixels as the network takes them: float32, 0 to 1."""
    return images.astype(np.float32) / np.float32(255)


def decompress(content: bytes) -> bytes:
    """Return the bytes of a file that may be gzipped.

    Raises:
        DataError: it is a damaged gzip file.
    """
    if content[:2] != b"\x1f\x8b":
        return content
    try:
        return gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"is not a whole gzip file ({error})") from error


def read_idx(content: bytes) -> npt.NDArray[np.uint8]:
    """Read an IDX file of unsigned bytes.

    The format: two zero bytes, 0x08 for unsigned bytes, the number of dimensions, each
    dimension as a big-endian 32-bit integer, then the values, last dimension fastest.

    Raises:
        DataError: the magic number or the number of bytes is another.
    """
    if len(content) < 4 or content[:3] != b"\0\0\x08":
        raise DataError(
            f"starts with {content[:4].hex() or 'nothing'}, expected the IDX magic "
            "number of unsigned bytes, 000008.."
        )
    start = 4 + 4 * content[3]
    if len(content) < start:
        raise DataError(f"ends after {len(content)} bytes, within the IDX header")
    shape = struct.unpack(f">{content[3]}I", content[4:start])
    expected = start + int(np.prod(shape, dtype=np.uint64))
    if len(content) != expected:
        raise DataError(
            f"has {len(content)} bytes, expected {expected} for the shape {shape}"
        )
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)
