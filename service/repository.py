"""The model repository: every good version of one model, and the reasons for the others."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from service import files
from service.errors import ModelError, RequestError
from service.files import Snapshot
from service.model import Model
from service.settings import Settings

logger = logging.getLogger(__name__)


class Repository(NamedTuple):
    """What a worker serves.

    Attributes:
        models: the good versions, by number.
        refused: the reason for each version that is not served, by number.
        default: the version that answers where a request names none.
    """

    models: Mapping[int, Model]
    refused: Mapping[int, str]
    default: Model

    def find(self, name: str | None, version: int | None) -> Model:
        """Return a version of the model of that name; None is the default of either.

        Raises:
            RequestError: 404, there is no such model or version.
        """
        if name not in (None, self.default.name):
            raise RequestError(
                404, f"model {name!r:.100} is not found, expected {self.default.name!r}"
            )
        return self.get(version)

    def get(self, version: int | None) -> Model:
        """Return a version, or the default for None.

        Raises:
            RequestError: 404, the version is not served.
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
    """Load every version of the model; a bad one is refused and the others go on.

    Args:
        settings: where they are, and which is the default.
        snapshot: their files where these have been read already.

    Raises:
        ModelError: no version is good, or the one that the settings name is not, or one
            that was good before a reload is not any more.
    """
    found = snapshot or files.read(settings)
    models: dict[int, Model] = {}
    refused: dict[int, str] = {}
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
    return Repository(models, refused, models[default])


def _obstacle(folder: Path) -> str:
    """Return why a folder cannot be read, as the end of a message; empty if it can."""
    try:
        next(folder.iterdir(), None)
    except OSError as error:
        return f"; it cannot be read: {error.strerror}"
    return ""


def _check_before(version: int, found: Snapshot, error: ModelError) -> None:
    """Raise if what is refused now was served: it is to go on being served."""
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
