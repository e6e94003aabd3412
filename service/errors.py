"""The errors that the service raises: one for each of its two readers."""

from collections.abc import Mapping


class RequestError(Exception):
    """For the client: the request cannot be answered.

    Attributes:
        status: the HTTP status.
        message: what was found and what was expected; no path or internal name.
        headers: what the reply says besides, such as ``Allow``.
    """

    def __init__(
        self, status: int, message: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = headers or {}


class SettingsError(ValueError):
    """For the operator: a setting has a value that cannot work."""


class ModelError(RuntimeError):
    """For the operator: a version, or every version, cannot be served."""
