"""Prometheus's text: whichever worker is asked answers for all of them."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import accumulate
from math import inf

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

from service.metrics import (
    CONFIDENCE_BUCKETS,
    IMAGES_BUCKETS,
    REQUEST_BUCKETS,
    STAGE_BUCKETS,
    SUM,
    Metrics,
)

Rows = list[tuple[list[str], list[float]]]

# Name, help, labels and buckets; the rows have the name that comes first.
HISTOGRAMS: Sequence[tuple[str, str, str, list[str], Sequence[float]]] = (
    (
        "requests",
        "http_server_request_duration_seconds",
        "Time from a request's dispatch to its reply.",
        ["http_request_method", "http_route", "http_response_status_code"],
        REQUEST_BUCKETS,
    ),
    (
        "stages",
        "mnist_stage_duration_seconds",
        "Time of one stage of an answered inference request.",
        ["version", "dialect", "stage"],
        STAGE_BUCKETS,
    ),
    (
        "turns",
        "mnist_turn_duration_seconds",
        "Time of a turn of a worker's loop, from its first request to its last reply.",
        [],
        REQUEST_BUCKETS,
    ),
    (
        "images",
        "mnist_request_images",
        "Images in an answered inference request.",
        [],
        IMAGES_BUCKETS,
    ),
    (
        "confidence",
        "mnist_prediction_confidence",
        "Probability of the digit that an image was read as.",
        ["version"],
        CONFIDENCE_BUCKETS,
    ),
)
Family = type[CounterMetricFamily] | type[GaugeMetricFamily]
# The same of metrics with one value, but for the buckets.
SINGLES: Sequence[tuple[Family, str, str, str, list[str]]] = (
    (
        CounterMetricFamily,
        "unsure",
        "mnist_unsure",
        "Predictions that are marked as a guess.",
        ["version"],
    ),
    (
        CounterMetricFamily,
        "refused",
        "mnist_refused",
        "Requests that were refused.",
        ["reason"],
    ),
    (
        CounterMetricFamily,
        "reloads",
        "mnist_reloads",
        "Reloads done, and refused because the new workers could not serve.",
        ["result"],
    ),
    (CounterMetricFamily, "starts", "mnist_worker_starts", "Workers started.", []),
    (
        CounterMetricFamily,
        "exits",
        "mnist_worker_exits",
        "Workers that have ended: asked to, died, or killed because they hung.",
        ["cause"],
    ),
    (
        CounterMetricFamily,
        "cpu",
        "process_cpu_seconds",
        "Time that the workers have computed.",
        [],
    ),
    (
        GaugeMetricFamily,
        "last",
        "mnist_last_inference_timestamp_seconds",
        "When an inference request was last answered.",
        ["version"],
    ),
)


class Exposition(Collector):
    """The metrics as prometheus_client wants them.

    Args:
        metrics: what is counted.
    """

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._registry = CollectorRegistry()
        self._registry.register(self)

    def text(self) -> tuple[bytes, str]:
        """Return the text for Prometheus and its content type."""
        return generate_latest(self._registry), CONTENT_TYPE_PLAIN_0_0_4

    def collect(self) -> Iterator[Metric]:
        """Yield every metric for prometheus_client."""
        rows: dict[str, Rows] = defaultdict(list)
        for (name, *values), row in sorted(self._metrics.sums().items()):
            rows[name].append((values, row))
        for name, metric, text, labels, bounds in HISTOGRAMS:
            yield _histogram(metric, text, labels, bounds, rows[name])
        for family, name, metric, text, labels in SINGLES:
            found = family(metric, text, labels=labels)
            for values, row in rows[name]:
                found.add_metric(values, row[0])
            yield found
        yield _refusals(rows["refusals"])
        yield _predictions(rows["predictions"])
        yield self._versions()
        yield from self._workers()

    def _versions(self) -> Metric:
        family = GaugeMetricFamily(
            "mnist_model_version",
            "1 for the state that the version is in.",
            labels=["version", "state"],
        )
        repository = self._metrics.repository
        for version in repository.models:
            default = version == repository.default.version
            family.add_metric([str(version), "default" if default else "served"], 1)
        for version in repository.refused:
            family.add_metric([str(version), "refused"], 1)
        return family

    def _workers(self) -> Iterator[Metric]:
        board = self._metrics.board
        serving = sum(age > 0 for age in board.ready)
        for name, text, value in (
            ("mnist_workers", "Workers that serve.", serving),
            ("mnist_workers_wanted", "Workers that there should be.", board.wanted),
            ("mnist_connections", "Open connections.", board.open_connections()),
            (
                "mnist_connections_limit",
                "Open connections that there may be.",
                serving * board.worker_connections,
            ),
            (
                "mnist_last_reload_successful",
                "0 when the last reload was refused.",
                1 - board.reload_refused,
            ),
            (
                "mnist_queue_connections",
                "Connections that the kernel has accepted and no worker has taken.",
                max(board.queued),
            ),
            (
                "process_resident_memory_bytes",
                "Resident memory of the workers, what they share counted for each.",
                sum(board.memory),
            ),
            (
                "process_start_time_seconds",
                "Unix time of the start of the service, whose workers may be younger.",
                board.started,
            ),
        ):
            yield GaugeMetricFamily(name, text, value=value)


def _refusals(rows: Rows) -> Metric:
    family = SummaryMetricFamily(
        "mnist_refused_duration_seconds",
        "Time until an inference request for a served version was refused.",
        labels=["version"],
    )
    for labels, row in rows:
        family.add_metric(labels, int(row[0]), row[1])
    return family


def _predictions(rows: Rows) -> Metric:
    family = CounterMetricFamily(
        "mnist_predictions", "Predicted images.", labels=["version", "digit"]
    )
    for labels, row in rows:
        for digit, count in enumerate(row[:10]):
            family.add_metric([*labels, str(digit)], count)
    return family


def _histogram(
    name: str, text: str, labels: list[str], bounds: Sequence[float], rows: Rows
) -> Metric:
    family = HistogramMetricFamily(name, text, labels=labels)
    names = [str(float(bound)) for bound in (*bounds, inf)]
    names[-1] = "+Inf"
    for values, row in rows:
        buckets = list(zip(names, accumulate(row[: len(names)])))
        family.add_metric(values, buckets, row[SUM])
    return family
