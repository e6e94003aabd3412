"""One call of ModelInfer, as a turn sees it: where it came from, and its head."""

import asyncio
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from service.http import sane_id
from service.inference import Target
from service.monitoring.outcome import HeadFacts, Outcome


class Call:
    """A call that waits for its outcome; its turn gives it back by `send`.

    Attributes:
        method, path, version: as of an HTTP request, which it is.
        target: what is asked for.
        fields: its metadata.
        length: bytes of its message.
        request_id: the client's x-request-id if it is sane, else empty.
        keep_alive: whether its connection may be used again, which is gRPC's affair.
        is_probe: never; health checks are other methods.
        file: none: gRPC tells when a client has gone.
        outcome: what became of it, once that is known.
    """

    method = "POST"
    version = (2, 0)
    keep_alive = True
    is_probe = False
    file = -1

    def __init__(
        self, target: Target, fields: Mapping[str, str], length: int, context: Any
    ) -> None:
        """Take what the turn needs from a call.

        Args:
            target: what is asked for.
            fields: its metadata.
            length: bytes of its message.
            context: gRPC's.
        """
        self.target, self.fields, self.length = target, fields, length
        self.path = target.route
        self.request_id = sane_id(fields.get("x-request-id", ""))
        self.outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._context = context

    @property
    def gone(self) -> bool:
        """Whether nobody waits any more: it was cancelled, perhaps by its deadline."""
        return self.outcome.cancelled()

    @property
    def ends(self) -> "Call":
        """Itself: it knows its peer."""
        return self

    @property
    def peer(self) -> tuple[str, int]:
        """The client's address."""
        # Such as ipv4:127.0.0.1:4711, or ipv6:%5B::1%5D:4711.
        _, _, address = unquote(self._context.peer()).partition(":")
        host, _, port = address.rpartition(":")
        return host.strip("[]"), int(port) if port.isdecimal() else 0

    @property
    def facts(self) -> HeadFacts:
        """What log and spans report of it."""
        return HeadFacts(self.method, self.path, self.fields, self.path, self.version)

    def send(self, outcome: Outcome) -> None:
        """Pass on what became of it; gRPC makes bytes of that."""
        if not self.outcome.done():
            self.outcome.set_result(outcome)

    def hang_up(self) -> None:
        """Do nothing, as `go_on`."""

    def go_on(self, keep: bool) -> None:
        """Do nothing: the connection is gRPC's."""

    def closing(self) -> "Call":
        """Return itself: gRPC tells the client when its connection ends."""
        return self
