"""The files that are served and that decide who is, read once for all workers.

gunicorn's master reads them when it starts and at each reload, and its workers inherit the
bytes. So a worker that is replaced serves what the others serve, whatever has happened to
the files meanwhile, and a reload that cannot work changes nothing.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple, Self

from service.settings import Settings


class Files(NamedTuple):
    """A version's two files, or instead of one's bytes the reason why there are none.

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
        """Read the version in a folder."""
        return cls(folder, _read(folder / "manifest.json"), _read(folder / "model.onnx"))

    def same(self, other: "Files") -> bool:
        """Tell whether the bytes are the same."""
        return (self.manifest, self.model) == (other.manifest, other.model)


Versions = Mapping[int, Files]


class Snapshot(NamedTuple):
    """What workers load.

    Attributes:
        versions: the files of each version.
        keys: the file of API keys, or the reason why it cannot be read; None without one.
        before: the versions that the workers before a reload have loaded.
    """

    versions: Versions
    keys: bytes | OSError | None = None
    before: Versions = {}


def read(settings: Settings, before: Versions | None = None) -> Snapshot:
    """Read what the settings name, for workers that come after others or are the first."""
    keys = _read(settings.api_keys) if settings.api_keys else None
    return Snapshot(_read_versions(settings), keys, before or {})


def _read_versions(settings: Settings) -> Versions:
    """Read every version, lowest first; folders that are no number are ignored."""
    folder = settings.model_root / settings.model_name
    try:
        names = [entry.name for entry in folder.iterdir() if entry.is_dir()]
    except OSError:
        return {}
    numbers = [int(name) for name in names if name.isascii() and name.isdecimal()]
    versions = sorted(n for n in numbers if n > 0 and str(n) in names)
    return {version: Files.read(folder / str(version)) for version in versions}


def _read(path: Path) -> bytes | OSError:
    try:
        return path.read_bytes()
    except OSError as error:
        return error


# What the master has read; None where there is no master.
shared: Snapshot | None = None
