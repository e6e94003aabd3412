"""Which share of the requests goes to another version than the default.

A canary answers its share of the requests that name no version; a shadow answers nobody,
and is compared with the default: see `mirror`.
"""

import logging
import re
from hashlib import blake2b
from typing import Annotated

import msgspec

from service.errors import SettingsError
from service.model.repository import Repository

logger = logging.getLogger(__name__)

EXPECTED = (
    'expected JSON such as {"canary": {"version": 2, "percent": 10}} or '
    '{"shadow": {"version": 2}}'
)
DIGEST = 8  # bytes of a hash

Percent = Annotated[float, msgspec.Meta(ge=0, le=100)]
Version = Annotated[int, msgspec.Meta(ge=1)]


class Canary(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A version that answers a share of the requests that name none.

    Attributes:
        version: its number.
        percent: its share.
        header: name of the header by whose value requests are chosen, in lower case, so
            that a client who sends one always meets the same version; others meet the
            default. By the request's id if empty.
    """

    version: Version
    percent: Percent
    header: str = ""


class Shadow(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A version that is compared with the default on a share of its requests."""

    version: Version
    percent: Percent = 100


class Plan(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The file of traffic, as JSON.

    Attributes:
        default: the version that answers requests that name none, instead of the settings'.
        canary: see `Canary`.
        shadow: see `Shadow`.
    """

    default: Version | None = None
    canary: Canary | None = None
    shadow: Shadow | None = None


def read_plan(content: bytes | OSError | None, repository: Repository) -> Plan:
    """Read the file of traffic; an empty plan without one.

    A shadow that is not served is left out: it must not keep the service from its work.

    Raises:
        SettingsError: the file cannot be used, or its default or canary is not served.
    """
    if content is None:
        return Plan()
    if isinstance(content, OSError):
        text = f"MNIST_TRAFFIC cannot be read, {EXPECTED}: {content.strerror}"
        raise SettingsError(text)
    try:
        plan = msgspec.json.decode(content, type=Plan)
    except ValueError as error:  # of msgspec, or UTF-8
        raise SettingsError(f"MNIST_TRAFFIC is a file with {error}; {EXPECTED}") from None
    known, canary, shadow = repository.models, plan.canary, plan.shadow
    for name, version in (("default", plan.default), ("canary", canary and canary.version)):
        if version is not None and version not in known:
            served = ", ".join(map(str, known))
            raise SettingsError(
                f"MNIST_TRAFFIC has version {version} as {name}, expected one that can be "
                f"served: {served}"
            )
    if canary is not None:
        header = canary.header.lower()
        if not re.fullmatch(r"[a-z0-9-]*", header) or header == "authorization":
            raise SettingsError(
                f"MNIST_TRAFFIC has the header {header!r:.100}, expected one that says who "
                "asks, and no secret"
            )
        header = "" if header == "x-request-id" else header
        canary = msgspec.structs.replace(canary, header=header)
    if shadow is not None and shadow.version not in known:
        logger.error(
            "shadow version %d is not served, so that nothing is mirrored", shadow.version
        )
        shadow = None
    return Plan(plan.default, canary, shadow)


def is_chosen(key: str, percent: float, salt: bytes = b"") -> bool:
    """Return whether a key is in a share; the same in each process, and for good.

    Keys that are in a share are in each larger one.
    """
    digest = blake2b(key.encode(), digest_size=DIGEST, salt=salt).digest()
    return int.from_bytes(digest) * 100 < percent * (1 << 8 * DIGEST)
