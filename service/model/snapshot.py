"""Read the model files, the API keys and the file of traffic once, for all workers.

gunicorn's master reads them at start and at each reload; its workers inherit the bytes. So
a replaced worker serves the same as the others even if the files have changed since, and a
failed reload changes nothing.
"""

import errno
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple, Self

from service.settings import LARGEST_VERSION, Settings

# The shipped files have 440 kB and 5 kB. The master reads them again at every reload, and
# each worker keeps a copy of the model.
MOST_MODEL_BYTES = 256 << 20
MOST_TEXT_BYTES = 1 << 20  # of a manifest, or of a file of 10,000 keys and comments


class VersionFiles(NamedTuple):
    """A version's two files; an OSError takes the place of bytes that cannot be read.

    Attributes:
        folder: ``<root>/<name>/<version>``.
        manifest: manifest.json.
        model: model.onnx.
    """

    folder: Path
    manifest: bytes | OSError
    model: bytes | OSError

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read a version's folder."""
        manifest = _read(folder / "manifest.json", MOST_TEXT_BYTES)
        return cls(folder, manifest, _read(folder / "model.onnx", MOST_MODEL_BYTES))

    def same(self, other: "VersionFiles") -> bool:
        """Whether both have the same bytes."""
        return (self.manifest, self.model) == (other.manifest, other.model)


Versions = Mapping[int, VersionFiles]


class Snapshot(NamedTuple):
    """The files that workers load.

    Attributes:
        versions: each version's files by number.
        keys: the API key file, or why it cannot be read; None if none is configured.
        before: the versions loaded before this reload; empty at start.
        left_out: names in the model's folder that could be meant as versions and are none.
        traffic: the file of traffic, likewise.
    """

    versions: Versions
    keys: bytes | OSError | None = None
    before: Versions = {}
    left_out: tuple[str, ...] = ()
    traffic: bytes | OSError | None = None


def read(settings: Settings, before: Versions | None = None) -> Snapshot:
    """Read the files that the settings name; ``before`` are the versions served so far."""
    keys, traffic = (
        _read(path, MOST_TEXT_BYTES) if path else None
        for path in (settings.api_keys, settings.traffic)
    )
    folders, left_out = _folders(settings.model_root / settings.model_name)
    versions = {number: VersionFiles.read(folders[number]) for number in sorted(folders)}
    return Snapshot(versions, keys, before or {}, left_out, traffic)


def _folders(root: Path) -> tuple[dict[int, Path], tuple[str, ...]]:
    """Return each version's folder, and the names of what is left out.

    Other files (``lesson.json``) and hidden names (``.git``) are not meant as versions.
    """
    folders: dict[int, Path] = {}
    left_out = []
    try:
        # 1 before 01: of two names for a number, the shorter one counts.
        entries = sorted(root.iterdir(), key=lambda path: (len(path.name), path.name))
    except OSError:
        return {}, ()
    for entry in entries:
        name, is_folder = entry.name, os.path.isdir(entry)  # Path.is_dir may raise
        # isdecimal alone would let other scripts' digits pass.
        number = int(name) if name.isascii() and name.isdecimal() else 0
        if is_folder and 0 < number <= LARGEST_VERSION and number not in folders:
            folders[number] = entry
        elif number or (is_folder and not name.startswith(".")):
            left_out.append(name)
    return folders, tuple(left_out)


def _read(path: Path, most: int) -> bytes | OSError:
    """Read a file; a pipe or device, which may never end or answer, is none."""
    try:
        # Without O_NONBLOCK, opening a pipe waits for its writer.
        with open(path, "rb", opener=lambda name, _: os.open(name, _READ)) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return OSError(errno.EINVAL, "found no regular file, expected one")
            content = file.read(most + 1)
    except OSError as error:
        return error
    if len(content) > most:
        text = f"found more than {most} bytes, expected at most that many"
        return OSError(errno.EFBIG, text)
    return content


_READ = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
