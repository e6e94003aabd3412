"""MNIST's test images, where they are on this machine: read with nothing but Python."""

import gzip
import hashlib
import math
import os
import struct
import zlib
from pathlib import Path

# SHA-256 of the decompressed files. Other data sets, such as Fashion-MNIST, have files of
# the same names and sizes.
IMAGES = (
    "t10k-images-idx3-ubyte",
    "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
)
LABELS = (
    "t10k-labels-idx1-ubyte",
    "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
)
GZIP = b"\x1f\x8b"
MAGIC = b"\0\0\x08"  # unsigned bytes; the number of dimensions follows


class DataError(Exception):
    """The test images were not found, or what was found are others."""


def load() -> list[tuple[int, bytes]]:
    """Return the 10,000 test images, each its label and its 784 bytes.

    The files, gzipped or not, are looked for in ``$MNIST_DIR`` and in the user's cache.

    Raises:
        DataError: they are in neither; the text names every place, and what was wrong.
    """
    (_, size, side), pixels = read(_find(*IMAGES))
    _, labels = read(_find(*LABELS))
    image = size * side
    frames = [pixels[start : start + image] for start in range(0, len(pixels), image)]
    return list(zip(labels, frames))


def read(content: bytes) -> tuple[tuple[int, ...], bytes]:
    """Return the shape and the values of an IDX file of unsigned bytes.

    Raises:
        DataError: it is none, or it is not whole.
    """
    if content[:3] != MAGIC or len(content) < 4:
        found = content[:4].hex() or "nothing"
        raise DataError(f"starts with {found}, expected {MAGIC.hex()}.. of an IDX file")
    start = 4 + 4 * content[3]
    if len(content) < start:
        raise DataError(f"has {len(content)} bytes, expected {start} of the IDX header")
    shape = struct.unpack(f">{content[3]}I", content[4:start])
    expected = start + math.prod(shape)
    if len(content) != expected:
        raise DataError(f"has {len(content)} bytes, expected {expected} for {shape}")
    return shape, content[start:]


def unpack(content: bytes) -> bytes:
    """Return a file's bytes without gzip, if it has any; raises DataError if damaged."""
    if not content.startswith(GZIP):
        return content
    try:
        return gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"is not a whole gzip file: {error}") from error


def _find(name: str, sha256: str) -> bytes:
    tried = []
    for path in (f / file for f in _folders() for file in (f"{name}.gz", name)):
        try:
            content = unpack(path.read_bytes())
        except (OSError, DataError) as error:
            tried.append(f"{path}: {getattr(error, 'strerror', None) or error}")
            continue
        found = hashlib.sha256(content).hexdigest()
        if found == sha256:
            return content
        tried.append(f"{path}: SHA-256 is {found} without gzip, expected {sha256}")
    places = "\n  ".join(tried)
    raise DataError(
        f"no {name} of MNIST; name its folder in MNIST_DIR, or download it with: "
        ".venv/dev/bin/python -m training data (make lint makes .venv/dev). "
        f"Tried:\n  {places}"
    )


def _folders() -> list[Path]:
    named = os.environ.get("MNIST_DIR")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mnist-idx"
    return [Path(named), cache] if named else [cache]
