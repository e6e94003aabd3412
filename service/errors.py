"""The errors that the service raises, for clients and for operators."""

from collections.abc import Mapping
from typing import Self

# One word per status for the metrics: why a request was refused, unless the error is finer.
REASONS: Mapping[int, str] = {
    400: "malformed",
    401: "no_key",
    403: "forbidden",
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
    499: "client_gone",
    503: "overloaded",
    504: "too_late",
    507: "no_room",
}
# Reasons that only some errors of a status have.
FINER = ("cross_site", "damaged_picture", "no_ink", "pixel_value", "wrong_host")
EVERY_REASON = sorted({*REASONS.values(), *FINER})


class RequestError(Exception):
    """The request cannot be answered; shown to the client.

    Attributes:
        status: the HTTP status.
        message: what was found and what was expected; no path or internal name.
        headers: further headers of the reply, such as ``Allow``.
        reason: one word for the metrics; by default the one of the status.
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

    def without_frames(self) -> Self:
        """Drop traceback and context, whose frames keep decoded bodies, and return it.

        For errors that are kept: with what keeps them in one of those frames, they are a
        cycle that lives until the garbage collector runs.
        """
        self.__traceback__ = self.__context__ = self.__cause__ = None
        return self


class SettingsError(ValueError):
    """A setting has a value that cannot work; shown to the operator."""


class ModelError(RuntimeError):
    """A version, or every version, cannot be served; shown to the operator."""
