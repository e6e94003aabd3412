"""Counting: each worker adds to its own rows of the shared counters."""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from time import time
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from service.errors import EVERY_REASON
from service.monitoring import table
from service.monitoring.counters import VALUES, Counters, Row
from service.monitoring.outcome import Outcome, Stages
from service.monitoring.table import Kind, Metric

METHODS = {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"}
SUM = VALUES - 1  # where a histogram's row has its sum; before it are the buckets
# Up to this many values are sorted into buckets one by one, and more by NumPy, which takes
# as long for one as for twenty.
FEW = 20
CONFIDENCE_BUCKETS = np.array(table.CONFIDENCE_BUCKETS)
NEWEST = {metric.row for metric in table.METRICS if metric.kind is Kind.GAUGE}

T = TypeVar("T")
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
    """The rows of one metric by label values, made when first looked up."""

    def __init__(self, counters: Counters, metric: Metric) -> None:
        self._counters, self._metric = counters, metric

    def __missing__(self, labels: tuple[str | int, ...]) -> Row:
        row = self[labels] = self._counters.row(self._metric.key(*labels))
        return row


class Metrics:
    """Counts what this worker does, and adds up what all workers did.

    Args:
        counters: the shared counters.
        versions: numbers of the served versions.
        dialects: names of the dialects.
    """

    def __init__(
        self, counters: Counters, versions: Sequence[int], dialects: Sequence[str]
    ) -> None:
        self._counters, self._dialects = counters, dialects
        self._requests = _Rows(counters, table.REQUESTS)
        self._refused = _Rows(counters, table.REFUSED)
        self._refusals = _Rows(counters, table.REFUSALS)
        self._stages = _Rows(counters, table.STAGES)
        self._predictions = _Rows(counters, table.PREDICTIONS)
        self._confidence = _Rows(counters, table.CONFIDENCE)
        self._unsure = _Rows(counters, table.UNSURE)
        self._last = _Rows(counters, table.LAST)
        self._shadow = _Rows(counters, table.SHADOW)
        self._shadow_images = _Rows(counters, table.SHADOW_IMAGES)
        self._shadow_confidence = _Rows(counters, table.SHADOW_CONFIDENCE)
        self._samples = _Rows(counters, table.SAMPLES)
        self._feedback = _Rows(counters, table.FEEDBACK)
        self._images = counters.row(table.IMAGES.key())
        self._turns = counters.row(table.TURNS.key())
        self._cpu = _Rows(counters, table.CPU)
        self._counted_cpu = 0.0
        self._start_at_zero(versions)

    def _start_at_zero(self, versions: Sequence[int]) -> None:
        """Create known series at 0: a counter that appears at 1 hides its first event."""
        for reason in EVERY_REASON:
            self._refused[reason,]
        for version in versions:
            for rows in (
                *(self._refusals, self._predictions, self._confidence),
                *(self._unsure, self._last),
            ):
                rows[version,]
            for dialect in self._dialects:
                for stage in Stages._fields:
                    self._stages[version, dialect, stage]

    def count_outcomes(self, outcomes: Sequence[Outcome]) -> None:
        """Count requests by method, route and status, and the refused ones by reason."""
        kinds = [
            (it.method, it.route, it.reply.status, it.reply.reason, it.seconds)
            for it in outcomes
        ]
        for (method, route, status, reason, seconds), times in _times(kinds):
            method = method if method in METHODS else "other"  # clients can invent more
            row = self._requests[method, route, status]
            _observe(row, table.REQUEST_BUCKETS, seconds, times)
            if reason:
                self._refused[reason,][0] += times

    def count_predictions(
        self,
        version: int,
        digits: npt.NDArray[np.intp],
        confidence: npt.NDArray[np.float32] | Sequence[float],
        unsure: int,
    ) -> None:
        """Count what a version predicted.

        Args:
            version: number of the version.
            digits: digit of each image, ``[n]``.
            confidence: probability of that digit, ``[n]``; of up to FEW, a list.
            unsure: how many are marked as unsure.
        """
        predictions, sure = self._predictions[version,], self._confidence[version,]
        if len(digits) <= FEW:
            for digit in digits.tolist():
                predictions[digit] += 1
            for probability in confidence:
                sure[bisect_left(table.CONFIDENCE_BUCKETS, probability)] += 1
            sure[SUM] += sum(confidence)
        else:
            for digit, count in enumerate(np.bincount(digits).tolist()):
                predictions[digit] += count
            places = CONFIDENCE_BUCKETS.searchsorted(confidence)
            for place, count in enumerate(np.bincount(places).tolist()):
                sure[place] += count
            sure[SUM] += float(np.add.reduce(confidence))
        if unsure:
            self._unsure[version,][0] += unsure
        self._last[version,][0] = time()

    def start_shadow(self, version: int) -> None:
        """Create the series of a shadow at 0."""
        for result in ("compared", "failed", "shed"):
            self._shadow[version, result]
        for agrees in ("yes", "no"):
            self._shadow_images[version, agrees]
        self._shadow_confidence[version,]

    def count_shadow(self, version: int, result: str) -> None:
        """Count a request by what became of its comparison: compared, failed or shed."""
        self._shadow[version, result][0] += 1

    def count_comparison(
        self, version: int, agree: int, confidence: npt.NDArray[np.float32]
    ) -> None:
        """Count images that a shadow was compared on.

        Args:
            version: number of the shadow.
            agree: how many it reads as the default does.
            confidence: probability of each digit it read, ``[n]``.
        """
        self._shadow_images[version, "yes"][0] += agree
        self._shadow_images[version, "no"][0] += len(confidence) - agree
        row = self._shadow_confidence[version,]
        for probability in confidence.tolist():
            _observe(row, table.CONFIDENCE_BUCKETS, probability, 1)

    def start_samples(self) -> None:
        """Create the series of samples at 0."""
        for result in ("kept", "failed", "shed"):
            self._samples[result,]

    def count_samples(self, result: str, times: int) -> None:
        """Count samples by what became of them: kept, failed or shed."""
        self._samples[result,][0] += times

    def count_feedback(self, version: int, read: int, digit: int) -> None:
        """Count a sample that a version has read as one digit, and that is another."""
        self._feedback[version, read][digit] += 1

    def count_batch(
        self, dialect: str, version: int, images: Sequence[int], stages: Stages
    ) -> None:
        """Count requests that were answered together.

        Args:
            dialect: name of their dialect.
            version: number of the version that answered.
            images: number of images of each request.
            stages: time of each stage for all of them, counted for each request.
        """
        for stage, seconds in zip(Stages._fields, stages):
            row = self._stages[version, dialect, stage]
            _observe(row, table.STAGE_BUCKETS, seconds, len(images))
        for count, times in _times(images):
            _observe(self._images, table.IMAGES_BUCKETS, count, times)

    def count_refusal(self, version: int, seconds: float) -> None:
        """Count the time until an inference request was refused."""
        row = self._refusals[version,]
        row[0] += 1
        row[1] += seconds

    def count_turn(self, seconds: float) -> None:
        """Count a turn of a worker's loop, from its first request to its last reply."""
        _observe(self._turns, table.REQUEST_BUCKETS, seconds, 1)

    def count_cpu(self, seconds: float) -> None:
        """Count this process's CPU time, given the total since it started."""
        self._cpu[()][0] += seconds - self._counted_cpu
        self._counted_cpu = seconds

    def totals(self, version: int) -> Totals:
        """Add up what all workers did with a version."""
        rows, number = self.sums(), str(version)
        stages = {
            stage: [rows[table.STAGES.row, number, it, stage] for it in self._dialects]
            for stage in Stages._fields
        }
        refused, refused_seconds = rows[table.REFUSALS.row, number][:2]
        return Totals(
            requests=int(sum(sum(row[:SUM]) for row in stages["infer"])),
            images=int(sum(rows[table.PREDICTIONS.row, number])),
            refused=int(refused),
            refused_seconds=refused_seconds,
            stage_seconds={
                stage: sum(row[SUM] for row in found) for stage, found in stages.items()
            },
            last=rows[table.LAST.row, number][0],
        )

    def sums(self) -> Sums:
        """Return the values of each key: sums over the workers, of gauges the largest."""
        sums: dict[tuple[str, ...], list[float]] = defaultdict(lambda: [0.0] * VALUES)
        for key, values in self._counters.rows():
            row, *labels = key.split("\t")
            found = sums[row, *labels]
            found[:] = map(max if row in NEWEST else float.__add__, found, values)
        return sums


def _times(values: Sequence[T]) -> Iterable[tuple[T, int]]:
    """Return the distinct values, and how often each is there."""
    if len(values) == 1:  # a Counter takes 2 µs
        return ((values[0], 1),)
    return Counter(values).items()


def _observe(row: Row, bounds: Sequence[float], value: float, times: int) -> None:
    row[bisect_left(bounds, value)] += times
    row[SUM] += times * value
