"""Prometheus metrics, summed over the worker processes."""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from math import inf
from time import time
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
    SummaryMetricFamily,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from service import board
from service.board import VALUES, Board, Row
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

METHODS = {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"}
STAGES = ("decode", "infer", "encode")
SUM = VALUES - 1  # where a histogram's row has its sum; before it are the buckets


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


class Metrics(Collector):
    """The service's metrics: whichever worker is asked answers for all of them.

    Args:
        repository: what is served; each worker serves the same.
    """

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._board = board.shared or Board()
        self._requests = _Rows(self._board, "requests")
        self._images = self._board.row("images")
        self._refusals = _Rows(self._board, "refusals")
        self._inference = {
            version: [
                *(self._board.row(f"stages\t{version}\t{stage}") for stage in STAGES),
                self._board.row(f"predictions\t{version}"),
                self._board.row(f"last\t{version}"),
            ]
            for version in repository.models
        }
        self._registry = CollectorRegistry()
        self._registry.register(self)

    def count_request(
        self, method: str, route: str, status: int, seconds: float, times: int = 1
    ) -> None:
        """Count a request, or as many as were answered together, with a status."""
        method = method if method in METHODS else "other"  # a client can invent more
        _observe(self._requests[method, route, status], REQUEST_BUCKETS, seconds, times)

    def count_predictions(self, version: int, digits: npt.NDArray[np.intp]) -> None:
        """Count the digits ``[n]`` that a version has read."""
        *_, predictions, last = self._inference[version]
        for digit, count in enumerate(np.bincount(digits).tolist()):
            predictions[digit] += count
        last[0] = time()

    def count_inference(
        self, version: int, images: Sequence[int], seconds: tuple[float, float, float]
    ) -> None:
        """Count requests that were answered together.

        Args:
            version: who answered.
            images: of each request, how many it had.
            seconds: the time of each stage for all of them, as each of them took it.
        """
        stages = self._inference[version]
        for row, duration in zip(stages, seconds):
            _observe(row, STAGE_BUCKETS, duration, len(images))
        for count, times in Counter(images).items():
            _observe(self._images, IMAGES_BUCKETS, count, times)

    def count_refusal(self, version: int, seconds: float) -> None:
        """Count an inference request that was refused."""
        row = self._refusals[version,]
        row[0] += 1
        row[1] += seconds

    def totals(self, version: int) -> Totals:
        """Add up what all workers did with a version."""
        rows, number = self._sums(), str(version)
        infer = rows["stages", number, "infer"]
        refused, refused_seconds = rows["refusals", number][:2]
        return Totals(
            requests=int(sum(infer[:SUM])),
            images=int(sum(rows["predictions", number])),
            refused=int(refused),
            refused_seconds=refused_seconds,
            stage_seconds={name: rows["stages", number, name][SUM] for name in STAGES},
            last=rows["last", number][0],
        )

    def expose(self) -> tuple[bytes, str]:
        """Return the text for Prometheus and its content type."""
        return generate_latest(self._registry), CONTENT_TYPE_PLAIN_0_0_4

    def collect(self) -> Iterator[Metric]:
        """Yield every metric for prometheus_client."""
        rows = self._sums()

        def labelled(name: str) -> list[tuple[list[str], list[float]]]:
            return sorted(
                (list(key[1:]), row) for key, row in rows.items() if key[0] == name
            )

        yield _histogram(
            "http_server_request_duration_seconds",
            "Time from a request's dispatch to its reply.",
            ["http_request_method", "http_route", "http_response_status_code"],
            REQUEST_BUCKETS,
            labelled("requests"),
        )
        yield _histogram(
            "mnist_stage_duration_seconds",
            "Time of one stage of an answered inference request.",
            ["version", "stage"],
            STAGE_BUCKETS,
            labelled("stages"),
        )
        yield _histogram(
            "mnist_request_images",
            "Images in an answered inference request.",
            [],
            IMAGES_BUCKETS,
            labelled("images"),
        )
        refusals = SummaryMetricFamily(
            "mnist_refused_duration_seconds",
            "Time until an inference request for a served version was refused.",
            labels=["version"],
        )
        for labels, row in labelled("refusals"):
            refusals.add_metric(labels, int(row[0]), row[1])
        yield refusals
        yield self._predicted(labelled("predictions"))
        last = GaugeMetricFamily(
            "mnist_last_inference_timestamp_seconds",
            "When an inference request was last answered.",
            labels=["version"],
        )
        for labels, row in labelled("last"):
            last.add_metric(labels, row[0])
        yield last
        reloads = CounterMetricFamily(
            "mnist_reloads",
            "Reloads done, and refused because the new workers could not serve.",
            labels=["result"],
        )
        for labels, row in labelled("reloads"):
            reloads.add_metric(labels, row[0])
        yield reloads
        yield self._versions()

    def _predicted(self, rows: list[tuple[list[str], list[float]]]) -> Metric:
        family = CounterMetricFamily(
            "mnist_predictions", "Predicted images.", labels=["version", "digit"]
        )
        for labels, row in rows:
            for digit, count in enumerate(row):
                if count:
                    family.add_metric([*labels, str(digit)], count)
        return family

    def _versions(self) -> Metric:
        family = GaugeMetricFamily(
            "mnist_model_version",
            "1 for the state that the version is in.",
            labels=["version", "state"],
        )
        for version in self._repository.models:
            default = version == self._repository.default.version
            family.add_metric([str(version), "default" if default else "served"], 1)
        for version in self._repository.refused:
            family.add_metric([str(version), "refused"], 1)
        return family

    def _sums(self) -> Mapping[tuple[str, ...], list[float]]:
        """Return the values of each key, added up over the workers; a time is the last."""
        sums: dict[tuple[str, ...], list[float]] = defaultdict(lambda: [0.0] * VALUES)
        for key, values in self._board.rows():
            name, *labels = key.split("\t")
            found = sums[name, *labels]
            add = max if name == "last" else float.__add__
            found[:] = map(add, found, values)
        return sums


def _observe(row: Row, bounds: Sequence[float], value: float, times: int) -> None:
    row[bisect_left(bounds, value)] += times
    row[SUM] += times * value


def _histogram(
    name: str,
    text: str,
    labels: list[str],
    bounds: Sequence[float],
    rows: list[tuple[list[str], list[float]]],
) -> Metric:
    family = HistogramMetricFamily(name, text, labels=labels)
    names = [str(float(bound)) for bound in (*bounds, inf)]
    names[-1] = "+Inf"
    for values, row in rows:
        buckets = list(zip(names, accumulate(row[: len(names)])))
        family.add_metric(values, buckets, row[SUM])
    return family
