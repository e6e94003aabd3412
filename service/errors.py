"""The errors that the service raises: one for each of its two readers."""

from collections.abc import Mapping

# Why a request is refused, in a word for the metrics, where the error does not say more.
REASONS: Mapping[int, str] = {
    400: "malformed",
    401: "no_key",
    404: "unknown_route",
    405: "wrong_method",
    408: "slow_client",
    411: "no_length",
    413: "too_large",
    414: "too_large",
    415: "wrong_type",
    417: "malformed",
    422: "not_images",
    431: "too_large",
    503: "overloaded",
}
# The words that only some errors of a status have.
FINER = ("damaged_picture", "no_ink", "pixel_value", "wrong_host")
EVERY_REASON = sorted({*REASONS.values(), *FINER})


class RequestError(Exception):
    """For the client: the request cannot be answered.

    Attributes:
        status: the HTTP status.
        message: what was found and what was expected; no path or internal name.
        headers: what the reply says besides, such as ``Allow``.
        reason: a word for the metrics; the status's own if it is not given.
    """

    def __init__(
        self,
        status: int,
        message: str,
        headers: Mapping[str, str] | None = None,
        reason: str = "",
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = headers or {}
        self.reason = reason or REASONS[status]


class SettingsError(ValueError):
    """For the operator: a setting has a value that cannot work."""


class ModelError(RuntimeError):
    """For the operator: a version, or every version, cannot be served."""
