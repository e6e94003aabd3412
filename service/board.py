"""Numbers that all worker processes share: each adds to its own, any reads them all.

The memory is an anonymous mapping made before the workers are forked: no file that could
fill a disk, nothing to clean up, and no lock, since a slot has one writer. A worker that
takes over a slot goes on where the last one stopped, so no count is ever lost.
"""

import mmap
from collections.abc import Iterator, MutableSequence
from math import inf
from threading import Lock
from time import time
from typing import ClassVar, cast

Row = MutableSequence[float]

# A row is a key in UTF-8, padded with zeros, and its values: a histogram's sum and the
# counts of at most 17 buckets. The longest key of the service has 93 bytes.
KEY_BYTES = 176
VALUES = 18
ROW_BYTES = KEY_BYTES + 8 * VALUES
# Every route with every method and status that it can answer takes some 300, and a version
# 17: enough for a hundred versions, in all reloads together. Memory that is not written is
# not taken: a worker in use touches some 20 kB.
ROWS = 2048
SLOT_BYTES = ROWS * ROW_BYTES


LEFT = -1.0  # instead of its age: the worker in a slot has ended as it was to
NOBODY = -1.0  # connections of a slot whose worker takes none, or that has no worker
# Seconds after which a worker that has not shown up is not counted on: three times as long
# as it usually takes, and more than the largest request does.
SILENT_S = 1.5


class _Number:
    """A number of the whole service, 0 until the master sets it, that all processes see."""

    names: ClassVar[list[str]] = []

    def __set_name__(self, owner: type, name: str) -> None:
        self._place = len(self.names)
        self.names.append(name)

    def __get__(self, board: "Board", owner: type | None = None) -> float:
        return board.service[self._place]

    def __set__(self, board: "Board", value: float) -> None:
        board.service[self._place] = value


class Board:
    """Rows of float64, by key, in as many slots as there may be workers at once.

    Attributes:
        slots: how many.
        started: Unix time of the start of the service.
        connections: of the worker in each slot, how many it has open, or NOBODY.
        ready: of the worker in each slot, its age once it can serve; 0 before, and
            LEFT when it has ended as it was to.
        memory: of the worker in each slot, its resident bytes.
        queued: of the worker in each slot, how many connections it saw waiting.
        stopping: 1 when the whole service is about to stop, and no more requests should
            come.
        wanted: how many workers there should be.
        worker_connections: how many connections a worker takes.
        reload_refused: 1 when the last reload was.
    """

    stopping = _Number()
    wanted = _Number()
    worker_connections = _Number()
    reload_refused = _Number()

    def __init__(self, slots: int = 1) -> None:
        self.slots = slots
        self.started = time()
        self.connections = self._cells(slots)
        self.ready = self._cells(slots)
        self.memory = self._cells(slots)
        self.queued = self._cells(slots)
        self._shown = self._cells(slots)  # when a worker last showed up, in seconds
        self.service = self._cells(len(_Number.names))
        for slot in range(slots):
            self.connections[slot] = NOBODY
        self._memory = memoryview(mmap.mmap(-1, slots * SLOT_BYTES))
        self._lock = Lock()  # between the threads of one worker, where it has threads
        self.claim(0)

    def claim(self, slot: int) -> None:
        """Make this process the writer of a slot; what is in it stays."""
        self._slot = slot
        self._own = {key: values for key, values in self._slot_rows(slot)}

    @staticmethod
    def _cells(count: int) -> Row:
        return cast(Row, memoryview(mmap.mmap(-1, 8 * count)).cast("d"))

    def release(self, slot: int) -> None:
        """Say that a slot has no worker any more."""
        self.connections[slot] = NOBODY
        self.ready[slot] = self.memory[slot] = self.queued[slot] = 0

    def tell(self, memory: float, queued: float) -> None:
        """Say how many bytes this worker has resident, and how many connections wait."""
        self.memory[self._slot], self.queued[self._slot] = memory, queued

    def show_up(self, now: float) -> None:
        """Say that this worker is at work, and do not wait for others that are not.

        Args:
            now: seconds, by a clock that all processes share.
        """
        self._shown[self._slot] = now
        for slot, shown in enumerate(self._shown):
            if now - shown > SILENT_S:
                self.connections[slot] = NOBODY

    def count_connections(self, count: float) -> None:
        """Tell the other workers how many connections this one has open, or NOBODY."""
        self.connections[self._slot] = count

    def open_connections(self) -> float:
        """Return how many connections all workers have open."""
        return sum(count for count in self.connections if count != NOBODY)

    def fewest_connections(self) -> float:
        """Return the connections of that other worker which has the fewest, or infinity."""
        others = list(self.connections)
        del others[self._slot]
        return min([count for count in others if count != NOBODY], default=inf)

    def workers(self) -> int:
        """Return how many workers take connections, at least 1."""
        return max(1, sum(count != NOBODY for count in self.connections))

    def row(self, key: str) -> Row:
        """Return the values of a key in the own slot, float64 ``[18]``, zeros if new.

        Raises:
            ValueError: the key is longer than a row has room for.
        """
        with self._lock:
            if key not in self._own:
                self._own[key] = self._add(key)
            return self._own[key]

    def rows(self) -> Iterator[tuple[str, list[float]]]:
        """Return key and values of every row of every slot."""
        for slot in range(self.slots):
            for key, values in self._slot_rows(slot):
                yield key, list(values)

    def _add(self, key: str) -> Row:
        encoded = key.encode()
        if len(encoded) > KEY_BYTES:
            raise ValueError(f"key {key!r} has {len(encoded)} bytes, expected {KEY_BYTES}")
        if len(self._own) == ROWS:  # counting must not fail a request: this one is lost
            return [0.0] * VALUES
        start = self._slot * SLOT_BYTES + len(self._own) * ROW_BYTES
        # Its first byte last: until then there is no row, for whoever reads meanwhile, or
        # for the next writer if this one is killed.
        padded = encoded.ljust(KEY_BYTES, b"\0")
        self._memory[start + 1 : start + KEY_BYTES] = padded[1:]
        self._memory[start] = padded[0]
        return self._values(start)

    def _slot_rows(self, slot: int) -> Iterator[tuple[str, Row]]:
        first = slot * SLOT_BYTES
        for start in range(first, first + SLOT_BYTES, ROW_BYTES):
            if not self._memory[start]:
                return
            key = bytes(self._memory[start : start + KEY_BYTES]).rstrip(b"\0")
            yield key.decode(), self._values(start)

    def _values(self, start: int) -> Row:
        values = self._memory[start + KEY_BYTES : start + ROW_BYTES]
        return cast(Row, values.cast("d"))


# The one that gunicorn's master makes before it forks; None where there is no master.
shared: Board | None = None


def is_open() -> bool:
    """Tell whether requests should come: nothing is about to stop."""
    return not (shared and shared.stopping)
