"""Read the model files and the API keys once, for all workers.

gunicorn's master reads them at start and at each reload; its workers inherit the bytes. So
a replaced worker serves the same as the others even if the files have changed since, and a
failed reload changes nothing.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple, Self

from service.settings import Settings


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
        return cls(folder, _read(folder / "manifest.json"), _read(folder / "model.onnx"))

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
    """

    versions: Versions
    keys: bytes | OSError | None = None
    before: Versions = {}


def read(settings: Settings, before: Versions | None = None) -> Snapshot:
    """Read the files that the settings name; ``before`` are the versions served so far."""
    keys = _read(settings.api_keys) if settings.api_keys else None
    return Snapshot(_read_versions(settings), keys, before or {})


def _read_versions(settings: Settings) -> Versions:
    """Read all versions, lowest first, ignoring folders whose names are no numbers."""
    folder = settings.model_root / settings.model_name
    try:
        names = [entry.name for entry in folder.iterdir() if entry.is_dir()]
    except OSError:
        return {}
    numbers = [int(name) for name in names if name.isascii() and name.isdecimal()]
    versions = sorted(n for n in numbers if n > 0 and str(n) in names)
    return {version: VersionFiles.read(folder / str(version)) for version in versions}


def _read(path: Path) -> bytes | OSError:
    try:
        return path.read_bytes()
    except OSError as error:
        return error
