"""The model repository: all usable versions of one model, and why others were refused."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from service.errors import ModelError, RequestError
from service.model.snapshot import Snapshot, read
from service.model.version import Model
from service.settings import LARGEST_VERSION, Settings

logger = logging.getLogger(__name__)


class Repository(NamedTuple):
    """The versions that a worker serves.

    Attributes:
        models: the usable versions by number.
        refused: why each other version was refused, by number.
        default: the version used when a request names none.
        left_out: names beside the versions that are no numbers of versions.
    """

    models: Mapping[int, Model]
    refused: Mapping[int, str]
    default: Model
    left_out: Sequence[str] = ()

    def find(self, name: str | None, version: int | None) -> Model:
        """Return a version by model name and number; None stands for the default.

        Raises:
            RequestError: 404 if there is no such model or version.
        """
        if name not in (None, self.default.name):
            raise RequestError(
                404, f"model {name!r:.100} is not found, expected {self.default.name!r}"
            )
        return self.get(version)

    def get(self, version: int | None) -> Model:
        """Return a version, or the default for None.

        Raises:
            RequestError: 404 if the version is not served.
        """
        if version is None:
            return self.default
        try:
            return self.models[version]
        except KeyError:
            known = ", ".join(map(str, self.models))
            raise RequestError(
                404,
                f"model {self.default.name!r} has no version {str(version)[:30]}, "
                f"expected one of: {known}",
            ) from None


def load(settings: Settings, snapshot: Snapshot | None = None) -> Repository:
    """Load every version of the model, skipping and logging the unusable ones.

    Args:
        settings: name the model's folder and the default version.
        snapshot: the versions' files, if already read.

    Raises:
        ModelError: no version is usable, or the configured default is not, or a version
            that was usable before a reload no longer is.
    """
    found = snapshot or read(settings)
    models: dict[int, Model] = {}
    refused: dict[int, str] = {}
    for name in found.left_out:
        logger.warning(
            "%s version %.100r is left out, expected a folder whose name is a number of "
            "its own from 1 to %d",
            settings.model_name,
            name,
            LARGEST_VERSION,
        )
    for version, content in found.versions.items():
        try:
            models[version] = Model.load(content)
        except ModelError as error:
            refused[version] = str(error)
            logger.error(
                "%s version %d is refused: %s", settings.model_name, version, error
            )
            _check_before(version, found, error)
    if not models:
        folder = settings.model_root / settings.model_name
        reasons = "".join(f"; version {v}: {reason}" for v, reason in refused.items())
        raise ModelError(
            f"{folder} has no version that can be served, expected at least one folder "
            f"such as {folder}/1 with model.onnx and manifest.json{reasons}"
            f"{_obstacle(folder)}"
        )
    default = settings.model_version or max(models)
    if default not in models:
        raise ModelError(
            f"MNIST_MODEL_VERSION has value {default}, expected a version that can be "
            f"served: {', '.join(map(str, models))}"
        )
    return Repository(models, refused, models[default], found.left_out)


def _obstacle(folder: Path) -> str:
    """Return why a folder is unreadable, as a message suffix; empty if it is readable."""
    try:
        next(folder.iterdir(), None)
    except OSError as error:
        return f"; it cannot be read: {error.strerror}"
    return ""


def _check_before(version: int, found: Snapshot, error: ModelError) -> None:
    """Raise ModelError if this refused version was served before the reload."""
    before = found.before.get(version)
    if before is None or before.same(found.versions[version]):
        return
    try:
        Model.load(before)
    except ModelError:
        return
    raise ModelError(
        f"version {version} was served before this reload and is refused now ({error}), "
        "expected it good or gone"
    )
