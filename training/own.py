"""Read one's own data: IDX files in MNIST's form, or a folder of pictures per label."""

import hashlib
import logging
from pathlib import Path

import numpy as np
import numpy.typing as npt

from service.errors import RequestError
from service.pictures.decode import decode
from training.dataset import DIGITS, FILES, PIXELS, Dataset, Mnist, decompress, read_idx
from training.errors import DataError

logger = logging.getLogger(__name__)

# H. Xiao, K. Rasul, R. Vollgraf: Fashion-MNIST (2017).
FASHION = (
    "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
)
CLOTHES = (
    "T-shirt/top", "trouser", "pullover", "dress", "coat",
    "sandal", "shirt", "sneaker", "bag", "ankle boot",
)  # fmt: skip
KNOWN = {
    "MNIST": (DIGITS, tuple(file.sha256 for file in FILES)),
    "Fashion-MNIST": (CLOTHES, FASHION),
}

SUFFIXES = {".png", ".jpg", ".jpeg"}
MOST_PIXELS = 1 << 26  # 8192 × 8192, the most that the service can be set to take
SHOWN = 5  # reasons in a message
TEST_EVERY = 7  # one picture of seven is for the test, as 10,000 of MNIST's 70,000


def read(folder: Path) -> Dataset:
    """Read the data of a folder.

    Args:
        folder: with the four IDX files of MNIST's names, gzipped or not, or with the
            folders ``0`` to ``9`` of PNG or JPEG pictures.

    Raises:
        DataError: it has neither, or something in it cannot be used.
    """
    if any((folder / label).is_dir() for label in DIGITS):
        return _read_pictures(folder)
    paths = [_idx_path(folder, file.name) for file in FILES]
    if not any(path.exists() for path in paths):
        raise DataError(
            f"--data-dir: {folder} has no data, expected the files "
            f"{', '.join(file.name for file in FILES)}, gzipped or not, or the folders 0 "
            "to 9 of PNG or JPEG pictures"
        )
    return _read_idx(paths)


def _idx_path(folder: Path, name: str) -> Path:
    gzipped = folder / f"{name}.gz"
    return gzipped if gzipped.exists() else folder / name


def _read_idx(paths: list[Path]) -> Dataset:
    found, digests = [], []
    for path in paths:
        try:
            content = decompress(path.read_bytes())
            found.append(read_idx(content))
        except (OSError, DataError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise DataError(f"{path}: {reason}") from error
        digests.append(hashlib.sha256(content).hexdigest())
    name, labels = _recognise(paths, digests)
    _check("train", found[0], found[1])
    _check("test", found[2], found[3])
    files = {path.name.removesuffix(".gz"): digest for path, digest in zip(paths, digests)}
    flat = Mnist(*(a.reshape(len(a), -1) if a.ndim > 1 else a for a in found))
    return Dataset(name, labels, files, flat)


def _recognise(paths: list[Path], digests: list[str]) -> tuple[str, tuple[str, ...]]:
    """Return the name and the labels of IDX files.

    Raises:
        DataError: some of the files are of a known set, and others are not.
    """
    for name, (labels, expected) in KNOWN.items():
        same = [found == wanted for found, wanted in zip(digests, expected)]
        if all(same):
            return name, labels
        if any(same):
            other = same.index(False)
            raise DataError(
                f"{paths[other]} has the SHA-256 {digests[other]} (decompressed), expected "
                f"{expected[other]} beside other files of {name}"
            )
    logger.warning(
        "note: the files in %s are not those of %s; the manifest records their SHA-256",
        paths[0].parent,
        " or ".join(KNOWN),
    )
    return "IDX files", DIGITS


def _check(kind: str, images: npt.NDArray[np.uint8], labels: npt.NDArray[np.uint8]) -> None:
    if images.shape != (len(labels), 28, 28) or labels.ndim != 1 or not labels.size:
        raise DataError(
            f"the {kind} images have the shape {images.shape} and their labels "
            f"{labels.shape}, expected (n, 28, 28) and (n,)"
        )
    if labels.max() >= len(DIGITS):
        raise DataError(f"the {kind} labels go up to {labels.max()}, expected 0 to 9")


def _read_pictures(folder: Path) -> Dataset:
    """Read ``0/*.png`` to ``9/*.png`` through the frame that the service uses.

    Pictures that the service would refuse are left out, with a note. Every seventh of the
    others of each label, in the order of their names, is for the test.
    """
    digest = hashlib.sha256()
    frames: list[list[npt.NDArray[np.uint8]]] = [[], []]  # train, test
    classes: list[list[int]] = [[], []]
    refused: list[str] = []
    for label in DIGITS:
        usable = 0
        for path in sorted((folder / label).glob("*")):
            if path.suffix.lower() not in SUFFIXES:
                continue
            content = path.read_bytes()
            try:
                frame = decode(content, MOST_PIXELS, str(path))
            except RequestError as error:
                refused.append(str(error))
                continue
            digest.update(f"{label}/{path.name} {len(content)}\n".encode() + content)
            held_out = usable % TEST_EVERY == 1
            frames[held_out].append(frame)
            classes[held_out].append(int(label))
            usable += 1
        if usable < 2:
            reasons = "".join(f"; {reason}" for reason in refused[:SHOWN])
            raise DataError(
                f"{folder / label} has {usable} PNG or JPEG pictures that can be used, "
                f"expected at least 2: one to fit on and one for the test{reasons}"
            )
    if refused:
        logger.warning(
            "note: %d of %d pictures are left out: %s",
            len(refused),
            len(refused) + sum(map(len, frames)),
            "; ".join(refused[:SHOWN]),
        )
    # The last of the training images are held out for validation: all labels among them.
    order = np.random.default_rng(0).permutation(len(frames[0]))
    train, test = (np.stack(each).reshape(-1, PIXELS) for each in frames)
    y_train, y_test = (np.array(each, np.uint8) for each in classes)
    name = f"{len(train) + len(test):,} pictures in 0 to 9"
    arrays = Mnist(train[order], y_train[order], test, y_test)
    return Dataset("pictures", DIGITS, {name: digest.hexdigest()}, arrays)
