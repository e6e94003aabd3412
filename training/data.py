"""Find, check and read the four files of MNIST."""

import gzip
import hashlib
import logging
import os
import struct
import sys
import tempfile
import urllib.request
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

logger = logging.getLogger(__name__)

# The hosts that torchvision and TensorFlow Datasets fetch from; LeCun's own page has
# been closed since 2024.
MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)
TIMEOUT_S = 30  # for each wait on a mirror, not for the whole file

Progress = Callable[[str, int, int | None], None]


class DataError(Exception):
    """MNIST was not found, or what was found is not MNIST."""


class File(NamedTuple):
    """One IDX file: its shape, and the SHA-256 of its decompressed bytes."""

    name: str
    shape: tuple[int, ...]
    sha256: str


# The digests are of the decompressed bytes, because the .gz files of the mirrors differ.
# Their MD5 equal those published for the files of 1998.
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


def load(
    data_dir: Path | None = None,
    *,
    download: bool = True,
    files: Iterable[File] = FILES,
    progress: Progress | None = None,
) -> Mnist:
    """Load MNIST from the first place that has it.

    The places, in order: ``data_dir``, the folder in ``$MNIST_DIR``, the user's cache
    folder, the mirrors. Files may be gzipped or not. Whatever the place, the
    decompressed bytes are the published ones, or they are not used.

    Args:
        data_dir: a folder to look in first.
        download: whether to ask the mirrors; a file that comes from one is cached.
        files: what to look for; only tests look for anything but MNIST.
        progress: called with file name, bytes so far and bytes in all during a download.

    Raises:
        DataError: a file is nowhere; the message names every place and what was wrong.
    """
    folders = [folder for folder in (data_dir, _environment_folder(), cache()) if folder]
    mirrors = MIRRORS if download else ()
    arrays = [_find(file, folders, mirrors, progress) for file in files]
    return Mnist(*(a.reshape(len(a), -1) if a.ndim > 1 else a for a in arrays))


def cache() -> Path:
    """Return the folder that downloads are kept in."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "mnist-idx"


def scale(images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Return pixels as the network takes them: float32, 0 to 1."""
    return images.astype(np.float32) / np.float32(255)


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


def _environment_folder() -> Path | None:
    folder = os.environ.get("MNIST_DIR")
    return Path(folder) if folder else None


def _find(
    file: File,
    folders: Iterable[Path],
    mirrors: Iterable[str],
    progress: Progress | None,
) -> npt.NDArray[np.uint8]:
    tried = []
    for folder in folders:
        for path in (folder / f"{file.name}.gz", folder / file.name):
            try:
                return _check(file, path.read_bytes())
            except FileNotFoundError:
                tried.append(f"{path}: no such file")
            except (OSError, DataError) as error:
                tried.append(f"{path}: {error}")
                logger.warning("%s is not usable: %s", path, error)
    for mirror in mirrors:
        url = f"{mirror}{file.name}.gz"
        try:
            content = _download(url, file.name, progress)
            array = _check(file, content)
        except (OSError, DataError) as error:
            tried.append(f"{url}: {error}")
        else:
            _keep(cache() / f"{file.name}.gz", content)
            return array
    places = "\n  ".join(tried)
    raise DataError(
        f"cannot find {file.name} of MNIST. Tried:\n  {places}\n"
        "Put the four files, gzipped or not, in one folder and name it with --data-dir "
        "or MNIST_DIR."
    )


def _check(file: File, content: bytes) -> npt.NDArray[np.uint8]:
    if content[:2] == b"\x1f\x8b":
        try:
            content = gzip.decompress(content)
        except (OSError, EOFError, zlib.error) as error:
            raise DataError(f"is not a whole gzip file ({error})") from error
    array = read_idx(content)
    if array.shape != file.shape:
        raise DataError(f"has the shape {array.shape}, expected {file.shape}")
    digest = hashlib.sha256(content).hexdigest()
    if digest != file.sha256:
        raise DataError(f"has the SHA-256 {digest} (decompressed), expected {file.sha256}")
    return array


def _download(url: str, name: str, progress: Progress | None) -> bytes:
    content = bytearray()
    with urllib.request.urlopen(url, timeout=TIMEOUT_S) as response:
        length = response.headers.get("Content-Length")
        total = int(length) if length else None
        while chunk := response.read(1 << 16):
            content += chunk
            if progress:
                progress(name, len(content), total)
    return bytes(content)


def _keep(path: Path, content: bytes) -> None:
    """Write a file whole or not at all; a cache that cannot be written is no failure."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as temporary:
            temporary.write(content)
        os.replace(temporary.name, path)
    except OSError as error:
        logger.warning("cannot keep %s: %s", path, error)


def show_progress(name: str, done: int, total: int | None) -> None:
    """Show a download on standard error: a live line on a terminal, else one line."""
    size = f"{done / 1e6:.1f} of {total / 1e6:.1f} MB" if total else f"{done / 1e6:.1f} MB"
    if sys.stderr.isatty():
        end = "\n" if done == total else ""
        print(f"\r{name}: {size} ", end=end, file=sys.stderr, flush=True)
    elif done == total:
        print(f"{name}: {size}", file=sys.stderr)
