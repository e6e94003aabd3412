"""Find the data: a folder of one's own, or the four files of MNIST wherever they are."""

import hashlib
import logging
import os
import sys
import tempfile
import urllib.request
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from training import own
from training.dataset import (
    DIGITS,
    FILES,
    Dataset,
    File,
    Mnist,
    decompress,
    read_idx,
    scale,
)
from training.errors import DataError

__all__ = [
    "FILES",
    "DataError",
    "File",
    "Mnist",
    "cache",
    "load",
    "read",
    "read_idx",
    "scale",
    "show_progress",
]

logger = logging.getLogger(__name__)

# The hosts that torchvision and TensorFlow Datasets fetch from; LeCun's own page has
# been closed since 2024.
MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)
TIMEOUT_S = 30  # for each wait on a mirror, not for the whole file

Progress = Callable[[str, int, int | None], None]


def load(
    data_dir: Path | None = None,
    *,
    download: bool = True,
    files: Iterable[File] = FILES,
    progress: Progress | None = None,
) -> Mnist:
    """Load the images alone; like ``read`` otherwise."""
    return read(data_dir, download=download, files=files, progress=progress).arrays


def read(
    data_dir: Path | None = None,
    *,
    download: bool = True,
    files: Iterable[File] = FILES,
    progress: Progress | None = None,
) -> Dataset:
    """Read the data of a folder, or MNIST from the first place that has it.

    The places of MNIST, in order: the folder in ``$MNIST_DIR``, the user's cache folder,
    the mirrors. Files may be gzipped or not. Whatever the place, the decompressed bytes
    are the published ones, or they are not used.

    Args:
        data_dir: the only folder to look in, with any data that ``own.read`` takes.
        download: whether to ask the mirrors; a file that comes from one is cached.
        files: what to look for; only tests look for anything but MNIST.
        progress: called with file name, bytes so far and bytes in all during a download.

    Raises:
        DataError: the data is not there; the message names every place and what was
            wrong.
    """
    if data_dir:
        return own.read(data_dir)
    folders = [folder for folder in (_environment_folder(), cache()) if folder]
    mirrors = MIRRORS if download else ()
    files = list(files)
    arrays = [_find(file, folders, mirrors, progress) for file in files]
    flat = Mnist(*(a.reshape(len(a), -1) if a.ndim > 1 else a for a in arrays))
    return Dataset("MNIST", DIGITS, {file.name: file.sha256 for file in files}, flat)


def cache() -> Path:
    """Return the folder that downloads are kept in."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "mnist-idx"


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
    content = decompress(content)
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
