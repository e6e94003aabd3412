"""What is counted: each worker adds to rows of its own, on the board that all share.

Prometheus's text is made of them in `exposition`.
"""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from time import time
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from service import board
from service.board import VALUES, Board, Row
from service.errors import EVERY_REASON
from service.repository import Repository

# Seconds. A request takes a fraction of a millisecond: the usual buckets, which start at
# 5 ms, would put all of them into the first.
REQUEST_BUCKETS = (
    *(0.0001, 0.00025, 0.0005, 0.00075, 0.001, 0.002, 0.003, 0.005, 0.0075),
    *(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1),
)
STAGE_BUCKETS = (
    *(0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005),
    *(0.001, 0.0025, 0.005, 0.01, 0.025, 0.1),
)
IMAGES_BUCKETS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
# Nine digits in ten of the test set are above 0.99, and what is no digit is below 0.9.
CONFIDENCE_BUCKETS = (
    *(0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95),
    *(0.98, 0.99, 0.995, 0.998, 0.999, 0.9999),
)

METHODS = {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"}
STAGES = ("decode", "infer", "encode")
DIALECTS = ("predict", "explain", "tfserving", "oip")
SUM = VALUES - 1  # where a histogram's row has its sum; before it are the buckets
# Up to so many values are sorted into buckets one by one, and more by NumPy, which takes
# as long for one as for twenty.
FEW = 20

Sums = Mapping[tuple[str, ...], list[float]]


class Totals(NamedTuple):
    """What all workers did with a version since the start.

    Attributes:
        requests: answered inference requests.
        images: images in them.
        refused: refused inference requests.
        refused_seconds: time spent on these.
        stage_seconds: time of each stage of the answered ones.
        last: Unix time of the last answer, 0 if there was none.
    """

    requests: int
    images: int
    refused: int
    refused_seconds: float
    stage_seconds: Mapping[str, float]
    last: float


class _Rows(dict[tuple[str | int, ...], Row]):
    """The rows of one metric by its labels, found or made where they are missing."""

    def __init__(self, board: Board, name: str) -> None:
        self._board, self._name = board, name

    def __missing__(self, labels: tuple[str | int, ...]) -> Row:
        row = self._board.row("\t".join((self._name, *map(str, labels))))
        self[labels] = row
        return row


class Metrics:
    """Counts what one worker does, and adds up what all did.

    Args:
        repository: what is served; each worker serves the same.
    """

    def __init__(self, repository: Repository) -> None:
        self.repository = repository
        self.board = board.shared or Board()
        self._requests = _Rows(self.board, "requests")
        self._refused = _Rows(self.board, "refused")
        self._refusals = _Rows(self.board, "refusals")
        self._stages = _Rows(self.board, "stages")
        self._predictions = _Rows(self.board, "predictions")
        self._confidence = _Rows(self.board, "confidence")
        self._unsure = _Rows(self.board, "unsure")
        self._last = _Rows(self.board, "last")
        self._images = self.board.row("images")
        self._turns = self.board.row("turns")
        self._cpu = _Rows(self.board, "cpu")
        self._counted = 0.0
        self._start_at_zero()

    def _start_at_zero(self) -> None:
        """Make the rows that are known: what appears with its first event hides it."""
        for reason in EVERY_REASON:
            self._refused[reason,]
        for version in self.repository.models:
            for of_version in (
                *(self._refusals, self._predictions, self._confidence),
                *(self._unsure, self._last),
            ):
                of_version[version,]
            for dialect in DIALECTS:
                for stage in STAGES:
                    self._stages[version, dialect, stage]

    def count_request(
        self,
        method: str,
        route: str,
        status: int,
        seconds: float,
        times: int = 1,
        reason: str = "",
    ) -> None:
        """Count a request, or as many as were answered together.

        Args:
            method: its method.
            route: the rule that its path matches.
            status: of its reply.
            seconds: from its dispatch to its reply.
            times: how many.
            reason: in a word, why it was refused; empty if it was not.
        """
        method = method if method in METHODS else "other"  # a client can invent more
        _observe(self._requests[method, route, status], REQUEST_BUCKETS, seconds, times)
        if reason:
            self._refused[reason,][0] += times

    def count_predictions(
        self,
        version: int,
        digits: npt.NDArray[np.intp],
        confidence: npt.NDArray[np.float32],
        unsure: int,
    ) -> None:
        """Count what a version has read.

        Args:
            version: which.
            digits: of each image, ``[n]``.
            confidence: of each image, its digit's probability, ``[n]``.
            unsure: how many of them are marked so.
        """
        predictions, sure = self._predictions[version,], self._confidence[version,]
        if len(digits) <= FEW:
            for digit in digits.tolist():
                predictions[digit] += 1
            for probability in confidence.tolist():
                sure[bisect_left(CONFIDENCE_BUCKETS, probability)] += 1
        else:
            for digit, count in enumerate(np.bincount(digits).tolist()):
                predictions[digit] += count
            places = np.searchsorted(CONFIDENCE_BUCKETS, confidence)
            for place, count in enumerate(np.bincount(places).tolist()):
                sure[place] += count
        sure[SUM] += float(np.add.reduce(confidence))
        if unsure:
            self._unsure[version,][0] += unsure
        self._last[version,][0] = time()

    def count_inference(
        self,
        dialect: str,
        version: int,
        images: Sequence[int],
        seconds: tuple[float, float, float],
    ) -> None:
        """Count requests that were answered together.

        Args:
            dialect: how they were asked.
            version: who answered.
            images: of each request, how many it had.
            seconds: the time of each stage for all of them, as each of them took it.
        """
        for stage, duration in zip(STAGES, seconds):
            row = self._stages[version, dialect, stage]
            _observe(row, STAGE_BUCKETS, duration, len(images))
        for count, times in Counter(images).items():
            _observe(self._images, IMAGES_BUCKETS, count, times)

    def count_refusal(self, version: int, seconds: float) -> None:
        """Count the time of an inference request that was refused."""
        row = self._refusals[version,]
        row[0] += 1
        row[1] += seconds

    def count_turn(self, seconds: float) -> None:
        """Count a turn of a worker's loop, from its first request to its last reply."""
        _observe(self._turns, REQUEST_BUCKETS, seconds, 1)

    def count_cpu(self, seconds: float) -> None:
        """Count what this process has computed since the last time.

        Args:
            seconds: since it started.
        """
        self._cpu[()][0] += seconds - self._counted
        self._counted = seconds

    def totals(self, version: int) -> Totals:
        """Add up what all workers did with a version."""
        rows, number = self.sums(), str(version)
        stages = {
            stage: [rows["stages", number, dialect, stage] for dialect in DIALECTS]
            for stage in STAGES
        }
        refused, refused_seconds = rows["refusals", number][:2]
        return Totals(
            requests=int(sum(sum(row[:SUM]) for row in stages["infer"])),
            images=int(sum(rows["predictions", number])),
            refused=int(refused),
            refused_seconds=refused_seconds,
            stage_seconds={
                stage: sum(row[SUM] for row in found) for stage, found in stages.items()
            },
            last=rows["last", number][0],
        )

    def sums(self) -> Sums:
        """Return the values of each key, added up over the workers; a time is the last."""
        sums: dict[tuple[str, ...], list[float]] = defaultdict(lambda: [0.0] * VALUES)
        for key, values in self.board.rows():
            name, *labels = key.split("\t")
            found = sums[name, *labels]
            add = max if name == "last" else float.__add__
            found[:] = map(add, found, values)
        return sums


def _observe(row: Row, bounds: Sequence[float], value: float, times: int) -> None:
    row[bisect_left(bounds, value)] += times
    row[SUM] += times * value
