"""What Locust's process and its sender tell each other, pickled, over two pipes."""

from typing import NamedTuple

from load.payloads import Request
from load.record import Tally
from load.scenarios import Load


class Asked(NamedTuple):
    """What a sender sends.

    Attributes:
        host: the URL of the server.
        requests: sent in turn, from the start on.
        start: the first, so that several senders do not send the same at a time.
        headers: of every request, besides its own.
        connections: at most so many requests at a time.
    """

    host: str
    requests: list[Request]
    start: int
    headers: dict[str, str]
    connections: int


class Plan(NamedTuple):
    """When it sends.

    Attributes:
        first: the number of the first load in the whole run.
        loads: one after the other, without a pause.
        arrivals: ``poisson`` or ``constant``.
        seed: of the arrivals.
        share, shares: its part, and of how many.
        interval: of the time line, in seconds.
    """

    first: int
    loads: list[Load]
    arrivals: str
    seed: int
    share: int
    shares: int
    interval: float


class Usage(NamedTuple):
    """What a process took in a load.

    Attributes:
        busy: share of the time in which it had something to do.
        waited: share of the time in which it waited for a core; None where the kernel
            does not say.
        memory_mib: the most resident memory so far.
    """

    busy: float
    waited: float | None
    memory_mib: float


class Report(NamedTuple):
    """What has happened since the last one.

    Attributes:
        tallies: what became of the requests of a load, a part of the time line and a
            payload.
        usage: by load.
        done: how many loads of the whole run are over.
    """

    tallies: list[tuple[int, int, str, Tally]]
    usage: dict[int, Usage]
    done: int
