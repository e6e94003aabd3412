"""Prometheus's text: the worker that is asked answers for all of them."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import accumulate
from math import inf

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    SummaryMetricFamily,
)
from prometheus_client.core import Metric as Family
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from service.monitoring.metrics import SUM, Metrics
from service.monitoring.roster import Roster
from service.monitoring.table import METRICS, Kind, Metric

Rows = list[tuple[list[str], list[float]]]


class Exposition(Collector):
    """The metrics as prometheus_client wants them.

    Args:
        metrics: the counted ones.
        roster: the workers.
        states: of each version in the repository: default, served or refused.
    """

    def __init__(self, metrics: Metrics, roster: Roster, states: Mapping[int, str]) -> None:
        self._metrics, self._roster, self._states = metrics, roster, states
        self._registry = CollectorRegistry()
        self._registry.register(self)

    def text(self) -> tuple[bytes, str]:
        """Return the text for Prometheus and its content type."""
        return generate_latest(self._registry), CONTENT_TYPE_PLAIN_0_0_4

    def collect(self) -> Iterator[Family]:
        """Yield every metric for prometheus_client."""
        rows: dict[str, Rows] = defaultdict(list)
        for (row, *labels), values in sorted(self._metrics.sums().items()):
            rows[row].append((labels, values))
        for metric in METRICS:
            yield FAMILIES[metric.kind](metric, rows[metric.row])
        yield self._versions()
        yield from self._workers()

    def _versions(self) -> Family:
        family = GaugeMetricFamily(
            "mnist_model_version",
            "1 for the state that the version is in.",
            labels=["version", "state"],
        )
        for version, state in self._states.items():
            family.add_metric([str(version), state], 1)
        return family

    def _workers(self) -> Iterator[Family]:
        roster = self._roster
        serving = sum(age > 0 for age in roster.ready)
        for name, text, value in (
            ("mnist_workers", "Workers that serve.", serving),
            ("mnist_workers_wanted", "Workers that there should be.", roster.wanted),
            ("mnist_connections", "Open connections.", roster.open_connections()),
            (
                "mnist_connections_limit",
                "Open connections that there may be.",
                serving * roster.worker_connections,
            ),
            (
                "mnist_last_reload_successful",
                "0 when the last reload was refused.",
                1 - roster.reload_refused,
            ),
            (
                "mnist_queue_connections",
                "Connections that the kernel has accepted and no worker has taken.",
                max(roster.queued),
            ),
            (
                "process_resident_memory_bytes",
                "Resident memory of the workers, what they share counted for each.",
                sum(roster.memory),
            ),
            (
                "process_start_time_seconds",
                "Unix time of the start of the service, whose workers may be younger.",
                roster.started,
            ),
        ):
            yield GaugeMetricFamily(name, text, value=value)


def _histogram(metric: Metric, rows: Rows) -> Family:
    family = HistogramMetricFamily(metric.name, metric.text, labels=metric.labels)
    names = [str(float(bound)) for bound in (*metric.buckets, inf)]
    names[-1] = "+Inf"
    for labels, values in rows:
        buckets = list(zip(names, accumulate(values[: len(names)])))
        family.add_metric(labels, buckets, values[SUM])
    return family


def _counter(metric: Metric, rows: Rows) -> Family:
    family = CounterMetricFamily(metric.name, metric.text, labels=metric.labels)
    for labels, values in rows:
        family.add_metric(labels, values[0])
    return family


def _gauge(metric: Metric, rows: Rows) -> Family:
    family = GaugeMetricFamily(metric.name, metric.text, labels=metric.labels)
    for labels, values in rows:
        family.add_metric(labels, values[0])
    return family


def _summary(metric: Metric, rows: Rows) -> Family:
    family = SummaryMetricFamily(metric.name, metric.text, labels=metric.labels)
    for labels, values in rows:
        family.add_metric(labels, int(values[0]), values[1])
    return family


def _digits(metric: Metric, rows: Rows) -> Family:
    labels = [*metric.labels, "digit"]
    family = CounterMetricFamily(metric.name, metric.text, labels=labels)
    for known, values in rows:
        for digit, count in enumerate(values[:10]):
            family.add_metric([*known, str(digit)], count)
    return family


FAMILIES = {
    Kind.HISTOGRAM: _histogram,
    Kind.COUNTER: _counter,
    Kind.GAUGE: _gauge,
    Kind.SUMMARY: _summary,
    Kind.DIGITS: _digits,
}
