"""Counters in memory shared by all worker processes.

Each process adds to rows of its own slot, and any process reads them all. The memory is an
anonymous mapping made before the workers are forked: no file that could fill a disk,
nothing to clean up, and no lock between processes, since a slot has one writer. A worker
that takes over a slot continues its counts, so none is ever lost.
"""

import mmap
from collections.abc import Iterator, MutableSequence
from threading import Lock
from typing import cast

Row = MutableSequence[float]

# A row is a key in UTF-8, padded with zeros, and its values: a histogram's sum and the
# counts of at most 17 buckets. The longest key of the service has 93 bytes.
KEY_BYTES = 176
VALUES = 18
ROW_BYTES = KEY_BYTES + 8 * VALUES
# Every route with every method and status that it can answer takes some 300, and a version
# 20: enough for eighty versions, over all reloads. Memory that is not written is not
# taken: a worker in use touches some 20 kB.
ROWS = 2048
SLOT_BYTES = ROWS * ROW_BYTES


def cells(count: int) -> Row:
    """Return zeros, float64 ``[count]``, shared with processes forked later."""
    return cast(Row, memoryview(mmap.mmap(-1, 8 * count)).cast("d"))


class Counters:
    """Rows of float64 by key, in one slot for each process that may run at once.

    Attributes:
        slots: number of slots.
    """

    def __init__(self, slots: int = 1) -> None:
        self.slots = slots
        self._memory = memoryview(mmap.mmap(-1, slots * SLOT_BYTES))
        self._lock = Lock()  # between the threads of one worker, if it has threads
        self.claim(0)

    def claim(self, slot: int) -> None:
        """Make this process the writer of a slot; its values stay."""
        self._slot = slot
        self._own = dict(self._slot_rows(slot))

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
        """Yield key and values of every row of every slot."""
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
        # The first byte last: until then the row does not exist, for concurrent readers
        # and for the slot's next writer if this process is killed here.
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
